"""What scripts rely on: streams, colours, quiet, errors, pipes that close, Ctrl-C, secrets."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sopor.cli.asking import Asking
from sopor.cli.console import Console
from sopor.cli.entry import run
from sopor.cli.session import Session
from sopor.errors import InputNeeded
from sopor.keystore import PasswordRequest
from tests.support.terminal import SOPOR, Terminal, arguments

ESCAPE = "\x1b"


def test_results_on_stdout_all_else_on_stderr(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    answer = pets("sopor status")
    assert "hint:" not in answer.out
    assert answer.err.startswith("hint: ")
    quiet = pets("sopor -q status")
    assert (quiet.out, quiet.err) == (answer.out, "")
    quiet = pets("sopor commit -m 'List more' --quiet")
    assert (quiet.out, quiet.err) == ("", "")
    verbose = pets("sopor fsck -v")
    assert "checking pack 1" in verbose.err
    assert pets("sopor fsck").err == ""


def test_colours_where_they_are_wanted(pets: Terminal) -> None:
    assert ESCAPE not in pets("sopor log").out
    coloured = pets("sopor log --color always").out
    assert "\x1b[33m" in coloured
    assert ESCAPE not in pets("sopor --color never log --color never").out
    assert pets("sopor log --color=always", env={"NO_COLOR": "1"}).out == coloured
    on_terminal = pets.type_into("sopor log", [])
    assert "\x1b[33m" in on_terminal
    pets.environment["NO_COLOR"] = "1"
    assert ESCAPE not in pets.type_into("sopor log", [])
    pets.environment |= {"NO_COLOR": "", "TERM": "dumb"}
    assert ESCAPE not in pets.type_into("sopor log", [])


def test_foreign_text_does_not_command_the_terminal(pets: Terminal) -> None:
    evil = "\x1b[2J\x1b[31mred\x9b31m\u202eback\r"
    pets.replace("petstore.yaml", "name: List pets", f"name: {json.dumps(evil + chr(10) + 'b')}")
    pets(f"sopor commit -m '{evil}'")
    for command in ("status", "log", "log --full", "log --graph", "show", "diff HEAD~1", "branch"):
        for colour in ("never", "always"):
            shown = pets(f"sopor {command} --color {colour}").out
            assert "\x1b[2J" not in shown
            assert "\x1b[31mred" not in shown
            assert not set("\x9b\u202e\r") & set(shown)
    assert "\\x1b[2J" in pets("sopor log").out
    assert pets("sopor log --json").out.isascii()
    assert pets("sopor log --json").json[0]["message"].startswith(evil.rstrip("\r"))
    (change,) = pets("sopor diff HEAD~1 --stat").lines[:-1]
    assert "\\n" in change, "a name stays on its line"


def test_output_that_the_encoding_lacks(pets: Terminal) -> None:
    pets("sopor commit --allow-empty -m 'Füchse 🦊'")
    old = {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"}
    ran = subprocess.run(
        [SOPOR, "log", "-n1"],
        cwd=pets.folder,
        env={**pets.environment, **old},
        capture_output=True,
        check=True,
    )
    assert "Füchse \\U0001f98a".encode("latin-1") in ran.stdout


def test_an_error_is_a_message_a_hint_and_a_code(pets: Terminal) -> None:
    answer = pets("sopor switch nowhere", code=3)
    assert answer.out == ""
    assert answer.err == (
        "error: there is no branch 'nowhere'\n"
        "hint: see `sopor branch -a`, or create it with `sopor switch -c nowhere`\n"
    )
    assert pets("sopor switch nowhere --json", code=3).error == {
        "code": "not-found",
        "message": "there is no branch 'nowhere'",
        "hint": "see `sopor branch -a`, or create it with `sopor switch -c nowhere`",
        "exit_code": 3,
    }


def test_a_pipe_that_closes_early(pets: Terminal) -> None:
    pets("sopor commit --allow-empty -F -", stdin=f"Long\n\n{'line of text ' * 4 + chr(10)}" * 900)
    with pets.start("sopor log --full") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_disk_that_is_full(pets: Terminal) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [SOPOR, "log"],
            cwd=pets.folder,
            env=pets.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 12
    assert process.stderr == "error: the result was not written (No space left on device)\n"


def test_ctrl_c(pets: Terminal) -> None:
    os.mkfifo(pets.folder / "message")
    with pets.start("sopor commit --allow-empty -F message") as process:
        with (pets.folder / "message").open("w"):  # returns when the command reads
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
        assert process.stderr is not None
        assert process.stderr.read() == "error: interrupted\n"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every command fail with an error that holds a secret."""

    def fail(session: Session) -> None:
        secret = session.asking.first_password("ada")
        raise ZeroDivisionError(f"no division by {secret}")

    monkeypatch.setattr(Session, "open", fail)
    monkeypatch.setattr(sys, "stdin", io.StringIO("hunter2 hunter2\n"))


@pytest.mark.usefixtures("broken")
def test_an_error_that_nobody_knows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPOR_DEBUG", raising=False)
    assert run(["status", "--password-stdin"]) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError in tests.cli.test_scripting:" in shown
    assert "SOPOR_DEBUG=1" in shown
    assert "hunter2" not in shown
    assert "Traceback" not in shown


@pytest.mark.usefixtures("broken")
def test_its_traceback_for_who_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPOR_DEBUG", "1")
    assert run(["status", "--password-stdin"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "ZeroDivisionError: no division by [secret]" in shown
    assert "hunter2" not in shown


def test_a_known_error_has_a_traceback_for_who_asks(terminal: Terminal) -> None:
    assert "Traceback" not in terminal("sopor status", code=3).err
    assert "Traceback" in terminal("sopor status", code=3, env={"SOPOR_DEBUG": "1"}).err


def test_secrets_are_no_arguments() -> None:
    for word in ("--password", "--secret-key", "--recovery-key"):
        ran = subprocess.run(
            arguments(f"sopor login ada {word} x"), capture_output=True, text=True, check=False
        )
        assert ran.returncode == 2


class At:
    """Somebody to ask, for `Asking` alone."""

    def __init__(self, stdin: str = "", **environment: str) -> None:
        self.console = Console(io.StringIO(), io.StringIO(), {})
        self.asking = Asking(self.console, io.StringIO(stdin), environment)

    def password(self) -> str:
        return self.asking.password(PasswordRequest("ada", "https://sopor.example.com"))


def test_where_a_password_comes_from(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("secrets") / "password"
    path.write_bytes(b"  spaces count \r\n")
    assert At(SOPOR_PASSWORD_FILE=str(path)).password() == "  spaces count "
    at = At("from stdin\nthe next\n", SOPOR_PASSWORD_FILE=str(path))
    at.asking.from_stdin = True
    assert (at.password(), at.asking.new_password("ada")) == ("from stdin", "the next")
    assert at.asking.given == {"from stdin", "the next"}
    with pytest.raises(InputNeeded, match="stdin has no line"):
        at.password()
    with pytest.raises(InputNeeded, match="nobody can be asked") as caught:
        At().password()
    assert "--password-stdin" in str(caught.value.hint)
    with pytest.raises(InputNeeded) as caught:
        At().asking.secret_key("ada")
    assert "--password-stdin" not in str(caught.value.hint)


def test_password_files_that_are_none(terminal: Terminal) -> None:
    for name, data in (("empty", b"\n"), ("binary", b"\xff\xfe\n"), ("long", b"x" * 70_000)):
        (terminal.folder / name).write_bytes(data)
    command = "sopor register ada@example.com --server http://127.0.0.1:1"
    for name in ("empty", "binary", "long", "absent", "."):
        answer = terminal(command, env={"SOPOR_PASSWORD_FILE": name}, code=9)
        assert "SOPOR_PASSWORD_FILE" in answer.err
