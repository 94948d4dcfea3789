"""`sopor serve`."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from sopor.cli.declaring import command as declare
from sopor.cli.session import Session
from sopor.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEEDED = ("sopor_server", "functions_framework")
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ANNOUNCEMENT = "listening on "


@declare("serve", examples=["sopor serve", "sopor serve --port 8750 --data ~/sopor-data"])
@click.option("--host", metavar="ADDRESS", help="Where to listen; this machine only by default.")
@click.option("--port", type=click.IntRange(0, 65535), help="Which port; 0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the server's data.")
def command(session: Session, host: str | None, port: int | None, data: Path | None) -> None:
    """Runs a server on this machine, on SQLite and files, until Ctrl-C.

    Prints its address when it listens. Other machines need --host, and TLS in front of it.
    """
    check_installed()
    arguments = ["--host", host] if host is not None else []
    arguments += ["--port", str(port)] if port is not None else []
    arguments += ["--data", str(data)] if data is not None else []
    # -P keeps modules of the current folder from being taken for the server's.
    code = _run(session, [sys.executable, "-P", "-m", "sopor_server", *arguments])
    if code != 0:
        raise InvalidInput(f"the server ended with {code}", hint="see what it wrote")


def check_installed() -> None:
    """Raises NotFound if a package that the server needs is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise NotFound(
            f"the server is not installed (no {', '.join(missing)})",
            hint="install it with `pip install 'sopor[server]'`",
        )


def _run(session: Session, arguments: Sequence[str]) -> int:
    """Runs the server; signals to this process go to it as well. Returns its exit code."""
    running: list[subprocess.Popen[str]] = []
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        early.append(number)
        for server in running:
            server.send_signal(number)

    for signal_number in _FORWARDED:
        signal.signal(signal_number, forward)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        running.append(server)
        for number in early:
            server.send_signal(number)
        for line in server.stdout or ():
            _tell(session, line.rstrip("\n"))
        return server.wait()


def _tell(session: Session, line: str) -> None:
    if line.startswith(_ANNOUNCEMENT):
        url = line.removeprefix(_ANNOUNCEMENT)
        session.console.result({"url": url}, [line])
        session.console.out.flush()
    else:
        session.console.note(line)
