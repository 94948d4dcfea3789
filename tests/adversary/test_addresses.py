"""The server sends packs to the wrong place, or reads them from there: no token, no damage."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from sopor.errors import ServerRefused, VerificationError
from sopor.repository import Repository
from sopor_core.errors import Layer
from sopor_core.limits import MIB
from sopor_core.wire.parts import PartKind
from tests.adversary.scene import FILE, Scene, assert_refused, flip
from tests.support.evil import EvilServer, in_pulls
from tests.support.scripted import Scripted, ScriptedServer, scripted_server
from tests.support.tampering import Exchange, Tamper
from tests.support.world import World, request, v4_export, workspace


@pytest.fixture
def elsewhere() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def packs_at(location: str) -> Tamper:
    """Leaves the packs out of pulls, and answers each GET of one with a redirect."""
    without = in_pulls(lambda parts: [part for part in parts if part.kind is not PartKind.PACK])

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.method == "GET" and "/packs/" in exchange.path:
            return replace(exchange, status=307, body=b"", location=location)
        return without(exchange) or exchange

    return tamper


@pytest.mark.parametrize(
    "location", ["http://storage.example.com/{}", "http://192.0.2.1/", "ftp://127.0.0.1/", "", "/x"]
)
def test_a_redirect_without_encryption_is_refused(
    scene: Scene, behind: Repository, location: str
) -> None:
    scene.evil.tamper = packs_at(location)
    refused = assert_refused(behind, behind.fetch, VerificationError, Layer.WIRE)
    assert "where none may go" in refused.message


def test_other_bytes_from_elsewhere_are_refused_and_get_no_token(
    scene: Scene, behind: Repository, elsewhere: ScriptedServer
) -> None:
    (pack,) = scene.shop.packs[3]
    (other,) = scene.other.packs[3]
    scene.evil.tamper = packs_at(f"{elsewhere.url}/packs")
    for lie in (other, flip(pack, 50, 1), pack[:-1], pack + b"\0", b""):
        elsewhere.script(Scripted(200, lie))
        assert_refused(behind, behind.fetch, VerificationError)
    for seen in elsewhere.seen:
        assert "Authorization" not in seen.headers
        assert "Cookie" not in seen.headers
    for seq in (4, 5, 6):
        elsewhere.script(*[Scripted(200, true) for true in scene.shop.packs[seq - 1]])
    assert behind.fetch().entries == 3


def test_a_chain_of_redirects_is_not_followed(
    scene: Scene, behind: Repository, elsewhere: ScriptedServer
) -> None:
    scene.evil.tamper = packs_at(f"{elsewhere.url}/packs")
    further = Scripted(307, headers={"Location": f"{elsewhere.url}/further"})
    elsewhere.script(further, Scripted(200, b"further"))
    with pytest.raises(ServerRefused, match="further redirect"):
        behind.fetch()
    assert [seen.path for seen in elsewhere.seen] == ["/packs"]


def test_no_other_request_follows_a_redirect(
    scene: Scene, behind: Repository, elsewhere: ScriptedServer
) -> None:
    def tamper(exchange: Exchange) -> Exchange:
        return replace(exchange, status=307, body=b"", location=f"{elsewhere.url}/all")

    scene.evil.tamper = tamper
    with pytest.raises(ServerRefused, match="does not follow"):
        behind.fetch()
    assert elsewhere.seen == []


def write(repository: Repository) -> None:
    text = b64encode(Random(7).randbytes(9 * MIB)).decode("ascii")
    export = v4_export(workspace(), request(1, description=text))
    repository.root.joinpath(FILE).write_bytes(export)
    repository.commit("Large")


def test_a_large_pack_goes_to_no_wrong_place(
    story: tuple[EvilServer, World], elsewhere: ScriptedServer, tmp_path: Path
) -> None:
    evil, world = story
    answer: dict[str, object] = {"method": "PUT", "headers": {}, "expires": 1}

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.method == "POST" and "/packs/" in exchange.path:
            body = json.dumps(answer).encode()
            return replace(exchange, status=200, media_type="application/json", body=body)
        return exchange

    evil.tamper = tamper
    with world.device("ada").start("shop", {}) as repository:
        write(repository)
        for url, headers in (
            ("http://storage.example.com/pack", {}),
            (f"{elsewhere.url}/pack", {"authorization": "Bearer x"}),
            (f"{elsewhere.url}/pack", {"x-y": "a\r\nz: b"}),
        ):
            answer |= {"url": url, "headers": headers}
            with pytest.raises(VerificationError) as refused:
                repository.push()
            assert refused.value.layer is Layer.WIRE
        assert elsewhere.seen == []
        # Whoever takes it and throws it away is found out by the honest part of the server.
        answer |= {"url": f"{elsewhere.url}/pack", "headers": {}}
        elsewhere.script(Scripted(200))
        with pytest.raises(ServerRefused, match="neither sent along nor put"):
            repository.push()
        (taken,) = elsewhere.seen
        assert "Authorization" not in taken.headers
        evil.honest()
        assert repository.push().seq == 1
