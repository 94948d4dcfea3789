"""`sopor resolve`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sopor.cli.declaring import command as declare
from sopor.cli.editor import edited, without_comments
from sopor.cli.rendering.conflicts import conflict_lines, merge_lines, version_lines
from sopor.cli.session import Session
from sopor.cli.words import all_or_some, documents
from sopor.errors import InvalidInput, StateConflict

if TYPE_CHECKING:
    from sopor.model.document import Document, Json
    from sopor.repository import Repository
    from sopor.repository.resolving import Versions
    from sopor.repository.results import ConflictInfo

_EDIT = "edit"


@declare(
    "resolve",
    examples=[
        "sopor resolve",
        "sopor resolve 'List pets'",
        "sopor resolve 'List pets' --theirs",
        "sopor resolve 'List pets' --ours --field 'parameters[limit].value'",
        "sopor resolve --all --theirs",
        "sopor resolve 'List pets' --both --field description",
        "sopor resolve 'List pets' --edit",
    ],
)
@click.argument("words", nargs=-1, metavar="[DOCUMENT]...")
@click.option("--ours", "choice", flag_value="ours", help="Take the current branch's version.")
@click.option("--theirs", "choice", flag_value="theirs", help="Take what is merged in.")
@click.option("--base", "choice", flag_value="base", help="Take what was before both.")
@click.option("--both", "choice", flag_value="both", help="Take what both have, ours first.")
@click.option("--file", "choice", flag_value="file", help="Take what the working file holds now.")
@click.option(
    "--edit", "choice", flag_value=_EDIT, help="Write the document, or the field, in the editor."
)
@click.option("--field", metavar="PATH", help="Settle this place of the document only.")
@click.option("--all", "everything", is_flag=True, help="Settle all that are left.")
def command(
    session: Session,
    words: tuple[str, ...],
    choice: str | None,
    field: str | None,
    everything: bool,
) -> None:
    """Looks at the conflicts of a merge, and settles them.

    Without a choice: lists the conflicts, or shows those of the named documents. With one:
    settles what is in conflict; the rest of a document stays merged. Then commit.
    """
    _check(words, choice, field, everything=everything)
    with session.open() as repository:
        named = all_or_some(documents(repository, words))
        if choice is None:
            _look(session, repository, named)
            return
        if choice == _EDIT:
            conflicts = _edit(session, repository, named[0], field)
        else:
            conflicts = repository.resolve(named, choice, field)
    session.console.report(conflicts, conflict_lines(conflicts))
    if all(conflict.resolved for conflict in conflicts):
        session.console.hint("`sopor commit` finishes the merge")


def _check(
    words: Sequence[str], choice: str | None, field: str | None, *, everything: bool
) -> None:
    if choice is None:
        if field or everything:
            raise click.UsageError(
                "say how to settle it: --ours, --theirs, --both, --base, --file, --edit"
            )
    elif not words and not everything:
        raise click.UsageError("name the documents to settle, or give --all")
    elif words and everything:
        raise click.UsageError("--all settles all documents, and takes no names")
    elif (field or choice == _EDIT) and len(words) != 1:
        raise click.UsageError("--field and --edit settle one document")
    elif field and choice == "file":
        raise click.UsageError("--field goes with --ours, --theirs, --both, --base or --edit")


def _look(session: Session, repository: Repository, named: Sequence[str]) -> None:
    merge = repository.merge_status()
    if merge is None:
        raise StateConflict("no merge is under way", hint="start one with `sopor merge`")
    if not named:
        session.console.result(merge, merge_lines(merge))
        return
    shown = [repository.conflict_versions(name) for name in named]
    pairs = [(_info(merge.conflicts, versions), versions) for versions in shown]
    session.console.result(
        [{"conflict": conflict, **_bodies(versions)} for conflict, versions in pairs],
        [line for pair in pairs for line in version_lines(*pair)],
    )


def _info(conflicts: Sequence[ConflictInfo], versions: Versions) -> ConflictInfo:
    known = [version.id for version in (versions.ours, versions.theirs, versions.base) if version]
    return next(conflict for conflict in conflicts if conflict.id in known)


def _bodies(versions: Versions) -> dict[str, Json]:
    documents = {side: getattr(versions, side) for side in ("base", "ours", "theirs", "merged")}
    return {side: document.body if document else None for side, document in documents.items()}


def _edit(
    session: Session, repository: Repository, name: str, field: str | None
) -> tuple[ConflictInfo, ...]:
    merge = repository.merge_status()
    versions = repository.conflict_versions(name)
    if merge is None:
        raise StateConflict("no merge is under way", hint="start one with `sopor merge`")
    conflict = _info(merge.conflicts, versions)
    start = versions.merged or versions.theirs or versions.ours
    body: Json = start.body if start else None
    header = _header(conflict)
    if field is not None:
        body = _value_at(start, field)
        header = f"# Write the value of {field} as it shall be, as JSON.\n"
    text = json.dumps(body, ensure_ascii=False, indent=2)
    with edited(session, repository, "RESOLVE.json", f"{header}{text}\n") as left:
        return repository.resolve_with(name, _parsed(without_comments(left)), field)


def _value_at(document: Document | None, field: str) -> Json:
    from sopor.merge.algebra import Absent
    from sopor.merge.paths import parse_path, value_at

    value = value_at(document.body, parse_path(field)) if document else None
    return None if isinstance(value, Absent) else value


def _header(conflict: ConflictInfo) -> str:
    places = "".join(f"#   {field or 'the whole document'}\n" for field in conflict.fields)
    return f"# Write the document as it shall be. In conflict are:\n{places}"


def _parsed(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError as error:
        raise InvalidInput(
            f"the edited document is not JSON: {error}", hint="edit it again"
        ) from None
    return value
