"""Packs straight to and from a storage that the server names, where anybody may listen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

import pytest

from sopor.errors import NotFound, QuotaExceeded, ServerRefused, ServerUnreachable, exit_code
from sopor.remote import Remote, ServerAddress, Timeouts, Traffic
from sopor.remote.direct import Direct, UploadAddress
from sopor.remote.retries import Retries
from sopor_core.errors import Layer, SoporError, VerificationError
from sopor_core.ids import PackId, ProjectId
from sopor_core.limits import MAX_SERVED_BYTES
from sopor_core.wire.problems import MEDIA_TYPE as PROBLEM
from tests.support.scripted import Scripted, ScriptedServer, scripted_server
from tests.unit.remote.conftest import Clock

PROJECT = ProjectId(bytes(16))
LARGE = bytes(range(256)) * (MAX_SERVED_BYTES // 256) + b"+"
PACK = PackId(sha256(LARGE).digest())
SIGNATURE = "X-Goog-Signature=5ec2e7"
HEADERS = {"content-type": "application/octet-stream", "x-goog-if-generation-match": "0"}
PATH = f"/v1/projects/{PROJECT.b64}/packs/{PACK.b64}"


@pytest.fixture
def storage() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def named(url: str, /, **changes: object) -> Scripted:
    address = {"url": url, "method": "PUT", "headers": HEADERS, "expires": 1, **changes}
    return Scripted(200, json.dumps(address).encode(), "application/json")


def place(storage: ScriptedServer) -> str:
    return f"{storage.url}/bucket/packs/1?{SIGNATURE}"


def elsewhere(url: str) -> Scripted:
    return Scripted(307, headers={"Location": url})


def problem(status: int, code: str) -> Scripted:
    return Scripted(status, json.dumps({"code": code, "detail": "no"}).encode(), PROBLEM)


def keeps_secrets(error: SoporError) -> bool:
    told = f"{error!r} {error.message} {error.hint} {error.__cause__!r} {error.__context__!r}"
    return "5ec2e7" not in told and "bucket" not in told and "good-token" not in told


def test_a_large_pack_goes_straight_to_the_storage(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote
) -> None:
    server.script(named(place(storage)))
    storage.script(Scripted(200))
    remote.put_pack(PROJECT, PACK, LARGE)
    (asked,), (put,) = server.seen, storage.seen
    assert (asked.method, asked.path) == ("POST", PATH)
    assert json.loads(asked.body) == {"size": len(LARGE)}
    assert (put.method, put.path) == ("PUT", f"/bucket/packs/1?{SIGNATURE}")
    assert put.body == LARGE
    sent = {name.lower(): value for name, value in put.headers.items()}
    assert sent.keys() == {"host", "user-agent", "content-length", "connection", *HEADERS} - {
        "connection"
    }
    assert HEADERS.items() <= sent.items()
    assert remote.transport.traffic.sent == len(LARGE) + len(asked.body)


def test_a_small_pack_goes_through_the_server(server: ScriptedServer, remote: Remote) -> None:
    server.script(Scripted(201))
    remote.put_pack(PROJECT, PACK, LARGE[:-1])
    assert [seen.method for seen in server.seen] == ["PUT"]


@pytest.mark.parametrize("status", [200, 201, 204, 412])
def test_what_is_there_already_is_there(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote, status: int
) -> None:
    server.script(named(place(storage)))
    storage.script(Scripted(status))
    remote.put_pack(PROJECT, PACK, LARGE)
    server.script(Scripted(204))
    remote.put_pack(PROJECT, PACK, LARGE)
    assert len(storage.seen) == 1


def test_an_upload_that_is_cut_is_made_again(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote, clock: Clock
) -> None:
    """Where the first one had arrived after all, the second one finds it there."""
    server.script(named(place(storage)))
    storage.script(Scripted(drop=True), Scripted(503), Scripted(412))
    remote.put_pack(PROJECT, PACK, LARGE)
    assert [seen.body for seen in storage.seen] == [LARGE] * 3
    assert len(clock.waits) == 2


def test_an_address_that_is_good_no_longer_is_asked_for_again(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote
) -> None:
    server.script(named(f"{storage.url}/first"), named(f"{storage.url}/second"))
    storage.script(Scripted(403), Scripted(200))
    remote.put_pack(PROJECT, PACK, LARGE)
    server.script(elsewhere(f"{storage.url}/third"), elsewhere(f"{storage.url}/fourth"))
    storage.script(Scripted(403), Scripted(200, LARGE))
    assert remote.get_pack(PROJECT, PACK, len(LARGE)) == LARGE
    assert [seen.path for seen in storage.seen] == ["/first", "/second", "/third", "/fourth"]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 411, 500])
def test_a_refusal_of_the_storage_is_told_and_names_no_address(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote, status: int
) -> None:
    server.script(named(place(storage)), named(place(storage)))
    storage.script(*[Scripted(status, b"<Error>good-token</Error>")] * 9)
    with pytest.raises(ServerRefused, match=rf"did not take one \(status {status}\)") as refused:
        remote.put_pack(PROJECT, PACK, LARGE)
    assert keeps_secrets(refused.value)
    assert exit_code(refused.value) == 7
    assert storage.url in refused.value.message


def test_a_storage_that_cannot_be_reached_is_told(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote
) -> None:
    server.script(named(place(storage)))
    storage.script(*[Scripted(drop=True)] * 9)
    with pytest.raises(ServerUnreachable, match=r"where .* keeps its packs") as unreachable:
        remote.put_pack(PROJECT, PACK, LARGE)
    assert keeps_secrets(unreachable.value)


def test_what_the_server_refuses_is_refused(server: ScriptedServer, remote: Remote) -> None:
    server.script(problem(403, "quota-exceeded"), problem(404, "not-found"))
    with pytest.raises(QuotaExceeded):
        remote.put_pack(PROJECT, PACK, LARGE)
    with pytest.raises(NotFound):
        remote.put_pack(PROJECT, PACK, LARGE)


def test_a_pack_is_read_where_the_server_says_without_the_token(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote
) -> None:
    server.script(elsewhere(place(storage)), elsewhere(place(storage)), elsewhere(place(storage)))
    storage.script(Scripted(200, LARGE), Scripted(206, LARGE[5:9]), Scripted(200, LARGE))
    assert remote.get_pack(PROJECT, PACK, len(LARGE)) == LARGE
    assert remote.get_pack(PROJECT, PACK, len(LARGE), (5, 4)) == LARGE[5:9]
    assert remote.get_pack(PROJECT, PACK, len(LARGE), (5, 4)) == LARGE[5:9]
    assert all("Authorization" in seen.headers for seen in server.seen)
    assert not any("Authorization" in seen.headers for seen in storage.seen)
    assert [seen.headers.get("Range") for seen in storage.seen] == [None, "bytes=5-8", "bytes=5-8"]


def test_a_redirect_is_followed_once(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote
) -> None:
    server.script(elsewhere(place(storage)))
    storage.script(elsewhere(f"{storage.url}/further"), Scripted(200, LARGE))
    with pytest.raises(ServerRefused, match="further redirect") as refused:
        remote.get_pack(PROJECT, PACK, len(LARGE))
    assert keeps_secrets(refused.value)
    assert len(storage.seen) == 1
    server.script(Scripted(302, headers={"Location": place(storage)}))
    with pytest.raises(ServerRefused, match="does not follow"):
        remote.get_pack(PROJECT, PACK, len(LARGE))


def test_more_than_a_pack_is_not_read(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote
) -> None:
    server.script(elsewhere(place(storage)), elsewhere(place(storage)))
    storage.script(Scripted(200, LARGE + b"+"), Scripted(200, LARGE[:-1]))
    with pytest.raises(VerificationError, match="larger"):
        remote.get_pack(PROJECT, PACK, len(LARGE))
    with pytest.raises(VerificationError, match="instead of"):
        remote.get_pack(PROJECT, PACK, len(LARGE))


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example.com/pack",
        "http://10.0.0.1/pack",
        "ftp://127.0.0.1/pack",
        "file:///etc/passwd",
        "//storage.example.com/pack",
        "/v1/packs",
        "",
        "https://",
        "https://user:password@storage.example.com/pack",
        "https://storage.example.com/pack#part",
        "https://storage.example.com:99999/pack",
        "https://storage.example.com/a b",
        "https://storage.exämple.com/",
        "https://storage.example.com/\tx",
        "https://storage.example.com/" + "x" * 8192,
    ],
)
def test_no_pack_goes_where_somebody_may_listen(
    server: ScriptedServer, remote: Remote, url: str
) -> None:
    server.script(named(url))
    with pytest.raises(VerificationError) as refused:
        remote.put_pack(PROJECT, PACK, LARGE)
    assert refused.value.layer is Layer.WIRE
    direct = remote.transport.direct
    with pytest.raises(VerificationError, match="where none may go") as refused:
        direct.get(url, {}, 10)
    assert refused.value.layer is Layer.WIRE
    assert direct._sessions == {}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_elsewhere_does_not_send_packs_to_this_machine(
    storage: ScriptedServer, scheme: str
) -> None:
    """Else it could make this device ask what listens on its own loopback interface."""
    server = ServerAddress.parse("https://sopor.example.com")
    direct = Direct(server, Traffic(), Timeouts(), Retries())
    for host in ("127.0.0.1", "localhost", "[::1]", "a.localhost"):
        url = f"{scheme}://{host}:{storage.http.server_port}/pack"
        with pytest.raises(VerificationError, match="where none may go"):
            direct.get(url, {}, 10)
        with pytest.raises(VerificationError, match="where none may go"):
            direct.put(UploadAddress(url, {}), b"pack")
    assert storage.seen == []


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "POST"},
        {"method": "DELETE"},
        {"url": None},
        {"url": 7},
        {"headers": None},
        {"headers": ["x-goog-date"]},
        {"headers": {"authorization": "Bearer x"}},
        {"headers": {"Cookie": "x"}},
        {"headers": {"host": "x"}},
        {"headers": {"transfer-encoding": "chunked"}},
        {"headers": {"content-length": "1"}},
        {"headers": {"x-a": "b\r\nc: d"}},
        {"headers": {"x-a\r\nb": "c"}},
        {"headers": {"x-a": "ä"}},
        {"headers": {"x-a": 1}},
        {"headers": {f"x-{n}": "1" for n in range(17)}},
    ],
)
def test_an_odd_address_is_refused_before_anything_is_sent(
    server: ScriptedServer, storage: ScriptedServer, remote: Remote, changes: dict[str, object]
) -> None:
    server.script(named(place(storage), **changes))
    with pytest.raises(VerificationError) as refused:
        remote.put_pack(PROJECT, PACK, LARGE)
    assert refused.value.layer in (Layer.WIRE, Layer.PARSE)
    assert storage.seen == []


def test_no_repr_shows_an_address(storage: ScriptedServer, remote: Remote) -> None:
    address = UploadAddress(place(storage), HEADERS)
    assert "5ec2e7" not in f"{address!r}"
    assert storage.url not in f"{remote.transport.direct!r}"
