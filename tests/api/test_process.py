"""The server as a process: starting, stopping, dying, what it writes down."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sopor_core.account import Action
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.support.server import running_server, start_server
from tests.support.story import Keys, Person, registration, send

LOGIN = b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MAIN = Path(__file__).parents[2] / "functions" / "main.py"


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `sopor-server` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sopor_server", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=60):
        assert requests.get(server.url + "/v1/health", timeout=60).status_code == 200
        assert server.stop() == 0


def test_it_stops_at_control_c(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    alice = Person.register(server.url)
    alice.new_project()
    os.killpg(server.process.pid, signal.SIGINT)
    assert server._ended() == 0


def test_a_request_under_way_is_finished(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        alice = Person.register(server.url)
        project = alice.new_project()
        pack = secrets.token_bytes(1_000_000)
        entry = project.entry(alice.keys, project.commit(), packs=[pack])
        half_sent, go_on = threading.Event(), threading.Event()
        answers = []

        def body() -> object:
            from sopor_core.wire.parts import Part, PartKind, join_parts

            whole = join_parts(
                [Part(PartKind.PUSH_ENTRY, entry.encoded), Part(PartKind.PACK, pack)]
            )
            yield whole[:500_000]
            half_sent.set()
            go_on.wait(60)
            yield whole[500_000:]

        def push() -> None:
            answers.append(
                alice.send(
                    Operation.PUSH,
                    {"project": project.id.b64},
                    data=body(),
                    headers={"Content-Type": "application/vnd.sopor.parts"},
                )
            )

        pusher = threading.Thread(target=push)
        pusher.start()
        assert half_sent.wait(60)
        server.process.send_signal(signal.SIGTERM)
        go_on.set()
        pusher.join()
        assert [answer.status_code for answer in answers] == [201]
        assert server.stop() == 0


def test_what_was_answered_survives_a_loss_of_power(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    alice = Person.register(server.url)
    project = alice.new_project()
    entries = [alice.push(project, packs=[secrets.token_bytes(99)]) for _ in range(3)]
    meta = send(server.url, Operation.META).json()["server"]
    server.kill()
    with running_server(server.data) as again:
        assert send(again.url, Operation.META).json()["server"] == meta
        back = Person(again.url, alice.keys, alice.session)
        assert back.pull(project, EMPTY_LOG).entries == entries
        back.push(project)
        back.login()


def test_a_killed_server_keeps_the_log_whole(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = start_server(data)
    alice = Person.register(server.url)
    project = alice.new_project()
    for round_ in range(3):
        alice = Person(server.url, alice.keys, alice.session)
        landed = threading.Event()

        def push_until_it_dies(person: Person = alice, landed: threading.Event = landed) -> None:
            while True:
                entry = project.entry(person.keys, project.commit(), packs=[b"pack"])
                try:
                    answer = person.push_entry(entry, [b"pack"])
                except requests.RequestException:
                    return
                assert answer.status_code == 201, answer.text
                project.took(entry)
                landed.set()

        pusher = threading.Thread(target=push_until_it_dies)
        pusher.start()
        assert landed.wait(60)
        server.kill()
        pusher.join()
        server = start_server(data)
        alice = Person(server.url, alice.keys, alice.session)
        # The last push may have landed although its answer was lost.
        lacking = alice.ask_pull(project, project.head, members=2)
        assert lacking.status_code in (200, 204), lacking.text
        if lacking.status_code == 200:
            (entry,) = alice.pull(project, project.head, members=2).entries
            project.took(entry)
        assert len(alice.pull(project, EMPTY_LOG).entries) == project.head.seq > round_
    assert server.stop() == 0


def test_a_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        assert server.data.stat().st_mode & 0o777 == 0o700
        assert (server.data / "server.json").stat().st_mode & 0o777 == 0o600


def test_a_bad_start_is_told_and_ends_with_2(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    for arguments, settings, expected in (
        (("--data", data), {"SOPOR_LOG": "loud", "SOPOR_THREADS": "0"}, "SOPOR_LOG"),
        (("--data", data, "--port", "99999"), {}, "port 99999"),
        (("--data", "/dev/null/data"), {}, "/dev/null"),
    ):
        ended = run(*arguments, **settings)
        assert ended.returncode == 2, ended
        assert expected in ended.stderr
        assert ended.stdout == ""
        assert "Traceback" not in ended.stderr


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--data", str(tmp_path / "data"), "--port", str(port))
    assert ended.returncode == 2
    assert f"port {port}" in ended.stderr
    assert "--port" in ended.stderr


def test_a_newer_store_is_not_touched(tmp_path: Path) -> None:
    import sqlite3

    data = tmp_path / "data"
    assert start_server(data).stop() == 0
    connection = sqlite3.connect(data / "metadata.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    ended = run("--data", str(data))
    assert ended.returncode == 2
    assert "schema version 99" in ended.stderr


def test_the_log_tells_no_secrets(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        keys = Keys("canary.login@example.com")
        device = {"id": secrets.token_urlsafe(16), "name": "canary device"}
        answer = send(server.url, Operation.ACCOUNT_CREATE, json=registration(keys, device=device))
        alice = Person(server.url, keys, answer.json())
        again = alice.login(Action.RECOVER)
        project = alice.new_project()
        pack = b"canary pack" * 10
        entry = alice.push(project, packs=[pack])
        problem(alice.send(Operation.BRANCHES, {"project": "canary"}), 404, "not-found")
        problem(alice.send(Operation.META, params={"canary": "1"}), 400, "malformed")
        again.send(Operation.DEVICE_REVOKE, {"device": again.device.b64})
        log = server.log.read_text(encoding="utf-8")
        secret = (server.data / "server.json").read_text()
    assert log.count('"message":"request"') >= 8
    assert '"route":"/v1/projects/{project}/push"' in log
    assert keys.account.hex() in log
    for canary in (
        "canary",
        alice.session["access_token"],
        alice.session["refresh_token"],
        again.session["access_token"],
        project.id.b64,
        project.id.hex(),
        entry.hash.b64,
        device["id"],
        secret.split('"')[-2],
    ):
        assert canary not in log


def test_functions_framework_serves_the_same(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = Path(sys.executable).with_name("functions-framework")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [str(command), "--source", str(MAIN), "--target", "api", "--host", "127.0.0.1",
             "--port", str(port)],
            env={**os.environ, "SOPOR_DATA": str(tmp_path / "data")},
            stdout=log,
            stderr=log,
            cwd=tmp_path,
            start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None, (tmp_path / "log").read_text()
            try:
                requests.get(url + "/v1/health", timeout=60)
                break
            except requests.ConnectionError:
                continue
        alice = Person.register(url)
        project = alice.new_project()
        entry = alice.push(project, packs=[b"pack"])
        assert alice.login().pull(project, EMPTY_LOG).entries == [entry]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def slow_server(tmp_path: Path, **seconds: float) -> tuple[subprocess.Popen[str], str]:
    """Starts a server that waits less long than it usually does."""
    changes = "; ".join(f"worker.{name} = {value}" for name, value in seconds.items())
    program = f"from sopor_server import __main__, worker; {changes}; __main__.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--port", "0", "--data", str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().removeprefix("listening on ").strip()


@pytest.mark.parametrize(
    ("name", "begun"),
    [
        ("HEADER_SECONDS", b"GET /v1/meta HTTP/1.1\r\nHos"),
        (
            "BODY_SECONDS",
            LOGIN + b"Content-Length: 100\r\n\r\n{",
        ),
        (
            "BODY_SECONDS",
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        ),
    ],
)
def test_who_dribbles_is_cut_off(tmp_path: Path, name: str, begun: bytes) -> None:
    process, url = slow_server(tmp_path, **{name: 0.5})
    try:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port or 0), timeout=60) as slow:
            slow.sendall(begun)
            while slow.recv(1000):
                continue
        assert requests.get(url + "/v1/health", timeout=60).status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_many_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", SOPOR_THREADS="2") as server:
        address = urlsplit(server.url)
        idle = [
            socket.create_connection((address.hostname, address.port or 0), timeout=60)
            for _ in range(20)
        ]
        assert requests.get(server.url + "/v1/health", timeout=60).status_code == 200
        for connection in idle:
            connection.close()
