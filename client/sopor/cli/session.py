"""What every command is given: where to write, whom to ask, and how to get at the working copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sopor.cli.asking import Asking
from sopor.cli.console import Console
from sopor.errors import NotFound
from sopor.records import dataclass

if TYPE_CHECKING:
    from sopor.keystore.passwords import PasswordSource
    from sopor.repository import Repository


@dataclass(frozen=True)
class Session:
    """One run of the command."""

    console: Console
    asking: Asking

    @classmethod
    def of_process(cls) -> Session:
        """Returns the session of this process's streams and environment."""
        console = Console()
        return cls(console, Asking(console))

    def open(self, passwords: PasswordSource | None = None) -> Repository:
        """Opens the working copy at or above the current folder; raises NotFound.

        Args:
            passwords: who is asked for passwords, if not the person.
        """
        from sopor.repository import Repository

        return Repository.open(
            current_folder(),
            passwords=passwords or self.asking,
            progress=self.console.progress,
        )


def current_folder() -> Path:
    """Returns the current folder; raises NotFound if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise NotFound("the current folder is gone", hint="go to another one") from None
