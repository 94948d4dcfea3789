"""Lets a person write a text in the editor of their choice."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.errors import InputNeeded, InvalidInput

if TYPE_CHECKING:
    from sopor.cli.session import Session
    from sopor.repository import Repository

_FALLBACKS = ("nano", "vi")
COMMENT = "#"


def find_editor(session: Session, repository: Repository) -> str | None:
    """Returns the editor's command: the setting, else ``$VISUAL``, ``$EDITOR``, nano or vi.

    None if nobody may be asked, or if none is named and nobody sits at a terminal.
    """
    if not session.asking.allowed:
        return None
    named = repository.config_get("editor") or os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named or not session.asking.possible:
        return named or None
    return next((name for name in _FALLBACKS if shutil.which(name)), None)


@contextmanager
def edited(session: Session, repository: Repository, name: str, text: str) -> Iterator[str]:
    """Yields a text as the person left it; what they wrote is kept if the block fails.

    Args:
        session: the run of the command.
        repository: the working copy, whose ``.sopor`` holds the file meanwhile.
        name: the file's name; its ending tells the editor what it is.
        text: what the editor shows at first.

    Raises:
        InputNeeded: there is no editor to use.
        InvalidInput: the editor failed, or left something that is not text.
    """
    from sopor.disk import disk_errors

    editor = find_editor(session, repository)
    if editor is None:
        raise InputNeeded(
            "an editor is needed, and none may be started",
            hint="give the text with an option, or name an editor in $EDITOR",
        )
    path = repository.context.store.folder / name
    with disk_errors(path):
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    session.console.clear_progress()
    try:
        _run(editor, path)
    except InvalidInput:
        path.unlink(missing_ok=True)
        raise
    try:
        left = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"the editor left no text in {path}", hint="run it again") from None
    yield left
    path.unlink(missing_ok=True)


def _run(editor: str, path: Path) -> None:
    try:
        arguments = [*shlex.split(editor), str(path)]
        # Ctrl-C in an editor is the editor's. A handler, unlike SIG_IGN, is not inherited.
        before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
        try:
            code = subprocess.run(arguments, stdout=sys.stderr, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(
            f"the editor {editor!r} does not start ({reason})", hint="correct $EDITOR"
        ) from None
    if code != 0:
        raise InvalidInput(
            f"the editor {editor!r} failed with {code}", hint="nothing was changed; run it again"
        )


def without_comments(text: str) -> str:
    """Returns a text without the lines that begin with ``#``, and trimmed as git does it."""
    lines = [line.rstrip() for line in text.split("\n") if not line.startswith(COMMENT)]
    return "\n".join(lines).strip("\n")
