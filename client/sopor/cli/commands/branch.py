"""`sopor branch`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.state import branch_lines
from sopor.cli.rendering.transfers import push_lines
from sopor.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sopor.repository import Repository
    from sopor.repository.results import BranchInfo


@declare(
    "branch",
    examples=[
        "sopor branch",
        "sopor branch -a",
        "sopor branch next",
        "sopor branch hotfix main~2",
        "sopor branch -m old-name new-name",
        "sopor branch -d next",
        "sopor branch --delete-remote next",
    ],
)
@click.argument("names", nargs=-1, metavar="[NAME [REVISION]]", shell_complete=completing.branches)
@click.option("-a", "--all", "everything", is_flag=True, help="List the server's branches too.")
@click.option("-r", "--remote", is_flag=True, help="List the server's branches only.")
@click.option("-d", "--delete", "action", flag_value="delete", help="Delete branches.")
@click.option("-D", "action", flag_value="force", help="Delete them with commits of their own.")
@click.option("-m", "--move", "action", flag_value="move", help="Rename: [OLD] NEW.")
@click.option("--delete-remote", "action", flag_value="delete-remote", help="Delete on the server.")
def command(
    session: Session,
    names: tuple[str, ...],
    everything: bool,
    remote: bool,
    action: str | None,
) -> None:
    """Lists branches; with a NAME, creates one at the present commit or at a REVISION."""
    if (everything or remote) and (names or action):
        raise click.UsageError("-a and -r list branches, and take no names")
    with session.open() as repository:
        if action in ("delete", "force"):
            _delete(session, repository, names, force=action == "force")
        elif action == "move":
            _rename(session, repository, names)
        elif action == "delete-remote":
            _delete_remote(session, repository, names)
        elif names:
            _create(session, repository, names)
        else:
            found = tuple(_listed(repository, everything=everything, remote=remote))
            session.console.result(found, branch_lines(found))


def _listed(repository: Repository, *, everything: bool, remote: bool) -> Iterator[BranchInfo]:
    branches = repository.branches(remote=everything or remote)
    for info in branches:
        if not info.remote and not remote:
            yield info
    for info in branches:
        if (everything or remote) and info.remote:
            yield info
        elif (everything or remote) and info.tracking:
            yield _remote_side(repository, info)


def _remote_side(repository: Repository, info: BranchInfo) -> BranchInfo:
    assert info.tracking is not None  # noqa: S101 (the caller looked)
    head = info.tracking.remote
    (commit,) = repository.log(head.hex(), limit=1)
    return replace(
        info, head=head, subject=commit.subject, current=False, tracking=None, remote=True
    )


def _create(session: Session, repository: Repository, names: Sequence[str]) -> None:
    if len(names) > 2:
        raise click.UsageError("a branch is created from one name and one revision")
    made = repository.create_branch(names[0], names[1] if len(names) > 1 else None)
    session.console.report(made, [f"Created branch {made.name} at {made.head.short}"])


def _rename(session: Session, repository: Repository, names: Sequence[str]) -> None:
    if len(names) not in (1, 2):
        raise click.UsageError("-m takes the new name, or the old and the new one")
    old = names[0] if len(names) == 2 else repository.context.store.refs.current
    made = repository.rename_branch(old, names[-1])
    session.console.report(made, [f"Renamed branch {old} to {made.name}"])


def _delete(session: Session, repository: Repository, names: Sequence[str], *, force: bool) -> None:
    _require(names)
    heads = {name: repository.delete_branch(name, force=force) for name in names}
    session.console.report(
        [{"name": name, "head": head} for name, head in heads.items()],
        [f"Deleted branch {name} (was {head.short})" for name, head in heads.items()],
    )


def _delete_remote(session: Session, repository: Repository, names: Sequence[str]) -> None:
    _require(names)
    results = [repository.delete_remote_branch(name) for name in names]
    session.console.report(results, [line for each in results for line in push_lines(each)])


def _require(names: Sequence[str]) -> None:
    if not names:
        raise click.UsageError("name the branch to delete")
