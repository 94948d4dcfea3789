"""A terminal in which a test types `sopor` commands: real processes, private home and keystore.

    terminal = Terminal.create(tmp_path)
    terminal("sopor init")
    answer = terminal("sopor status", code=0)
    assert "No commits yet" in answer.out

Without a terminal behind them commands never ask; `type_into` gives them one.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shlex
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOPOR = str(Path(sys.executable).with_name("sopor"))
_KEPT = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "LANG", "PATH", "TMPDIR")
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What a command wrote, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        """The result of a command with ``--json``."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error of a command with ``--json``; nothing else is on stderr."""
        (line,) = self.err.splitlines()
        error: dict[str, Any] = json.loads(line)["error"]
        return error

    @property
    def lines(self) -> list[str]:
        """The lines of the result, without spaces at both ends."""
        return [line.strip() for line in self.out.splitlines()]


@dataclass
class Terminal:
    """A folder to work in, and an environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, root: Path, folder: str = "work") -> Terminal:
        """Returns a terminal in a new folder below ``root``; home and keystore are there as well.

        Byte code is written as it is for people: without, each command compiles the sources again.
        """
        work = root / folder
        work.mkdir(parents=True)
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {
            "HOME": str(root),
            "SOPOR_HOME": str(root / "keystore"),
            "TERM": "xterm",
            "TZ": "UTC",
        }
        return cls(work, environment)

    def at(self, folder: str) -> Terminal:
        """Returns this terminal in another folder, relative to the present one."""
        return Terminal(self.folder / folder, self.environment)

    def __call__(
        self,
        command: str,
        *,
        code: int = 0,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        """Runs a command line, which must end with ``code``."""
        ran = subprocess.run(
            arguments(command),
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            input=stdin if stdin is not None else "",
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT_SECONDS,
            start_new_session=True,
            check=False,
        )
        said = f"$ {command}\n{ran.stdout}{ran.stderr}"
        assert ran.returncode == code, f"exit code {ran.returncode}, not {code}:\n{said}"
        assert "Traceback" not in ran.stderr or "SOPOR_DEBUG" in (env or {}), said
        return Answer(ran.stdout, ran.stderr, ran.returncode)

    def start(self, command: str, **options: Any) -> subprocess.Popen[str]:
        """Starts a command line and returns its process."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(
            arguments(command),
            cwd=self.folder,
            env=self.environment,
            encoding="utf-8",
            start_new_session=True,
            **options,
        )

    def type_into(self, command: str, answers: Sequence[tuple[str, str]], code: int = 0) -> str:
        """Runs a command line at a terminal of its own.

        Args:
            command: the command line.
            answers: which prompts to wait for, and what to type then.
            code: the exit code that it must end with.

        Returns:
            everything that appeared on the terminal.
        """
        ours, theirs = pty.openpty()
        process = self.start(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        try:
            shown = b""
            for prompt, typed in answers:
                shown = _read_until(ours, shown, prompt)
                os.write(ours, typed.encode() + b"\n")
            shown = _read_until(ours, shown, None)
            ended = process.wait(timeout=_TIMEOUT_SECONDS)
        finally:
            os.close(ours)
            process.kill()
        text = shown.decode()
        assert ended == code, f"exit code {ended}, not {code}:\n{text}"
        return text

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        """Reads a file of the folder."""
        return (self.folder / name).read_text(encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Edits a file of the folder, as a person would."""
        text = self.read(name)
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new))


def arguments(command: str) -> list[str]:
    """Returns the words of a command line."""
    program, *words = shlex.split(command)
    return [SOPOR if program == "sopor" else program, *words]


def _read_until(terminal: int, shown: bytes, prompt: str | None) -> bytes:
    """Reads what appears until a prompt does, or without one to the end."""
    start = len(shown)
    while prompt is None or prompt.encode() not in shown[start:]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux's way to say that nobody is at the other end
            data = b""
        if not data:
            assert prompt is None, f"no prompt {prompt!r} in:\n{shown.decode()}"
            break
        shown += data
    return shown
