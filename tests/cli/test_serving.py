"""`sopor serve`: the address, signals, and what happens where the server is not installed."""

from __future__ import annotations

import json
import re
import signal

import pytest
import requests

from sopor.cli.commands import serve
from sopor.errors import NotFound
from tests.support.terminal import Terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_until_a_signal(terminal: Terminal, number: signal.Signals) -> None:
    with terminal.start("sopor serve --port 0 --data data") as process:
        assert process.stdout is not None
        match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
        assert match
        assert requests.get(f"{match[1]}/v1/health", timeout=30).status_code == 200
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{match[1]}/v1/health", timeout=30)
    assert (terminal.folder / "data").is_dir()


def test_the_address_for_a_program(terminal: Terminal) -> None:
    with terminal.start("sopor serve --json --port 0 --data data") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        url = json.loads("".join(lines))["url"]
        assert requests.get(f"{url}/v1/meta", timeout=30).status_code == 200
        process.terminate()
        assert process.wait(timeout=60) == 0


def test_a_server_that_does_not_start(terminal: Terminal) -> None:
    terminal.write("data", "in the way")
    answer = terminal("sopor serve --port 0 --data data", code=9)
    assert "error: the server ended with " in answer.err
    assert answer.out == ""
    terminal("sopor serve --port 99999", code=2)


def test_modules_of_the_folder_are_not_the_servers(terminal: Terminal) -> None:
    terminal.write("sopor_server/__init__.py", "raise SystemExit('taken over')")
    with terminal.start("sopor serve --port 0 --data data") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on ")
        process.terminate()
        assert process.wait(timeout=60) == 0


def test_a_server_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    serve.check_installed()
    monkeypatch.setattr(serve, "_NEEDED", ("sopor_server", "no_such_framework"))
    with pytest.raises(NotFound, match="no no_such_framework") as caught:
        serve.check_installed()
    assert caught.value.hint == "install it with `pip install 'sopor[server]'`"
