"""What holds for every route: addresses, methods, media types, sizes, headers, tokens."""

from __future__ import annotations

import http.client
import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sopor_core.limits import MAX_INLINE_BYTES, MAX_PACK_BYTES
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.models import Meta
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts
from sopor_core.wire.problems import MEANINGS, Code
from sopor_core.wire.routes import PROTOCOL, ROUTE, ROUTES, Operation, Route
from sopor_server import __version__
from sopor_server.app.endpoints import ENDPOINTS, JSON
from tests.api.test_accounts import problem
from tests.support.server import RunningServer
from tests.support.story import Person, pack_id, send

AUTHENTICATED = [route for route in ROUTES if route.authenticated]
WITH_BODY = [route for route in ROUTES if ENDPOINTS[route.operation].media_type]
ANY = {"project": "A" * 22, "org": "A" * 43, "device": "A" * 22, "pack": "A" * 43}


def ids(route: Route) -> str:
    return str(route.operation)


def raw(server: RunningServer, request: bytes, body: bytes = b"") -> http.client.HTTPResponse:
    """Sends bytes as they are and reads one response."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.connect()
    connection.sock.sendall(request + body)
    response = http.client.HTTPResponse(connection.sock)
    response.begin()
    connection.close()
    return response


def test_meta_says_what_the_server_is(server: RunningServer) -> None:
    answer = send(server.url, Operation.META)
    found = Meta.model_validate(answer.json())
    secret = json.loads((server.data / "server.json").read_text())
    assert found.server == secret["id"]
    assert secret["secret"] not in answer.text
    assert (found.version, found.protocol_min, found.protocol_max) == (__version__, 1, PROTOCOL)
    assert (found.max_inline_bytes, found.max_pack_bytes) == (MAX_INLINE_BYTES, MAX_PACK_BYTES)


def test_health_looks_at_the_storages(server: RunningServer) -> None:
    answer = send(server.url, Operation.HEALTH)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("route", AUTHENTICATED, ids=ids)
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "Bearer " + "A" * 70,
     "Bearer \u00e9", "Bearer a b"],
)  # fmt: skip
def test_who_asks_must_be_known(server: RunningServer, route: Route, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header is not None else {}
    media_type = ENDPOINTS[route.operation].media_type
    if media_type:
        headers["Content-Type"] = media_type.encode()
    answer = send(server.url, route.operation, ANY, headers=headers)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v2/meta", "/v1/meta/", "/v1/nothing", "/v1/projects/x/y/z",
     "/v1//meta", "/V1/meta", "/v1/meta%2f", "/v1/projects//push", "/.git/config",
     "/v1/projects/%0A/pull", "/robots.txt", "/favicon.ico"],
)  # fmt: skip
def test_other_addresses_are_not_found(server: RunningServer, path: str) -> None:
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.status == 404
    found = json.loads(answer.read())
    assert found["code"] == "not-found"


@pytest.mark.parametrize("route", ROUTES, ids=ids)
def test_other_methods_are_refused_with_those_that_are_not(
    server: RunningServer, route: Route
) -> None:
    path = route.url(**{name: ANY[name] for name in re.findall(r"{(\w+)}", route.path)})
    answer = requests.patch(server.url + path, timeout=60)
    problem(answer, 405, "method-not-allowed")
    allowed = {other.method for other in ROUTES if other.path == route.path}
    assert allowed <= set(answer.headers["Allow"].split(", "))
    asked = requests.options(server.url + path, timeout=60)
    assert (asked.status_code, asked.content) == (204, b"")
    assert allowed | {"OPTIONS"} <= set(asked.headers["Allow"].split(", "))


def test_unknown_methods_are_refused(server: RunningServer) -> None:
    answer = raw(server, b"BREW /v1/meta HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 405
    assert requests.options(server.url + "/v1/nothing", timeout=60).status_code == 404


def test_head_is_get_without_its_body(server: RunningServer, alice: Person) -> None:
    project = alice.new_project()
    alice.push(project, packs=[b"0123456789"])
    path = ROUTE[Operation.PACK_GET].url(project=project.id.b64, pack=pack_id(b"0123456789").b64)
    headers = {"Authorization": f"Bearer {alice.session['access_token']}"}
    answer = requests.head(server.url + path, headers=headers, timeout=60)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "10")
    assert answer.content == b""
    problem_answer = requests.head(server.url + path, timeout=60)
    assert (problem_answer.status_code, problem_answer.content) == (401, b"")


@pytest.mark.parametrize("route", WITH_BODY, ids=ids)
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_other_media_types_are_refused(
    server: RunningServer, route: Route, headers: dict[str, str]
) -> None:
    media_type = ENDPOINTS[route.operation].media_type or ""
    answer = send(
        server.url, route.operation, ANY, data=b"{}", headers={"Content-Type": media_type} | headers
    )
    assert media_type in problem(answer, 415, "unsupported-media-type")["hint"]


@pytest.mark.parametrize("route", ROUTES, ids=ids)
def test_size_is_refused_before_anybody_is_asked_who_they_are(
    server: RunningServer, route: Route
) -> None:
    endpoint = ENDPOINTS[route.operation]
    path = route.url(**{name: ANY[name] for name in re.findall(r"{(\w+)}", route.path)})
    head = (
        f"{route.method} {path} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: {endpoint.media_type or JSON}\r\nContent-Length: {endpoint.limit + 1}\r\n"
    )
    answer = raw(server, f"{head}\r\n".encode())
    assert answer.status == 413
    assert json.loads(answer.read())["code"] == "too-large"


def test_a_body_without_a_length_has_the_same_limit(server: RunningServer) -> None:
    def chunks() -> Any:
        for _ in range(100):
            yield b" " * 1000

    headers = {"Content-Type": JSON}
    answer = send(server.url, Operation.LOGIN, data=chunks(), headers=headers)
    problem(answer, 413, "too-large")


def test_an_endless_body_is_not_swallowed(server: RunningServer) -> None:
    address = urlsplit(server.url)
    piece = b"10000\r\n" + bytes(65536) + b"\r\n"
    for path in ("/v1/login", "/v1/account", "/v1/nothing"):
        with socket.create_connection((address.hostname, address.port or 0), timeout=60) as sender:
            sender.sendall(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n".encode()
            )
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                pour(sender, piece)


def pour(sender: socket.socket, piece: bytes) -> None:
    """Sends more than any socket buffers."""
    for _ in range(10_000):
        sender.sendall(piece)


def test_a_body_without_a_length_is_read(alice: Person) -> None:
    project = alice.new_project()
    pack = bytes(100_000)
    entry = project.entry(alice.keys, project.commit(), packs=[pack])
    parts = [Part(PartKind.PUSH_ENTRY, entry.encoded), Part(PartKind.PACK, pack)]
    answer = alice.send(
        Operation.PUSH,
        {"project": project.id.b64},
        data=(join_parts([part]) for part in parts),
        headers={"Content-Type": MEDIA_TYPE},
    )
    assert answer.status_code == 201
    assert alice.pull(project, EMPTY_LOG).packs == [pack]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b'{"login": "a", "login": "b", "action": "login"}',
        b'{"login": "a", "action": NaN}',
        b'{"login": "a", "action": 1e999}',
        b'{"login": "a", "action": ' + b"9" * 5000 + b"}",
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b"\xff\xfe{}",
        b'\xef\xbb\xbf{"login": "a", "action": "login"}',
    ],
    ids=range(11),
)
def test_json_that_is_none_is_refused(server: RunningServer, body: bytes) -> None:
    answer = send(server.url, Operation.LOGIN_CHALLENGE, data=body, headers={"Content-Type": JSON})
    problem(answer, 400, "malformed")


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "after=+1",
        "after=01",
        "after=1.0",
        "after=%D9%A1",
        "after=" + "9" * 16,
        "after=" + "9" * 1500,
        "after=",
        "after=1&after=2",
        "hash=x",
        "hash=" + "A" * 42,
        "members=1e3",
        "surprise=1",
    ],
)
def test_queries_are_read_strictly(alice: Person, query: str) -> None:
    project = alice.new_project()
    path = ROUTE[Operation.PULL].url(project=project.id.b64)
    headers = {"Authorization": f"Bearer {alice.session['access_token']}"}
    answer = alice.http.get(f"{alice.url}{path}?{query}", headers=headers, timeout=60)
    problem(answer, 400, "malformed")


@pytest.mark.parametrize(
    "operation",
    [Operation.META, Operation.HEALTH, Operation.ACCOUNT, Operation.DEVICES, Operation.PROJECTS],
)
def test_what_is_not_asked_for_is_refused(alice: Person, operation: Operation) -> None:
    problem(alice.send(operation, params={"surprise": "1"}), 400, "malformed")


@pytest.mark.parametrize("spoken", ["0", "", "one", "-1", "\u0661"])
def test_clients_that_are_too_old_are_told_what_to_do(server: RunningServer, spoken: str) -> None:
    answer = send(server.url, Operation.META, headers={"Sopor-Protocol": spoken.encode()})
    assert "pip install" in problem(answer, 426, "upgrade-required")["hint"]


@pytest.mark.parametrize("spoken", ["1", "2", "99"])
def test_newer_clients_are_served(server: RunningServer, spoken: str) -> None:
    answer = send(server.url, Operation.META, headers={"Sopor-Protocol": spoken})
    assert answer.status_code == 200


def test_answers_have_few_headers(server: RunningServer, alice: Person) -> None:
    project = alice.new_project()
    entry = project.entry(alice.keys, project.commit())
    pushed = alice.push_entry(entry)
    project.took(entry)
    nothing_new = alice.ask_pull(project, project.head, members=2)
    for answer in (pushed, nothing_new):
        lines = [f"{name}: {value}\r\n" for name, value in answer.raw.headers.items()]
        status = f"HTTP/1.1 {answer.status_code} {answer.reason}\r\n"
        assert len(status) + sum(map(len, lines)) + 2 < 200
        assert answer.content == b""


def test_a_connection_is_used_again(server: RunningServer) -> None:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.request("GET", "/v1/meta")
    first = connection.sock
    for method, path, body in (
        ("GET", "/v1/meta", None),
        ("GET", "/v1/nothing", None),
        ("POST", "/v1/login", "{}"),
        ("POST", "/v1/nothing", "x" * 1000),
        ("PUT", f"/v1/projects/{'A' * 22}/packs/{'A' * 43}", "x" * 1000),
        ("GET", "/v1/health", None),
    ):
        connection.getresponse().read()
        connection.request(method, path, body, {"Content-Type": "application/json"})
        assert connection.sock is first
    assert connection.getresponse().read() == b'{"status":"ok"}'
    connection.close()


def test_request_ids_are_taken_over_only_where_they_are_harmless(server: RunningServer) -> None:
    given = send(server.url, Operation.META, headers={"X-Request-Id": "trace-0123.x_Y"})
    assert given.headers["X-Request-Id"] == "trace-0123.x_Y"
    made = set()
    for odd in ("short", "x" * 65, 'quote"quote', "tab\tb tab", "<script>", "a b c d e f"):
        answer = send(server.url, Operation.META, headers={"X-Request-Id": odd})
        made.add(answer.headers["X-Request-Id"])
    assert len(made) == 6
    assert all(re.fullmatch("[0-9a-f]{16}", request_id) for request_id in made)


@pytest.mark.parametrize("name", ["a\r\nX-Injected: 1", "%0d%0aX-Injected:%201", "\u2028"])
def test_nothing_is_injected_into_headers(server: RunningServer, name: str) -> None:
    quoted = requests.utils.quote(name, safe="%")  # type: ignore[attr-defined]
    answer = requests.get(f"{server.url}/v1/{quoted}", timeout=60)
    assert answer.status_code == 404
    assert "X-Injected" not in answer.headers


def test_every_code_has_a_status_that_is_an_error() -> None:
    assert MEANINGS.keys() == set(Code)
    assert all(400 <= meaning.status < 600 for meaning in MEANINGS.values())


def test_storage_that_cannot_be_reached_is_weather(tmp_path: Path) -> None:
    from tests.support.server import running_server

    with running_server(tmp_path / "data") as server:
        alice = Person.register(server.url)
        project = alice.new_project()
        entry = project.entry(alice.keys, project.commit(), packs=[b"pack"])
        (server.data / "blobs").rename(server.data / "hidden")
        (server.data / "blobs").write_bytes(b"")
        for answer in (
            send(server.url, Operation.HEALTH),
            alice.push_entry(entry, [b"pack"]),
        ):
            problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        (server.data / "blobs").unlink()
        (server.data / "hidden").rename(server.data / "blobs")
        assert alice.push_entry(entry, [b"pack"]).status_code == 201
