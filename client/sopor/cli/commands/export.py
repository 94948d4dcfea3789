"""`sopor export`."""

from __future__ import annotations

from pathlib import Path

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.conversions import export_lines
from sopor.cli.session import Session

_STDOUT = "-"


@declare(
    "export",
    examples=[
        "sopor export -o ../insomnia.json",
        "sopor export --format v5 --branch main -o ../copy",
        "sopor export --format json --commit HEAD~3 -o - | jq length",
    ],
)
@click.option(
    "--format",
    "target",
    type=click.Choice(["v4", "v5", "tree", "json"]),
    default="v4",
    show_default=True,
    help="v4 and v5 are Insomnia's, tree is an .insomnia folder, json a list of all documents.",
)
@click.option(
    "--branch",
    metavar="NAME",
    help="The newest commit of a branch.",
    shell_complete=completing.branches,
)
@click.option(
    "--commit", "revision", metavar="REVISION", help="Another commit than the present one."
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    default=_STDOUT,
    shell_complete=completing.files,
    help="A folder, a file, or - for stdout, which is the default.",
)
@click.option("--overwrite", is_flag=True, help="Replace files with other contents.")
def command(
    session: Session,
    target: str,
    branch: str | None,
    revision: str | None,
    output: str,
    overwrite: bool,
) -> None:
    """Writes the documents of a commit as files of Insomnia's, or as plain JSON.

    Ids stay as they are. Private environments and cookie jars are in no commit, and so in no
    export. What a format has no place for is carried in it all the same, and listed.
    """
    if branch and revision:
        raise click.UsageError("either --branch or --commit")
    to_stdout = output == _STDOUT
    if to_stdout and session.console.json:
        raise click.UsageError("stdout is for the result: name a place with -o")
    from sopor.errors import InvalidInput
    from sopor.formats.converting import Target

    with session.open() as repository:
        place = None if to_stdout else Path(output)
        result = repository.export(Target(target), branch or revision, place, overwrite=overwrite)
    if to_stdout:
        if len(result.contents) != 1:
            raise InvalidInput(
                f"the export has {len(result.contents)} files", hint="name a folder with -o"
            )
        (data,) = result.contents.values()
        session.console.write_text(data.decode())
    else:
        session.console.report(result, export_lines(result))
    for note in result.notes:
        session.console.warn(note)
