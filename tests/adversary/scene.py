"""Ada's project on an evil server, and what all its lies are measured by."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pytest

from sopor.errors import VerificationError, exit_code
from sopor.repository import Repository
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer
from sopor_core.ids import OrgId, ProjectId
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts
from tests.support.evil import (
    EvilServer,
    Parts,
    Snapshot,
)
from tests.support.tampering import Exchange
from tests.support.world import Device, request, v4_export, workspace

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

    Her project ``shop`` has 6 entries, all of them are on ``newest``; ``asleep`` is a copy of the
    desktop of the time when there were 3, ``fresh`` one that was only logged in. ``other`` is
    another project of hers, ``his`` is one of Bob's, who has an account of his own.
    """

    evil: EvilServer
    desktop: Device
    asleep: Device
    fresh: Device
    newest: Repository
    shop: Held
    other: Held
    his: Held


def start(device: Device, name: str) -> Repository:
    repository = device.start(name, {FILE: v4_export(workspace(), request(1), request(2))})
    repository.commit("Start")
    repository.push()
    return repository


def asleep(device: Device, name: str) -> Device:
    """Copies a device as it is now: it does not see what happens from now on."""
    root = device.folder.with_name(f"{device.folder.name}-{name}")
    shutil.copytree(device.folder, root)
    return replace(device, home=root / device.home.name, folder=root)


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


def shown_members(exchange: Exchange, entries: Sequence[bytes]) -> Exchange:
    """Answers as a server does that has this membership log."""
    (after,) = parse_qs(urlsplit(exchange.path).query)["after"]
    parts = [Part(PartKind.MEMBERSHIP_ENTRY, data) for data in entries[int(after) :]]
    return replace(exchange, status=200, media_type=MEDIA_TYPE, body=join_parts(parts))


@contextmanager
def unchanged(repository: Repository) -> Iterator[None]:
    """Asserts that everything is as it was, after many things were tried."""
    before = Snapshot.of(repository)
    yield
    assert Snapshot.of(repository) == before
