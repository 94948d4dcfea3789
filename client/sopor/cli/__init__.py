"""The `sopor` command: arguments, one call into the library, rendering.

    entry.py     runs a command and turns every error into a message and an exit code
    catalog.py   which commands there are; a command's module is imported when it is called
    commands/    one small file a command
    rendering/   results as lines of text
    session.py   what a command is given: console, secrets, the working copy

Nothing here decides anything about a project: what a command does is in `sopor.repository`. Modules
import the library inside functions, so that help and completion start fast.
"""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Runs the command line of this process and exits with its documented code."""
    try:
        from sopor.cli.entry import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
