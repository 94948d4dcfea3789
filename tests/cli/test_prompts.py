"""At a terminal: passwords are asked for and not shown, progress comes and goes."""

from __future__ import annotations

import io
import os
import pty

from sopor.cli.console import Console
from sopor.cli.progress import ProgressLine
from tests.support.server import RunningServer
from tests.support.terminal import Terminal

PASSWORD = "correct horse battery staple"


def test_a_password_is_asked_for_and_not_shown(terminal: Terminal, server: RunningServer) -> None:
    command = f"sopor register prompted@example.com --server {server.url}"
    shown = terminal.type_into(
        command, [("Password for prompted@example.com: ", PASSWORD), ("again: ", PASSWORD)]
    )
    assert "Registered prompted@example.com" in shown
    assert PASSWORD not in shown
    shown = terminal.type_into(
        "sopor devices", [("Password of prompted@example.com at http://127.0.0.1", PASSWORD)]
    )
    assert "last used" in shown
    terminal.type_into("sopor devices", [("Password of ", "a wrong one")], code=6)
    terminal.type_into("sopor devices", [("Password of ", "\x04")], code=13)
    terminal.type_into("sopor devices", [("Password of ", "\x03")], code=130)
    assert "nobody can be asked" in terminal.type_into("sopor devices --no-input", [], code=13)
    assert "nobody can be asked" in terminal("sopor devices", code=13).err


def test_two_passwords_that_differ(terminal: Terminal) -> None:
    command = "sopor register ada@example.com --server http://127.0.0.1:1"
    answers = [("Password for ada@example.com: ", PASSWORD), ("again: ", "another one")]
    assert "the two passwords differ" in terminal.type_into(command, answers, code=9)


def test_progress_comes_and_goes() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        line = ProgressLine(stream, delay=0)
        line.tell("reading\x1b[2J 1 of 2")
        seen = os.read(ours, 1024)
        assert seen == b"\r\x1b[Kreading\\x1b[2J 1 of 2"
        line.clear()
        assert os.read(ours, 1024) == b"\r\x1b[K"
        line.tell("reading 2 of 2")
        assert os.read(ours, 1024).endswith(b"reading 2 of 2")
        line.close()
        assert os.read(ours, 1024) == b"\r\x1b[K"
        line.tell("too late")
    os.close(ours)


def test_what_is_quick_shows_no_progress() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, delay=3600)
    line.tell("reading")
    line.close()
    assert stream.getvalue() == ""


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_for_people_at_terminals() -> None:
    for terminal, change, expected in (
        (Screen(), {}, True),
        (Screen(), {"json": True}, False),
        (Screen(), {"quiet": True}, False),
        (io.StringIO(), {}, False),
    ):
        console = Console(io.StringIO(), terminal, {})
        for name, value in change.items():
            setattr(console, name, value)
        console.progress("reading")
        assert (console._progress is not None) is expected
        console.close()
        assert terminal.getvalue() == ""
