"""Who runs the server lies: every lie is refused by name, and nothing on the device changes."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sopor.errors import ForkError, RollbackError, VerificationError, exit_code
from sopor.repository import Repository
from sopor_core import canonical
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer
from sopor_core.ids import OrgId, PackId, ProjectId
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts, split_parts
from tests.support.evil import (
    EvilServer,
    Parts,
    Snapshot,
    control_of,
    groups,
    in_pulls,
    instead_of_pulls,
    regrouped,
    with_control,
)
from tests.support.tampering import Exchange, Tamper
from tests.support.world import Device, World, request, v4_export, workspace

FILE = "project.json"
ZEROS = b64encode(bytes(32))


def edit(repository: Repository, document: str, **fields: object) -> None:
    path = repository.root / FILE
    export = json.loads(path.read_bytes())
    for resource in export["resources"]:
        if resource["_id"] == document:
            resource.update(fields)
    path.write_text(json.dumps(export, indent=2))


def push_edits(repository: Repository, *names: str) -> None:
    for name in names:
        edit(repository, "req_1", name=name)
        repository.commit(name)
        repository.push()


@dataclass(frozen=True)
class Held:
    """What the server holds of a project: entries with their packs, counted from 1."""

    project: ProjectId
    org: OrgId
    entries: tuple[bytes, ...]
    packs: tuple[tuple[bytes, ...], ...]
    membership: tuple[bytes, ...]

    @classmethod
    def of(cls, repository: Repository) -> Held:
        context, store = repository.context, repository.context.store
        assert context.org is not None
        found = [store.log.entry(seq) for seq in range(1, store.log.pin.seq + 1)]
        entries = [entry for entry in found if entry is not None]
        with closing(sqlite3.connect(store.database.path)) as connection:
            rows = connection.execute("SELECT data FROM membership ORDER BY seq").fetchall()
        return cls(
            context.project,
            context.org,
            tuple(entry.encoded for entry in entries),
            tuple(tuple(store.files.read(pack.id) for pack in entry.packs) for entry in entries),
            tuple(data for (data,) in rows),
        )

    def entry(self, seq: int) -> bytes:
        """Returns an entry of the push log."""
        return self.entries[seq - 1]

    def group(self, seq: int) -> Parts:
        """Returns the parts of an entry and its packs."""
        packs = [Part(PartKind.PACK, data) for data in self.packs[seq - 1]]
        return [Part(PartKind.PUSH_ENTRY, self.entry(seq)), *packs]

    def members(self, first: int = 1) -> Parts:
        """Returns the parts of the membership log from an entry on."""
        return [Part(PartKind.MEMBERSHIP_ENTRY, data) for data in self.membership[first - 1 :]]


@dataclass(frozen=True)
class Scene:
    """Devices of Ada on an evil server.

    Her project ``shop`` has 6 entries, all of them are on ``newest``. ``other`` is another project
    of hers, ``his`` is one of Bob's, who has an account of his own.
    """

    evil: EvilServer
    desktop: Device
    newest: Repository
    shop: Held
    other: Held
    his: Held


def start(device: Device, name: str) -> Repository:
    repository = device.start(name, {FILE: v4_export(workspace(), request(1), request(2))})
    repository.commit("Start")
    repository.push()
    return repository


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("evil")
    evil = EvilServer(folder)
    world = World(evil, folder)
    laptop, desktop, tablet = (world.device("ada") for _ in range(3))
    author = start(laptop, "shop")
    push_edits(author, "Two", "Three")
    desktop.clone("shop", "behind").close()
    push_edits(author, "Four")
    edit(author, "req_2", name="Five")
    author.switch("feature", create=True)
    author.commit("Five")
    author.push()
    author.revert_to("HEAD~1")
    author.push()
    newest = tablet.clone("shop", "newest")
    other = start(laptop, "other")
    push_edits(other, "Two", "Three", "Four", "Five", "Six")
    bobs = start(world.device("bob"), "his")
    yield Scene(evil, desktop, newest, Held.of(author), Held.of(other), Held.of(bobs))
    for repository in (author, newest, other, bobs):
        assert repository.fsck().clean
        repository.close()
    evil.close()


@pytest.fixture(autouse=True)
def honest_again(scene: Scene) -> Iterator[None]:
    yield
    scene.evil.honest()


@pytest.fixture
def behind(scene: Scene) -> Iterator[Repository]:
    """A clone of the time when there were 3 entries; each test has its own."""
    copy = f"behind-{random.randbytes(4).hex()}"
    shutil.copytree(scene.desktop.folder / "behind", scene.desktop.folder / copy)
    with scene.desktop.open(copy) as repository:
        yield repository


def assert_refused(
    repository: Repository,
    act: Callable[[], object],
    kind: type[VerificationError],
    *layers: Layer,
) -> VerificationError:
    """Asserts that something is refused for the right reason, and leaves everything as it was."""
    before = Snapshot.of(repository)
    with pytest.raises(VerificationError) as refused:
        act()
    assert type(refused.value) is kind
    assert not layers or refused.value.layer in layers, refused.value
    assert exit_code(refused.value) == (10 if kind is VerificationError else 11)
    assert Snapshot.of(repository) == before
    return refused.value


# ------------------------------------------------------------------ what a pull's answer says


Change = Callable[[Scene, Parts], Sequence[Part]]


def entries(order: Callable[[list[Parts]], list[Parts]]) -> Change:
    """Shows the entries 4, 5 and 6 in another way."""
    return lambda _scene, parts: regrouped(parts, order(groups(parts)))


def control(**changes: Any) -> Change:
    """Says something else of the ends of the logs."""
    return lambda _scene, parts: with_control(parts, **changes)


def forged(**changes: Any) -> Change:
    """Shows entry 4 with other fields, the signature as it was."""

    def change(_scene: Scene, parts: Parts) -> Parts:
        first, *rest = groups(parts)
        return regrouped(parts, [[forge(first[0], **changes), *first[1:]], *rest])

    return change


def forge(part: Part, **changes: Any) -> Part:
    body = json.loads(part.data) | changes
    return Part(part.kind, canonical.encode(body))


def other_packs(scene: Scene, parts: Parts) -> Parts:
    """Shows the pack of entry 3 in place of that of entry 6."""
    *rest, last = groups(parts)
    return regrouped(parts, [*rest, [last[0], *scene.shop.group(3)[1:]]])


def renumbered(_scene: Scene, parts: Parts) -> Parts:
    """Leaves entry 5 out, and makes entry 6 the fifth."""
    fourth, fifth, sixth = groups(parts)
    moved = forge(sixth[0], seq=5, prev=json.loads(fifth[0].data)["prev"])
    return regrouped(parts, [fourth, [moved, *sixth[1:]]])


def other_project(scene: Scene, parts: Parts) -> Parts:
    return regrouped(parts, [scene.other.group(4), *groups(parts)[1:]])


def old_entry(scene: Scene, parts: Parts) -> Parts:
    return regrouped(parts, [scene.shop.group(2), *groups(parts)])


def other_signature(scene: Scene, parts: Parts) -> Parts:
    first, *rest = groups(parts)
    signature = json.loads(scene.shop.entry(2))["sig"]
    return regrouped(parts, [[forge(first[0], sig=signature), *first[1:]], *rest])


def bobs_membership(scene: Scene, parts: Parts) -> Parts:
    added = scene.his.members(2)
    assert added
    return [parts[0], *added, *parts[1:]]


CHAIN, WIRE = Layer.CHAIN, Layer.WIRE
LIES: dict[str, tuple[Change, type[VerificationError], tuple[Layer, ...]]] = {
    "the last entry is left out": (entries(lambda e: e[:-1]), VerificationError, (WIRE,)),
    "all entries are left out": (entries(lambda _: []), VerificationError, (WIRE,)),
    "an entry in the middle is left out": (
        entries(lambda e: [e[0], e[2]]),
        VerificationError,
        (CHAIN,),
    ),
    "the first entry is left out": (entries(lambda e: e[1:]), VerificationError, (CHAIN,)),
    "an entry is left out and the next renumbered": (
        renumbered,
        VerificationError,
        (Layer.SIGNATURE,),
    ),
    "an entry is replayed": (
        entries(lambda e: [e[0], e[0], *e[1:]]),
        VerificationError,
        (CHAIN,),
    ),
    "the last entry is replayed": (entries(lambda e: [*e, e[-1]]), VerificationError, (CHAIN,)),
    "an old entry is replayed": (old_entry, VerificationError, (CHAIN,)),
    "entries are exchanged": (
        entries(lambda e: [e[1], e[0], e[2]]),
        VerificationError,
        (CHAIN,),
    ),
    "an entry of another project": (other_project, VerificationError, (CHAIN,)),
    "another time": (forged(time=1), VerificationError, (Layer.SIGNATURE,)),
    "another operation": (forged(op=b64encode(bytes(16))), VerificationError, (Layer.SIGNATURE,)),
    "another epoch": (forged(epoch=2), VerificationError, (Layer.SIGNATURE, Layer.EPOCH)),
    "another actor": (forged(actor=b64encode(bytes(16))), VerificationError, (Layer.ROLE,)),
    "another membership": (forged(members=[2, ZEROS]), ForkError, ()),
    "another past": (forged(prev=ZEROS), ForkError, ()),
    "the signature of another entry": (other_signature, VerificationError, (Layer.SIGNATURE,)),
    "a field more": (forged(extra=1), VerificationError, (Layer.PARSE,)),
    "no control part": (lambda _scene, parts: parts[1:], VerificationError, (WIRE,)),
    "two control parts": (lambda _scene, parts: [parts[0], *parts], VerificationError, (WIRE,)),
    "an end before the pin": (control(head=[2, ZEROS]), RollbackError, ()),
    "an end before the entries": (control(head=[5, ZEROS]), RollbackError, ()),
    "another end": (control(head=[6, ZEROS]), ForkError, ()),
    "an end that does not come": (control(head=[7, ZEROS]), VerificationError, (WIRE,)),
    "a membership before the pin": (control(members=[1, ZEROS]), RollbackError, ()),
    "more membership than comes": (control(members=[9, ZEROS]), VerificationError, (WIRE,)),
    "no ends": (
        lambda _scene, parts: [Part(PartKind.CONTROL, b"{}"), *parts[1:]],
        RollbackError,
        (),
    ),
    "another membership log goes on": (
        bobs_membership,
        VerificationError,
        (CHAIN, Layer.MEMBERSHIP),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_pull_that_lies_is_refused(scene: Scene, behind: Repository, lie: str) -> None:
    change, kind, layers = LIES[lie]
    scene.evil.tamper = in_pulls(lambda parts: change(scene, parts))
    assert_refused(behind, behind.pull, kind, *layers)
    assert_refused(behind, behind.sync, kind, *layers)
    assert len(behind.log()) == 3


def test_another_membership_head_is_a_fork(scene: Scene, behind: Repository) -> None:
    def other_hash(parts: Parts) -> Parts:
        seq, _hash = control_of(parts)["members"]
        return with_control(parts, members=[seq, ZEROS])

    scene.evil.tamper = in_pulls(other_hash)
    assert_refused(behind, behind.pull, ForkError)


def test_more_without_an_end_is_refused(scene: Scene, behind: Repository) -> None:
    scene.evil.tamper = in_pulls(lambda parts: with_control(parts[:1], more=True))
    assert_refused(behind, behind.pull, VerificationError, Layer.WIRE)


def test_a_body_that_is_cut_off_is_refused(scene: Scene, behind: Repository) -> None:
    def cut(length: int) -> Tamper:
        def tamper(exchange: Exchange) -> Exchange:
            if "/pull?" not in exchange.path:
                return exchange
            return replace(exchange, body=exchange.body[:length])

        return tamper

    whole = len(pulled(scene, behind))
    for length in [1, 4, 5, 50, *random.Random(1).sample(range(whole), 25), whole - 1]:
        scene.evil.tamper = cut(length)
        assert_refused(behind, behind.pull, VerificationError, Layer.WIRE)


def pulled(scene: Scene, behind: Repository) -> bytes:
    """Returns the honest answer to the device that is behind."""
    taken: list[bytes] = []

    def take(exchange: Exchange) -> Exchange | None:
        if "/pull?" not in exchange.path:
            return exchange
        taken.append(exchange.body)
        return replace(exchange, status=204, media_type=None, body=b"")

    scene.evil.tamper = take
    behind.fetch()
    return taken[0]


def test_to_hide_what_is_new_cannot_be_noticed_and_loses_nothing(
    scene: Scene, behind: Repository
) -> None:
    """A server can always say that there is nothing new: until a device tells of more (P2)."""
    before = Snapshot.of(behind)
    scene.evil.tamper = instead_of_pulls(204)
    assert behind.fetch().entries == 0
    assert Snapshot.of(behind) == before
    push_refused = Snapshot.of(behind)
    assert push_refused == before


# ------------------------------------------------------------- what lies in the server's storage


def flip(data: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)


def sampled_flips(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Yields data with one bit flipped: at both ends, and at positions drawn from all of it."""
    drawn = random.Random(seed)
    places = {0, 1, 5, 14, 45, 46, len(data) - 1, *drawn.sample(range(len(data)), count)}
    for place in sorted(places):
        yield flip(data, place, drawn.randrange(8))


@contextmanager
def unchanged(repository: Repository) -> Iterator[None]:
    """Asserts that everything is as it was, after many things were tried."""
    before = Snapshot.of(repository)
    yield
    assert Snapshot.of(repository) == before


@pytest.mark.parametrize("seq", [4, 5, 6])
def test_a_flipped_bit_in_a_stored_pack_is_refused(
    scene: Scene, behind: Repository, seq: int
) -> None:
    (pack,) = scene.shop.packs[seq - 1]
    path = scene.evil.pack_path(pack)
    cut = [pack[:-1], pack[:46], b"\0", pack + b"\0"]
    try:
        with unchanged(behind):
            for changed in [*sampled_flips(pack, seq, 40), *cut]:
                path.write_bytes(changed)
                with pytest.raises(VerificationError) as refused:
                    behind.fetch()
                assert refused.value.layer in (Layer.PACK, Layer.WIRE)
    finally:
        path.write_bytes(pack)


@pytest.mark.parametrize("seq", [4, 5, 6])
def test_a_flipped_bit_in_an_entry_is_refused(scene: Scene, behind: Repository, seq: int) -> None:
    entry = scene.shop.entry(seq)
    changed = entry

    def show(parts: Parts) -> Parts:
        return [Part(part.kind, changed if part.data == entry else part.data) for part in parts]

    scene.evil.tamper = in_pulls(show)
    with unchanged(behind):
        for flipped in sampled_flips(entry, seq, 60):
            changed = flipped
            with pytest.raises(VerificationError):
                behind.fetch()
    changed = entry
    assert behind.fetch().entries == 3


def test_exchanged_packs_are_refused(scene: Scene, behind: Repository) -> None:
    (wanted,) = scene.shop.packs[5]
    path = scene.evil.pack_path(wanted)
    others = [*scene.shop.packs[1], *scene.other.packs[5], *scene.his.packs[0]]
    try:
        with unchanged(behind):
            for other in others:
                path.write_bytes(other)
                with pytest.raises(VerificationError) as refused:
                    behind.fetch()
                assert refused.value.layer in (Layer.PACK, Layer.WIRE)
    finally:
        path.write_bytes(wanted)


def test_a_pack_that_is_gone_is_told_by_name(scene: Scene, behind: Repository) -> None:
    (wanted,) = scene.shop.packs[5]
    path = scene.evil.pack_path(wanted)
    path.unlink()
    try:
        refused = assert_refused(behind, behind.fetch, VerificationError, Layer.PACK)
    finally:
        path.write_bytes(wanted)
    assert PackId(sha256(wanted).digest()).short in refused.message


def test_a_pack_that_came_wrong_is_asked_for_by_its_name(scene: Scene, behind: Repository) -> None:
    """Packs are known by their hash: a wrong one counts for nothing, the right one is fetched."""
    scene.evil.tamper = in_pulls(lambda parts: other_packs(scene, parts))
    assert behind.fetch().entries == 3
    assert any("/packs/" in asked for asked in scene.evil.asked())
    assert behind.fsck().clean


def test_a_clone_of_changed_data_leaves_nothing_behind(scene: Scene) -> None:
    (pack,) = scene.shop.packs[0]
    path = scene.evil.pack_path(pack)
    path.write_bytes(flip(pack, len(pack) // 2, 0))
    try:
        with pytest.raises(VerificationError) as refused:
            scene.desktop.clone("shop", "never")
    finally:
        path.write_bytes(pack)
    assert refused.value.layer is Layer.PACK
    assert not (scene.desktop.folder / "never").exists()


# ------------------------------------------------------------------------------- whole other logs


def test_another_project_in_its_place_is_refused(scene: Scene, behind: Repository) -> None:
    mine, others = scene.shop.project.b64, scene.other.project.b64
    scene.evil.readdress = lambda path: path.replace(mine, others)
    assert_refused(behind, behind.pull, ForkError)
    with pytest.raises(VerificationError) as refused:
        scene.desktop.clone("shop", "never")
    assert refused.value.layer is Layer.CHAIN
    assert not (scene.desktop.folder / "never").exists()


def test_another_membership_log_is_refused_by_a_clone(scene: Scene) -> None:
    entries = scene.his.members()

    def tamper(exchange: Exchange) -> Exchange:
        if "/organizations/" not in exchange.path or "/entries" not in exchange.path:
            return exchange
        return replace(exchange, status=200, media_type=MEDIA_TYPE, body=join_parts(entries))

    scene.evil.tamper = tamper
    with pytest.raises(VerificationError) as refused:
        scene.desktop.clone("shop", "never")
    assert refused.value.layer is Layer.MEMBERSHIP
    assert not (scene.desktop.folder / "never").exists()


@pytest.mark.parametrize("seq", [1, 2])
def test_a_flipped_bit_in_a_membership_entry_is_refused_by_a_clone(scene: Scene, seq: int) -> None:
    """Entry 1 founds the organization, entry 2 holds the wrapped key of the project."""
    entry = scene.shop.membership[seq - 1]
    changed = entry

    def tamper(exchange: Exchange) -> Exchange:
        if "/entries" not in exchange.path:
            return exchange
        parts = [
            Part(part.kind, changed if part.data == entry else part.data)
            for part in split_parts(exchange.body)
        ]
        return replace(exchange, body=join_parts(parts))

    scene.evil.tamper = tamper
    for flipped in sampled_flips(entry, seq, 40):
        changed = flipped
        with pytest.raises(VerificationError):
            scene.desktop.clone("shop", "never")
    assert not (scene.desktop.folder / "never").exists()


def test_an_organization_of_the_servers_own_making_is_refused_by_a_clone(scene: Scene) -> None:
    """Bob's organization is shown in place of Ada's, the list of projects included."""
    entries = scene.his.members()

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.path.endswith("/v1/projects"):
            listed = exchange.json
            for item in listed["projects"]:
                item.update(organization=scene.his.org.b64, project=scene.his.project.b64)
            return exchange.with_json(listed)
        if "/entries" in exchange.path:
            return replace(exchange, status=200, media_type=MEDIA_TYPE, body=join_parts(entries))
        return exchange

    scene.evil.tamper = tamper
    with pytest.raises(VerificationError) as refused:
        scene.desktop.clone("shop", "never")
    assert refused.value.layer is Layer.MEMBERSHIP
    assert not (scene.desktop.folder / "never").exists()


# -------------------------------------------------------------------------- rollbacks and forks


@pytest.fixture
def story(tmp_path: Path) -> Iterator[tuple[EvilServer, World]]:
    """A server of its own, whose data the test rolls back."""
    evil = EvilServer(tmp_path)
    yield evil, World(evil, tmp_path)
    evil.close()


def test_an_older_copy_of_all_data_is_refused(story: tuple[EvilServer, World]) -> None:
    evil, world = story
    with start(world.device("ada"), "shop") as repository:
        push_edits(repository, "Two")
        evil.save("old")
        push_edits(repository, "Three", "Four")
        evil.show("old")
        for act in (repository.fetch, repository.pull, repository.sync):
            assert_refused(repository, act, RollbackError)
        edit(repository, "req_2", name="More")
        repository.commit("More")
        assert_refused(repository, repository.push, RollbackError)
        evil.show("data")
        repository.sync()
        assert repository.fsck().clean


def test_an_older_log_that_claims_to_be_whole_is_refused(scene: Scene) -> None:
    """The server does not say that it has less: it answers as if its old end were new."""
    head = json.loads(scene.shop.entry(4))["prev"]
    members = [2, json.loads(scene.shop.entry(4))["members"][1]]
    for end in ([3, head], [0, ZEROS]):
        body = {"head": end, "members": members, "more": False}
        shown = [Part(PartKind.CONTROL, json.dumps(body).encode())]
        scene.evil.tamper = instead_of_pulls(200, shown)
        assert_refused(scene.newest, scene.newest.pull, RollbackError)


def test_a_log_that_grew_another_way_after_a_rollback_is_refused(
    story: tuple[EvilServer, World],
) -> None:
    evil, world = story
    with start(world.device("ada"), "shop") as first, world.device("ada").clone("shop") as second:
        evil.save("old")
        push_edits(first, "Seen by the first")
        evil.show("old")
        push_edits(second, "Seen by the second", "And one more")
        assert_refused(first, first.pull, ForkError)
        edit(first, "req_2", name="Push")
        first.commit("Push")
        assert_refused(first, first.push, ForkError)
        evil.show("data")
        assert_refused(second, second.pull, RollbackError)


def test_a_fork_shows_at_the_first_entry_of_the_other_side(
    story: tuple[EvilServer, World],
) -> None:
    """Even a server that passes over all its own checks cannot join what it has split."""
    evil, world = story
    with start(world.device("ada"), "shop") as first, world.device("ada").clone("shop") as second:
        evil.save("old")
        push_edits(first, "Seen by the first")
        evil.show("old")
        push_edits(second, "Seen by the second", "Shown to the first")
        shown = Held.of(second).group(3)
        end = second.context.store.log.pin
        members = [2, json.loads(shown[0].data)["members"][1]]
        body = {"head": [end.seq, end.hash.b64], "members": members, "more": False}
        control_part = Part(PartKind.CONTROL, json.dumps(body).encode())
        evil.tamper = instead_of_pulls(200, [control_part, *shown])
        assert_refused(first, first.pull, ForkError)


def test_a_push_that_is_taken_and_thrown_away_shows_at_the_next_pull(
    story: tuple[EvilServer, World],
) -> None:
    evil, world = story
    with start(world.device("ada"), "shop") as repository:
        evil.readdress = lambda path: (
            path.replace("/push", "/branches") if "/push" in path else path
        )
        evil.tamper = lambda exchange: (
            replace(exchange, status=201, body=b"") if "/push" in exchange.path else exchange
        )
        push_edits(repository, "Into the void")
        evil.honest()
        assert_refused(repository, repository.pull, RollbackError)


def test_a_lie_in_the_answer_to_a_late_push_is_refused(scene: Scene, behind: Repository) -> None:
    """Who pushes too late gets what it lacks with the refusal; that is verified as any pull."""
    edit(behind, "req_2", name="Late")
    behind.commit("Late")

    def tamper(exchange: Exchange) -> Exchange:
        if "/push" not in exchange.path or exchange.status != 409:
            return exchange
        parts = list(split_parts(exchange.body))
        return replace(exchange, body=join_parts(regrouped(parts, groups(parts)[1:])))

    scene.evil.tamper = tamper
    assert_refused(behind, behind.push, VerificationError, Layer.CHAIN)


def test_in_the_end_the_honest_server_is_believed(scene: Scene, behind: Repository) -> None:
    behind.pull()
    assert behind.log()[0].id == scene.newest.log("main")[0].id
    assert behind.fsck().clean
