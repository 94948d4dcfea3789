"""`sopor log`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.blame import step_lines
from sopor.cli.rendering.commits import log_lines
from sopor.cli.session import Session
from sopor.cli.words import current_branch, split_revisions


@declare(
    "log",
    revisions=True,
    examples=[
        "sopor log",
        "sopor log --graph --all",
        "sopor log -n 5 next -- 'List pets'",
        "sopor log -p 'List pets'",
    ],
)
@click.argument(
    "words",
    nargs=-1,
    metavar="[REVISION] [--] [DOCUMENT]",
    shell_complete=completing.revisions_and_files,
)
@click.option("--graph", is_flag=True, help="Draw how commits follow each other.")
@click.option("-n", "--limit", type=click.IntRange(min=0), metavar="N", help="At most N commits.")
@click.option("--all", "everything", is_flag=True, help="Of all branches, the server's as well.")
@click.option("--oneline", is_flag=True, help="Without time and author.")
@click.option("-p", "--patch", is_flag=True, help="With what each commit changed in DOCUMENT.")
@click.option("--full", is_flag=True, help="With the whole id and message.")
def command(
    session: Session,
    words: tuple[str, ...],
    graph: bool,
    limit: int | None,
    everything: bool,
    oneline: bool,
    patch: bool,
    full: bool,
) -> None:
    """Lists commits, newest first: of a branch or commit, or those that changed one document.

    With -p, the fields of the document that each of them changed; see also `sopor blame`.
    """
    if oneline and full:
        raise click.UsageError("--oneline and --full exclude each other")
    form = "full" if full else "oneline" if oneline else "line"
    with session.open() as repository:
        revisions, documents = split_revisions(repository, words, 1)
        if len(documents) > 1:
            raise click.UsageError("the log of one document at a time")
        revision = revisions[0] if revisions else None
        branch = current_branch(repository)
        if patch:
            if not documents or graph:
                raise click.UsageError("-p follows one document, without --graph")
            steps = repository.document_log(
                documents[0], revision, limit=limit, all_branches=everything
            )
            session.console.result(steps, step_lines(steps, branch, form=form))
            return
        commits = repository.log(
            revision,
            document=documents[0] if documents else None,
            limit=limit,
            all_branches=everything,
        )
        drawing = repository.graph(commits) if graph else None
    session.console.result(commits, log_lines(commits, drawing, branch, form=form))
