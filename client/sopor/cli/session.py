"""What every command is given: where to write, whom to ask, and how to get at the working copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.cli.asking import Asking
from sopor.cli.console import Console
from sopor.errors import NotFound

if TYPE_CHECKING:
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

    def open(self) -> Repository:
        """Opens the working copy at or above the current folder; raises NotFound."""
        from sopor.repository import Repository

        return Repository.open(
            current_folder(), passwords=self.asking, progress=self.console.progress
        )


def current_folder() -> Path:
    """Returns the current folder; raises NotFound if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise NotFound("the current folder is gone", hint="go to another one") from None
