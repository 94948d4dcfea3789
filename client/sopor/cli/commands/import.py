"""`sopor import`."""  # noqa: N999 (the catalog's name)

from __future__ import annotations

from pathlib import Path

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.conversions import import_lines
from sopor.cli.session import Session, current_folder


@declare(
    "import",
    examples=[
        "sopor import Insomnia_2024-05-01.json",
        "sopor import petstore.postman_collection.json --into pets",
        "sopor import openapi.yaml --as v4",
        "sopor import ~/.config/Insomnia",
    ],
)
@click.argument(
    "given",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(path_type=Path),
    shell_complete=completing.files,
)
@click.option(
    "--as",
    "target",
    type=click.Choice(["v5", "v4", "tree"]),
    default="v5",
    show_default=True,
    help="The format to write.",
)
@click.option(
    "--into",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    shell_complete=completing.folders,
    help="Where to write; by default the current folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace files with other contents.")
def command(
    session: Session, given: tuple[Path, ...], target: str, folder: Path | None, overwrite: bool
) -> None:
    """Brings in files of Insomnia, Postman and OpenAPI, as files of one format.

    Exports (v4, v5), .insomnia folders and the data folder of Insomnia; Postman collections (2.0,
    2.1) and environments; OpenAPI 3 and Swagger 2 descriptions.

    Ids stay as they are; those of other tools' files depend on the file alone, so that the same
    import twice gives the same. What has no place in Insomnia is listed, and kept. Nothing is
    committed: that is for `sopor commit`.
    """
    from sopor.formats.converting import Target
    from sopor.repository.importing import import_files

    session.console.progress("reading")
    result = import_files(given, folder or current_folder(), Target(target), overwrite=overwrite)
    session.console.report(result, import_lines(result))
    for note in result.notes:
        session.console.warn(note)
