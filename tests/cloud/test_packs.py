"""Large packs straight to and from Cloud Storage: what the server gives, checks and counts.

The emulator takes signed requests whatever their signatures, ages, preconditions, lengths and
hashes are. `tests.support.objects.StorageFront` stands before it and refuses what Google documents
as refused, but for signatures, which `tests/cloud/test_signing.py` checks; so what is left
unproven here is that Google's own front does as documented.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import requests

from sopor.repository import Repository
from sopor_core.ids import PackId
from sopor_core.limits import MAX_SERVED_BYTES, MIB
from sopor_core.push_entry import ListedPack
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.ports.blobs import UploadAddress, pack_key, upload_key
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.service.context import Context
from sopor_server.service.packs import address_of, offer_pack
from sopor_server.service.push import Push, push
from tests.support.inside import Served, served
from tests.support.stored import Household
from tests.support.story import Project, pack_id
from tests.support.watched import WatchedCloud
from tests.support.weather import Billed, Fault
from tests.support.world import World, request, v4_export, workspace

Told = Callable[[], str]
PACK = b"0123456789" * 200_000
LISTED = ListedPack(pack_id(PACK), len(PACK))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Told:
    """Everything that the server logs, whatever earlier servers of this process have set."""
    monkeypatch.setattr(logging.getLogger("sopor_server"), "propagate", True)
    caplog.set_level(logging.DEBUG, "sopor_server")
    caplog.set_level(logging.INFO)
    return lambda: "\n".join(repr(record.__dict__) for record in caplog.records)


@pytest.fixture
def context(cloud: WatchedCloud) -> Context:
    return cloud.context()


@pytest.fixture
def server(context: Context) -> Iterator[Served]:
    with served(context) as server:
        yield server


def refused(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as error:
        call()
    return error.value


def offered(
    context: Context, caller: Caller, project: Project, pack: ListedPack = LISTED
) -> UploadAddress:
    address = offer_pack(context, caller, project.id, pack)
    assert address is not None
    return address


def put(address: UploadAddress, data: bytes = PACK, **headers: str | None) -> int:
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {k: v for k, v in {**address.headers, **asked}.items() if v is not None}
    return requests.put(address.url, data=data, headers=sent, timeout=60).status_code


def counted(context: Context, project: Project) -> int:
    found = context.store.project(project.id)
    assert found is not None
    return found.bytes


def test_a_pack_is_put_by_itself_and_listed(
    context: Context, caller: Caller, project: Project, home: Household
) -> None:
    assert put(offered(context, caller, project)) == 200
    assert context.blobs.get(pack_key(project.id, LISTED.id)) == PACK
    assert offer_pack(context, caller, project.id, LISTED) is None
    assert counted(context, project) == len(PACK)
    entry = project.entry(home.keys, project.commit(), packs=[PACK])
    push(context, caller, Push(project.id, entry.encoded))
    assert counted(context, project) == len(PACK) + len(entry.encoded)


def test_an_address_is_good_once_and_for_these_bytes_only(
    context: Context, caller: Caller, project: Project
) -> None:
    address = offered(context, caller, project)
    assert put(address, PACK[:-1]) == 400
    assert put(address, PACK + b"0") == 400
    assert put(address, b"x" + PACK[1:]) == 400
    assert put(address, x_goog_if_generation_match=None) == 403
    assert put(address, x_goog_content_length_range=None) == 403
    assert put(address, x_goog_content_sha256=None) == 403
    assert put(address, x_goog_acl="public-read") == 403
    assert context.blobs.size(pack_key(project.id, LISTED.id)) is None
    assert put(address) == 200
    assert put(address) == 412
    assert context.blobs.get(pack_key(project.id, LISTED.id)) == PACK


def test_an_address_is_asked_for_as_often_as_one_likes_and_counts_once(
    context: Context, caller: Caller, project: Project
) -> None:
    limited = replace(context, quota_bytes=len(PACK) + 10)
    address = [offered(limited, caller, project) for _ in range(3)][-1]
    assert counted(context, project) == len(PACK)
    other = ListedPack(PackId.random(), MIB)
    assert refused(lambda: offer_pack(limited, caller, project.id, other)).problem is (
        Code.QUOTA_EXCEEDED
    )
    assert context.blobs.size(upload_key(project.id, LISTED)) == 0
    assert context.blobs.size(upload_key(project.id, other)) is None
    assert put(address) == 200


def test_who_may_not_push_gets_no_address(
    context: Context, caller: Caller, project: Project, home: Household
) -> None:
    stranger = Household.found(context.store)
    other = Caller(stranger.keys.account, stranger.device.id)
    error = refused(lambda: offer_pack(context, other, project.id, LISTED))
    assert error.problem is Code.NOT_FOUND
    context.store.revoke_device(home.keys.account, home.device.id)
    error = refused(lambda: offer_pack(context, caller, project.id, LISTED))
    assert error.problem is Code.DEVICE_REVOKED
    assert counted(context, project) == 0


def test_other_bytes_that_stand_there_are_told(
    context: Context, caller: Caller, project: Project
) -> None:
    context.blobs.put(pack_key(project.id, LISTED.id), b"other bytes")
    error = refused(lambda: offer_pack(context, caller, project.id, LISTED))
    assert error.problem is Code.PACK_MISMATCH


def test_a_pack_that_did_not_come_is_missing_when_it_is_listed(
    context: Context, caller: Caller, project: Project, home: Household
) -> None:
    offered(context, caller, project)
    entry = project.entry(home.keys, project.commit(), packs=[PACK])
    error = refused(lambda: push(context, caller, Push(project.id, entry.encoded)))
    assert error.problem is Code.PACK_MISSING
    context.blobs.put(pack_key(project.id, LISTED.id), PACK[:-1])
    error = refused(lambda: push(context, caller, Push(project.id, entry.encoded)))
    assert error.problem is Code.PACK_MISMATCH


def test_where_nobody_signs_packs_go_through_the_server(
    context: Context,
    caller: Caller,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    told: Told,
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("IAM refused")

    monkeypatch.setattr(context.blobs, "upload_address", fail)
    monkeypatch.setattr(context.blobs, "download_address", fail)
    error = refused(lambda: offer_pack(context, caller, project.id, LISTED))
    assert error.problem is Code.NO_DIRECT
    assert counted(context, project) == 0
    assert address_of(context, project.id, LISTED.id) is None
    assert "no address of a pack was signed" in told()
    assert "IAM refused" in told()


def test_what_is_billed(
    cloud: WatchedCloud, context: Context, caller: Caller, project: Project
) -> None:
    before = cloud.billed
    offered(context, caller, project)
    asked = cloud.billed - before
    assert (asked.class_a, asked.class_b) == (1, 2)
    assert asked.writes == 1
    before = cloud.billed
    assert address_of(context, project.id, LISTED.id) is not None
    assert cloud.billed - before == Billed()


def long_text(seed: int, size: int) -> str:
    """Returns text that does not compress below ``size`` bytes."""
    return b64encode(Random(seed).randbytes(size)).decode("ascii")


def write(repository: Repository, seed: int, size: int) -> None:
    text = {"description": long_text(seed, size)}
    file = repository.root / "shop.json"
    file.write_bytes(v4_export(workspace(), request(1), request(2, body=text)))


def test_a_large_push_passes_the_server_by_and_so_does_a_clone(
    cloud: WatchedCloud, server: Served, tmp_path: Path, told: Told
) -> None:
    world = World(server, tmp_path)
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("shop", {"shop.json": v4_export(workspace(), request(1))}) as author:
        author.commit("Start")
        author.push()
        write(author, 1, 9 * MIB)
        author.commit("Large")
        asked = len(cloud.objects.asked)
        # The upload is cut, carried out all the same, and made again.
        cloud.objects.plan("PUT /", Fault.LOST)
        result = author.push()
        assert cloud.objects.is_done
        sent = cloud.objects.asked[asked:]
        assert result.bytes > 9 * MIB
        puts = [one for one in sent if one.method == "PUT"]
        assert [len(one.body) for one in puts] == [result.bytes] * 2
        assert all("authorization" not in one.headers for one in puts)
        assert all(len(one.body) < 4096 for one in sent if one.method != "PUT")
        asked = len(cloud.objects.asked)
        with desktop.clone("shop", "copy") as copy:
            assert copy.fsck().clean
            assert copy.root.joinpath("shop.json").read_bytes()
        gets = [one for one in cloud.objects.asked[asked:] if "X-Goog-Signature" in one.query]
        assert [one.method for one in gets] == ["GET"]
        assert "authorization" not in gets[0].headers
    assert "/packs/{pack}" in told()
    for one in (*puts, *gets):
        assert one.query["X-Goog-Signature"] not in told()
    assert "X-Goog-" not in told()


def test_the_server_says_where_to_read_and_keeps_what_is_small(
    server: Served, cloud: WatchedCloud, tmp_path: Path
) -> None:
    world = World(server, tmp_path)
    with world.device("ada").start("shop", {"shop.json": b""}) as author:
        write(author, 2, 9 * MIB)
        author.commit("Large")
        author.push()
        context = author.context
        (pack,) = context.store.log.entry(1).packs  # type: ignore[union-attr]
        account = context.accounts.of(context.store)
        headers = {"Authorization": f"Bearer {account.remote.session.token()}"}
        url = f"{server.url}/v1/projects/{context.project.b64}/packs/{pack.id.b64}"

        def ask(wanted: str | None) -> requests.Response:
            more = {} if wanted is None else {"Range": wanted}
            asked = {**headers, **more}
            return requests.get(url, headers=asked, allow_redirects=False, timeout=60)

        for wanted in (None, "bytes=0-1048576", f"bytes={MAX_SERVED_BYTES}-"):
            answer = ask(wanted)
            assert answer.status_code == 307
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.content == b""
            assert "X-Goog-Signature=" in answer.headers["Location"]
        for wanted in ("bytes=0-1048575", "bytes=-10", "bytes=5-6"):
            assert ask(wanted).status_code == 206
        part = account.remote.get_pack(context.project, pack.id, pack.size, (7, 2 * MIB))
        assert part == context.store.files.read(pack.id)[7 : 7 + 2 * MIB]
