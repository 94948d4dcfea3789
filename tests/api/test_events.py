"""Events over HTTP: polls of both functions, and streams."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sopor_core.encoding import b64decode
from sopor_core.ids import ProjectId
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.events import LAST_EVENT_ID, STREAM_TYPE
from sopor_core.wire.models import Events, Meta
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.support.emulators import unused_port
from tests.support.server import RunningServer, running_server, start_server
from tests.support.story import Person, Project, Pulled, send
from tests.support.streaming import READY, Event, parse

MAIN = Path(__file__).parents[2] / "functions" / "main.py"


def poll(who: Person, after: str = "", *projects: Project, **headers: str) -> Events:
    """Polls, which must be answered."""
    answer = who.send(Operation.EVENTS, params=query(after, *projects), headers=headers)
    assert answer.status_code == 200, answer.text
    return Events.model_validate(answer.json())


def query(after: str, *projects: Project) -> dict[str, str]:
    named = {"projects": ",".join(project.id.b64 for project in projects)} if projects else {}
    return named | ({"after": after} if after else {})


class TestPoll:
    def test_it_brings_what_a_pull_would(self, alice: Person) -> None:
        project = alice.new_project()
        begun = poll(alice, "", project)
        assert begun.cursor == f"{project.id.b64}.0.2"
        assert (begun.events, begun.more, begun.wait) == ([], False, 5)
        entry = alice.push(project, packs=[b"a pack"])
        told = poll(alice, begun.cursor, project)
        (event,) = told.events
        assert (event.event, event.project) == ("news", project.id.b64)
        assert (event.seq, event.members) == (1, 2)
        assert told.cursor == f"{project.id.b64}.1.2"
        found = Pulled.of(b64decode(event.parts))
        assert found == alice.pull(project, EMPTY_LOG, members=2)
        assert (found.entries, found.packs) == ([entry], [b"a pack"])
        assert poll(alice, told.cursor, project).events == []

    def test_nothing_new_is_304(self, alice: Person) -> None:
        project, other = alice.new_project(), alice.new_project()
        asked = alice.send(Operation.EVENTS, params=query(""))
        cursor = asked.json()["cursor"]
        first = alice.send(Operation.EVENTS, params=query(cursor))
        known = {"If-None-Match": first.headers["ETag"]}
        again = alice.send(Operation.EVENTS, params=query(cursor), headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        # Another cursor or a push is another answer.
        for params in (query(""), query(cursor, project)):
            assert alice.send(Operation.EVENTS, params=params, headers=known).status_code == 200
        other.members = alice.membership()[-1].citation
        alice.push(other)
        news = alice.send(Operation.EVENTS, params=query(cursor), headers=known)
        assert [event["project"] for event in news.json()["events"]] == [other.id.b64]

    def test_the_header_counts_in_place_of_the_query(self, alice: Person) -> None:
        project = alice.new_project()
        before = poll(alice, "", project).cursor
        alice.push(project)
        after = poll(alice, "", project).cursor
        assert len(poll(alice, after, project, **{LAST_EVENT_ID: before}).events) == 1
        assert poll(alice, before, project, **{LAST_EVENT_ID: after}).events == []

    def test_two_hundred_projects_are_followed_at_once(self, alice: Person) -> None:
        project = alice.new_project()
        strangers = [Project(ProjectId.random(), alice.org, EMPTY_LOG) for _ in range(199)]
        problem(
            alice.send(Operation.EVENTS, params=query("", project, *strangers)), 404, "not-found"
        )
        cursor = ",".join(
            f"{stranger.id.b64}.1234567.12345" for stranger in sorted(strangers, key=lambda p: p.id)
        )
        assert poll(alice, "", project, **{LAST_EVENT_ID: cursor}).events == []
        many = query("", project, *strangers, strangers[0])
        problem(alice.send(Operation.EVENTS, params=many), 400, "malformed")

    @pytest.mark.parametrize(
        "params",
        [
            {"projects": ""},
            {"projects": "A"},
            {"projects": "A" * 22 + "," + "A" * 22},
            {"after": "A"},
            {"after": f"{'A' * 22}.1"},
            {"after": f"{'A' * 22}.01.1"},
            {"after": f"{'B' * 21}A.1.1,{'A' * 22}.1.1"},
            {"hash": "A"},
        ],
    )
    def test_what_is_out_of_shape_is_refused(self, alice: Person, params: dict[str, Any]) -> None:
        problem(alice.send(Operation.EVENTS, params=params), 400, "malformed")

    def test_what_a_pull_refuses_is_refused(self, alice: Person, bob: Person) -> None:
        project = alice.new_project()
        problem(bob.send(Operation.EVENTS, params=query("", project)), 404, "not-found")
        ahead = query(f"{project.id.b64}.9.2", project)
        problem(alice.send(Operation.EVENTS, params=ahead), 409, "log-shorter")
        other = alice.login()
        alice.send(Operation.DEVICE_REVOKE, {"device": other.device.b64})
        problem(other.send(Operation.EVENTS, params=query("", project)), 401, "device-revoked")


def streams_of(url: str) -> str:
    """Returns where a server says that its streams are."""
    events = Meta.model_validate(send(url, Operation.META).json()).events
    assert events is not None
    assert events.modes == ["poll", "stream"]
    return f"http://127.0.0.1:{events.port}"


def elsewhere(who: Person, url: str) -> Person:
    """Returns somebody with the same session at another address."""
    return Person(url, who.keys, who.session)


class Listening:
    """A stream that is read as it comes."""

    def __init__(self, answer: requests.Response) -> None:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == STREAM_TYPE
        self.answer = answer
        self.received = b""
        self._chunks = answer.iter_content(None)

    @property
    def events(self) -> list[Event]:
        whole = self.received[: self.received.rfind(b"\n\n") + 2]
        return parse(whole)

    def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            self.received += next(self._chunks)

    def has(self, text: bytes) -> None:
        self.until(lambda: text in self.received)

    def rest(self) -> None:
        """Reads to the end, which must come."""
        self.received += b"".join(self._chunks)


@contextmanager
def listening(
    who: Person, after: str = "", *projects: Project, **headers: str
) -> Iterator[Listening]:
    """Opens a stream where the server has them."""
    answer = ask_stream(who, after, *projects, **headers)
    with closing(answer):
        yield Listening(answer)


def ask_stream(
    who: Person, after: str = "", *projects: Project, **headers: str
) -> requests.Response:
    asking = elsewhere(who, streams_of(who.url))
    accepting = {"Accept": STREAM_TYPE, **headers}
    params = query(after, *projects)
    return asking.send(Operation.EVENTS, params=params, headers=accepting, stream=True)


def two_free_ports() -> int:
    """Returns a port that is free, as the next one is."""
    while True:
        port = unused_port()
        with suppress(OSError, OverflowError), socket.create_server(("127.0.0.1", port + 1)):
            return port


def waits_for(log: Path, text: str) -> None:
    """Waits until something stands in a log."""
    end = time.monotonic() + 60
    while text not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.01)


class TestStream:
    def test_a_push_is_told_at_once(self, alice: Person) -> None:
        project = alice.new_project()
        with listening(alice, "", project) as stream:
            stream.has(READY)
            entry = alice.push(project, packs=[b"a pack"])
            stream.until(lambda: stream.events)
            (event,) = stream.events
            assert (event.name, event.id) == ("news", f"{project.id.b64}.1.2")
            assert event.pulled == alice.pull(project, EMPTY_LOG, members=2)
            assert event.pulled.entries == [entry]
        # What comes after the cursor is told by another stream, whichever way it is named.
        alice.push(project)
        for after, headers in ((event.id, {}), ("", {LAST_EVENT_ID: event.id})):
            with listening(alice, after, project, **headers) as stream:
                stream.has(READY)
                assert [event.data["seq"] for event in stream.events] == [2]

    def test_headers_keep_it_from_being_held_back(self, alice: Person) -> None:
        with listening(alice) as stream:
            headers = stream.answer.headers
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Accel-Buffering"] == "no"
            assert "X-Request-Id" in headers
            assert "Content-Length" not in headers
            assert stream.answer.headers["Transfer-Encoding"] == "chunked"

    def test_polls_are_answered_there_too(self, alice: Person) -> None:
        project = alice.new_project()
        begun = poll(alice, "", project).cursor
        alice.push(project)
        there = elsewhere(alice, streams_of(alice.url))
        told = poll(there, begun, project)
        assert told == poll(alice, begun, project)
        for accept in ("*/*", "application/json", f"{STREAM_TYPE};q=0"):
            assert poll(there, begun, project, Accept=accept) == told
        # A function that offers no streams polls in any case.
        assert poll(alice, begun, project, Accept=STREAM_TYPE) == told
        tag = there.send(Operation.EVENTS, params=query(begun, project)).headers["ETag"]
        known = {"If-None-Match": tag}
        again = there.send(Operation.EVENTS, params=query(begun, project), headers=known)
        assert (again.status_code, again.content) == (304, b"")

    def test_nothing_else_is_there(self, alice: Person) -> None:
        url = streams_of(alice.url)
        for operation in (Operation.META, Operation.HEALTH, Operation.PROJECTS):
            problem(elsewhere(alice, url).send(operation), 404, "not-found")
        problem(requests.get(url + "/", timeout=60), 404, "not-found")
        problem(requests.get(url + "/v1/events/%ff%20", timeout=60), 404, "not-found")
        problem(requests.post(url + "/v1/events", timeout=60), 405, "method-not-allowed")
        assert requests.options(url + "/v1/events", timeout=60).status_code == 204
        head = elsewhere(alice, url)
        token = {"Authorization": f"Bearer {head.session['access_token']}", "Accept": STREAM_TYPE}
        answer = requests.head(url + "/v1/events", headers=token, timeout=60)
        assert (answer.status_code, answer.content) == (200, b"")

    def test_errors_are_problems(self, alice: Person, bob: Person) -> None:
        project = alice.new_project()
        url = streams_of(alice.url)
        accepting = {"Accept": STREAM_TYPE}
        problem(
            requests.get(url + "/v1/events", headers=accepting, timeout=60), 401, "unauthenticated"
        )
        problem(ask_stream(bob, "", project), 404, "not-found")
        problem(ask_stream(alice, "A", project), 400, "malformed")
        problem(ask_stream(alice, **{"Sopor-Protocol": "0"}), 426, "upgrade-required")
        body = {"Content-Length": "5", **accepting}
        problem(
            requests.get(url + "/v1/events", headers=body, data=b"12345", timeout=60),
            413,
            "too-large",
        )
        other = alice.login()
        alice.send(Operation.DEVICE_REVOKE, {"device": other.device.b64})
        problem(ask_stream(other, "", project), 401, "device-revoked")

    def test_a_revoked_device_is_told_so(self, alice: Person) -> None:
        project = alice.new_project()
        other = alice.login()
        with listening(other, "", project) as stream:
            stream.has(READY)
            alice.send(Operation.DEVICE_REVOKE, {"device": other.device.b64})
            alice.push(project)
            stream.rest()
            (bye,) = stream.events
            assert (bye.name, bye.data) == ("bye", {"reason": "revoked", "wait": 0})

    def test_who_goes_away_is_noticed(self, server: RunningServer, alice: Person) -> None:
        with listening(alice) as stream:
            stream.has(READY)
            name = stream.answer.headers["X-Request-Id"]
        waits_for(server.log, f'"message":"stream","request_id":"{name}"')
        lines = server.log.read_text(encoding="utf-8").splitlines()
        (line,) = (line for line in lines if name in line and '"message":"stream"' in line)
        assert '"events":0,"reason":"gone"' in line
        assert alice.keys.account.hex() in line

    def test_two_hundred_projects_fit_a_request(self, alice: Person) -> None:
        project = alice.new_project()
        strangers = [Project(ProjectId.random(), alice.org, EMPTY_LOG) for _ in range(199)]
        everything = sorted([project, *strangers], key=lambda one: one.id)
        cursor = ",".join(f"{one.id.b64}.1234567.12345" for one in everything)
        problem(ask_stream(alice, "", *everything, **{LAST_EVENT_ID: cursor}), 404, "not-found")


class TestProcess:
    def test_too_many_streams_are_refused(self, tmp_path: Path) -> None:
        with running_server(tmp_path / "data", SOPOR_EVENTS_STREAMS="2") as server:
            alice = Person.register(server.url)
            with listening(alice) as first, listening(alice) as second:
                first.has(READY)
                second.has(READY)
                refused = ask_stream(alice)
                problem(refused, 429, "rate-limited")
                assert refused.headers["Retry-After"] == "30"
                poll(elsewhere(alice, streams_of(alice.url)))
            waits_for(server.log, '"reason":"gone"')
            with listening(alice) as third:
                third.has(READY)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_stop_is_told_and_does_not_wait(self, tmp_path: Path, number: signal.Signals) -> None:
        server = start_server(tmp_path / "data")
        alice = Person.register(server.url)
        project = alice.new_project()
        with listening(alice, "", project) as stream:
            stream.has(READY)
            os.killpg(server.process.pid, number)
            stream.rest()
            assert [event.data["reason"] for event in stream.events] == ["restart"]
            assert server._ended() == 0
        assert "Traceback" not in server.log.read_text(encoding="utf-8")

    def test_a_part_that_dies_takes_the_other_along(self, tmp_path: Path) -> None:
        server = start_server(tmp_path / "data")
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        requests_part, streams_part = map(int, children.read_text().split())
        os.kill(streams_part, signal.SIGKILL)
        assert server._ended() == 1
        told = server.log.read_text(encoding="utf-8")
        assert "the process for streams ended with -9" in told
        assert "the process for requests" not in told
        with pytest.raises(ProcessLookupError):
            os.kill(requests_part, 0)

    def test_parts_end_with_who_started_them(self, tmp_path: Path) -> None:
        server = start_server(tmp_path / "data")
        url = streams_of(server.url)
        server.process.kill()
        server._ended()
        for address in (server.url, url):
            while True:
                try:
                    requests.get(address, timeout=60)
                except requests.ConnectionError:
                    break
                time.sleep(0.05)

    def test_ports_for_streams(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            command = [sys.executable, "-m", "sopor_server", "--data", str(tmp_path / "data")]
            ended = subprocess.run(
                [*command, "--port", "0", "--events-port", str(port)],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert (ended.returncode, ended.stdout) == (2, "")
            assert f"port {port}" in ended.stderr

    def test_streams_are_at_the_next_port_or_where_there_is_room(self, tmp_path: Path) -> None:
        port = two_free_ports()
        server = start_server(tmp_path / "data", port)
        assert streams_of(server.url) == f"http://127.0.0.1:{port + 1}"
        assert server.stop() == 0
        with socket.create_server(("127.0.0.1", port + 1)):
            server = start_server(tmp_path / "data", port)
            assert streams_of(server.url) != f"http://127.0.0.1:{port + 1}"
            assert server.stop() == 0

    def test_streams_elsewhere_are_named(self, tmp_path: Path) -> None:
        url = "https://events.example.com"
        with running_server(
            tmp_path / "data", SOPOR_EVENTS_URL=url, SOPOR_EVENTS_QUIET="60"
        ) as server:
            meta = send(server.url, Operation.META).json()
            assert meta["events"]["url"] == url
            assert meta["events"]["quiet"] == 60

    def test_headers_that_dribble_are_cut_off(self, tmp_path: Path) -> None:
        program = (
            "from sopor_server import __main__; from sopor_server.streams import serving;"
            " serving.HEADER_SECONDS = 0.5; __main__.main()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, "--port", "0", "--data", str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            alice = Person.register(url)
            address = urlsplit(streams_of(url))
            for begun in (b"", b"GET /v1/events HTTP/1.1\r\nHos"):
                with socket.create_connection(("127.0.0.1", address.port or 0), timeout=60) as slow:
                    slow.sendall(begun)
                    # With what was sent unread, the end may be a reset.
                    with suppress(ConnectionResetError):
                        while slow.recv(1000):
                            continue
            # A connection that has been answered may stay and ask again, and then dribble no more.
            connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
            for _ in range(2):
                connection.request("GET", "/v1/meta")
                assert connection.getresponse().read()
            connection.close()
            with listening(alice) as stream:
                stream.has(READY)
                time.sleep(1)
                alice.new_project()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)

    def test_functions_framework_serves_streams(self, tmp_path: Path) -> None:
        with (
            running_server(tmp_path / "data") as server,
            function(server, tmp_path) as (url, process),
        ):
            alice = Person.register(server.url)
            project = alice.new_project()
            there = elsewhere(alice, url)
            answer = there.send(
                Operation.EVENTS,
                params=query("", project),
                headers={"Accept": STREAM_TYPE},
                stream=True,
            )
            with closing(answer):
                stream = Listening(answer)
                stream.has(READY)
                entry = alice.push(project, packs=[b"a pack"])
                stream.until(lambda: stream.events)
                assert stream.events[0].pulled.entries == [entry]
                process.terminate()
                stream.rest()
                assert [event.name for event in stream.events] == ["news", "bye"]
                assert stream.events[1].data["reason"] == "restart"
            assert process.wait(60) == 0

    def test_the_log_tells_no_secrets(self, tmp_path: Path) -> None:
        with running_server(tmp_path / "data") as server:
            alice = Person.register(server.url)
            project = alice.new_project()
            with listening(alice, f"{project.id.b64}.0.2", project) as stream:
                stream.has(READY)
                alice.push(project)
                stream.until(lambda: stream.events)
            waits_for(server.log, '"reason":"gone"')
            log = server.log.read_text(encoding="utf-8")
        for secret in (alice.session["access_token"], project.id.b64, project.id.hex()):
            assert secret not in log

    def test_a_function_that_is_not_set_up_says_so(self, tmp_path: Path) -> None:
        with running_server(tmp_path / "data") as server:
            with function(server, tmp_path, SOPOR_LOG="loud") as (url, _):
                answer = requests.get(url + "/v1/events", timeout=60)
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert "SOPOR_LOG" in (tmp_path / "function.log").read_text(encoding="utf-8")


@contextmanager
def function(
    server: RunningServer, folder: Path, **settings: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serves `events` as it is deployed, on the data of a server."""
    port = unused_port()
    program = Path(sys.executable).with_name("functions-framework")
    options = ["--target", "events", "--asgi", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "function.log").open("w") as log:
        process = subprocess.Popen(
            [str(program), "--source", str(MAIN), *options],
            env={**os.environ, "SOPOR_DATA": str(server.data), **settings},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None, (folder / "function.log").read_text()
            try:
                requests.get(url, timeout=60)
                break
            except requests.ConnectionError:
                time.sleep(0.02)
        yield url, process
    finally:
        process.terminate()
        process.wait(60)
