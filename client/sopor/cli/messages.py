"""Messages of commits: from options, a file, stdin, or an editor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sopor.cli.editor import COMMENT, edited, find_editor, without_comments
from sopor.cli.paint import finish
from sopor.cli.rendering.state import status_lines
from sopor.errors import InputNeeded, InvalidInput, StateConflict

if TYPE_CHECKING:
    from sopor.cli.session import Session
    from sopor.repository import Repository
    from sopor.repository.results import Status

_HELP = """\
# Write what this commit is about above. Lines that begin with # are left out,
# and an empty message stops the commit.
#
"""


def message_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds ``-m`` and ``-F``."""
    for option in (
        click.option(
            "-F",
            "--file",
            type=click.Path(path_type=Path, allow_dash=True),
            help="Take the message from a file; - is stdin.",
        ),
        click.option("-m", "--message", multiple=True, help="The message; again for a paragraph."),
    ):
        function = option(function)
    return function


def joined(message: Sequence[str]) -> str | None:
    """Returns the paragraphs of ``-m`` as one message, or None without any."""
    return _checked("\n\n".join(message)) if message else None


def given_message(session: Session, message: Sequence[str], file: Path | None) -> str | None:
    """Returns the message that options give, or None; raises UsageError or InvalidInput."""
    if file is None:
        return joined(message)
    if message:
        raise click.UsageError("-m and -F exclude each other")
    return _checked(_read(session, file))


def _read(session: Session, file: Path) -> str:
    if str(file) == "-":
        if session.asking.from_stdin:
            raise click.UsageError("-F - and --password-stdin both read stdin")
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{file} does not read ({error.strerror})", hint="correct -F") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not UTF-8 text", hint="correct -F") from None


def _checked(text: str) -> str:
    message = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    if not message:
        raise InvalidInput("the message is empty", hint="say with -m what the commit is about")
    return message


@contextmanager
def written_message(
    session: Session, repository: Repository, *, allow_empty: bool
) -> Iterator[str]:
    """Yields the message that a person writes in the editor; a merge has one to begin with.

    Raises:
        StateConflict: there is nothing to commit, or conflicts are left.
        InputNeeded: there is no editor, or none may be started.
        InvalidInput: the message is empty.
    """
    from sopor.repository.merge_state import read_merge

    merge = read_merge(repository.context.store)
    status = repository.status()
    _check_committable(status, allow_empty=allow_empty)
    proposed = merge.message if merge else ""
    if find_editor(session, repository) is None:
        if not proposed:
            raise InputNeeded(
                "the commit needs a message, and there is no editor to ask for it",
                hint="give it with -m or -F",
            )
        yield proposed
        return
    text = f"{proposed}\n\n{_HELP}{_as_comments(status)}"
    with edited(session, repository, "COMMIT_MESSAGE", text) as left:
        yield _checked(without_comments(left))


def _check_committable(status: Status, *, allow_empty: bool) -> None:
    if status.clean and not allow_empty:
        raise StateConflict("nothing to commit: the working files equal the last commit")
    if status.merge and not all(conflict.resolved for conflict in status.merge.conflicts):
        raise StateConflict(
            "documents are still in conflict",
            hint="see `sopor resolve`; or give the merge up with `sopor merge --abort`",
        )


def _as_comments(status: Status) -> str:
    lines = [finish(line, colour=False) for line in status_lines(status)]
    return "".join(f"{COMMENT} {line}".rstrip() + "\n" for line in lines)
