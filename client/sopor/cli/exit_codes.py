"""The exit codes of `sopor`, as one table: for the help, for the README, and for its tests.

`sopor.errors.exit_code` maps errors to these codes; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SUCCESS = 0
UNEXPECTED = 1
USAGE = 2
STORAGE = 12
INTERRUPTED = 130
BROKEN_PIPE = 141


class ExitCode(NamedTuple):
    """One exit code: what happened, and what helps."""

    code: int
    meaning: str
    remedy: str


TABLE: tuple[ExitCode, ...] = (
    ExitCode(SUCCESS, "done", ""),
    ExitCode(
        UNEXPECTED,
        "an error that sopor does not know; of `sopor doctor`: something is wrong",
        "run `sopor bug-report`, and report it",
    ),
    ExitCode(USAGE, "the arguments are not understood", "see the command's --help"),
    ExitCode(3, "no such commit, branch, document, project or working copy", "check the name"),
    ExitCode(
        4,
        "uncommitted changes, conflicts, or an unfinished merge are in the way",
        "commit, resolve, or give up what is under way",
    ),
    ExitCode(5, "the branch moved on the server since the last pull", "pull, then push again"),
    ExitCode(6, "not logged in: no account, wrong password or key, or expired", "log in"),
    ExitCode(7, "the server refused: role, limit of the plan, or another reason", "read why"),
    ExitCode(8, "the server does not answer, failed, or is busy", "try again later"),
    ExitCode(9, "a file, a document, a name or a value is not acceptable", "correct it"),
    ExitCode(10, "something received or stored does not verify", "do not trust that server"),
    ExitCode(
        11,
        "the server shows an older or another history than before",
        "do not trust that server; compare with another device",
    ),
    ExitCode(STORAGE, "the disk is full, or .sopor or the keystore is damaged", "see the message"),
    ExitCode(13, "a secret or a decision is needed, and nobody may be asked", "give it in a file"),
    ExitCode(INTERRUPTED, "interrupted by Ctrl-C", ""),
    ExitCode(BROKEN_PIPE, "whoever read the output closed it", ""),
)


def text_table() -> Iterator[str]:
    """Yields the table as lines for a terminal."""
    for row in TABLE:
        yield f"{row.code:>4}  {row.meaning}" + (f": {row.remedy}" if row.remedy else "")


def markdown_table() -> Iterator[str]:
    """Yields the table as lines of Markdown."""
    yield "| exit code | meaning | what helps |"
    yield "|---|---|---|"
    for row in TABLE:
        yield f"| {row.code} | {row.meaning} | {row.remedy} |"
