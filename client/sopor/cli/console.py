"""Where a command writes: its one result to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

from sopor.cli.paint import finish, paint

if TYPE_CHECKING:
    from sopor.cli.progress import ProgressLine


class Console:
    """Writes for a person, or with ``json`` for a program.

    Attributes:
        json: whether results are JSON and errors JSON lines; then nothing else is written.
        quiet: whether notes, and the results of commands that change something, are left out.
        verbose: whether each step is told on a line of its own.
        colour: ``auto``, ``always`` or ``never``.
    """

    def __init__(
        self,
        out: TextIO | None = None,
        err: TextIO | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Takes the streams and the environment, by default those of the process."""
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.json = False
        self.quiet = False
        self.verbose = False
        self.colour = "auto"
        self._plain = bool(environment.get("NO_COLOR"))
        self._dumb = environment.get("TERM") == "dumb"
        self._progress: ProgressLine | None = None

    def colours(self, stream: TextIO) -> bool:
        """Tells whether a stream gets colours: asked for, or a terminal that nobody forbade."""
        if self.colour != "auto":
            return self.colour == "always"
        return not self._plain and not self._dumb and stream.isatty()

    def result(self, value: object, lines: Iterable[str]) -> None:
        """Writes what was asked for: the JSON form of ``value``, or the lines."""
        if self.json:
            self.write_json(value)
        else:
            self.write_lines(lines)

    def report(self, value: object, lines: Iterable[str]) -> None:
        """Writes what a command did; with ``quiet`` only for a program."""
        if self.json or not self.quiet:
            self.result(value, lines)

    def write_json(self, value: object) -> None:
        """Writes a value to stdout as one JSON document, in ASCII."""
        self.clear_progress()
        self.out.write(json.dumps(value, indent=2, default=_json_form) + "\n")

    def write_text(self, text: str) -> None:
        """Writes a text to stdout as it is."""
        self.clear_progress()
        self.out.write(text)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Writes lines to stdout."""
        colour = self.colours(self.out)
        for line in lines:
            self.clear_progress()
            self.out.write(finish(line, colour=colour) + "\n")

    def note(self, text: str) -> None:
        """Tells a person something beside the result."""
        if not self.json and not self.quiet:
            self._tell(text)

    def hint(self, text: str) -> None:
        """Tells a person what may come next."""
        self.note(paint("hint", "hint:") + f" {text}")

    def warn(self, text: str) -> None:
        """Warns a person, also a quiet one."""
        if not self.json:
            self._tell(paint("warning", "warning:") + f" {text}")

    def fail(self, code: str, message: str, hint: str | None, exit_code: int) -> None:
        """Writes an error."""
        if self.json:
            error = {"code": code, "message": message, "hint": hint, "exit_code": exit_code}
            self.clear_progress()
            self.err.write(json.dumps({"error": error}) + "\n")
            return
        self._tell(paint("error", "error:") + f" {message}")
        if hint:
            self._tell(paint("hint", "hint:") + f" {hint}")

    def tell_all(self, text: str) -> None:
        """Writes a text to stderr whatever was asked for, such as a traceback."""
        self._tell(text)

    def _tell(self, text: str) -> None:
        self.clear_progress()
        self.err.write(finish(text, colour=self.colours(self.err)) + "\n")

    def progress(self, text: str) -> None:
        """Is told what goes on; shows it after a second on a terminal, or at once if verbose."""
        if self.json or self.quiet:
            return
        if self.verbose:
            self._tell(paint("dim", text))
        elif self.err.isatty() and not self._dumb:
            if self._progress is None:
                from sopor.cli.progress import ProgressLine

                self._progress = ProgressLine(self.err)
            self._progress.tell(text)

    def clear_progress(self) -> None:
        """Makes room for other output, or for a question."""
        if self._progress is not None:
            self._progress.clear()

    def close(self) -> None:
        """Ends the line of progress and writes out what is left; raises OSError."""
        if self._progress is not None:
            self._progress.close()
        self.out.flush()
        self.err.flush()


def _json_form(value: object) -> object:
    own = getattr(value, "to_json", None)
    if own is not None:
        return own()
    from sopor.repository.results import to_json

    return to_json(value)
