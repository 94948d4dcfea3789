"""Two teams that differ in names alone: the server stores the same but for random or keyed bytes.

Promise P8. Of contents see `tests/integration/test_blind_server.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

import pytest

from sopor.crypto.invites import InviteCode
from sopor.organization import managing
from sopor_core.encoding import b64decode
from sopor_core.errors import VerificationError
from sopor_core.membership import Role, Status
from tests.adversary.scene import FILE, edit
from tests.support.canaries import Needles
from tests.support.server import running_server
from tests.support.world import Device, World, request, v4_export, workspace

_TIMES = frozenset({"time", "created", "expires"})
_SIZES = frozenset({"size"})
"""Sizes of packs are equal where padded lengths are, which this story does not care for."""


@dataclass(frozen=True)
class Names:
    """What people call things; those of one field have the same length."""

    team: str
    renamed_team: str
    project: str
    renamed_project: str
    branch: str
    message: str

    @classmethod
    def drawn(cls, seed: int) -> Names:
        drawn = Random(seed)
        return cls(*("".join(drawn.choices(ascii_lowercase, k=20)) for _ in fields(cls)))

    def texts(self) -> dict[str, str]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True)
class Told:
    """What the server has after a story."""

    names: Names
    rows: Mapping[str, int]
    members: list[Any]
    pushes: list[Any]
    stored: Mapping[str, bytes]


def play(world: World, names: Names) -> None:
    """Founds, invites, gives and takes roles, renames, rotates, removes, archives."""
    ada, bob, carol = (world.device(person) for person in ("ada", "bob", "carol"))
    managing.create(ada.account(), names.team)
    author = ada.start(names.project, {FILE: v4_export(workspace(), request(1))})
    author.commit(names.message)
    author.push(org=names.team)
    for device, role in ((bob, Role.VIEWER), (carol, Role.EDITOR)):
        code = managing.invite(ada.team(), role, {}, days=7).code
        managing.join(device.account(), InviteCode.from_text(code))
    cancelled = InviteCode.from_text(managing.invite(ada.team(), Role.EDITOR, {}, days=7).code)
    managing.cancel_invite(ada.team(), cancelled.keys.invite.hex())
    managing.set_role(ada.team(), login(bob), Role.EDITOR)
    managing.set_role(ada.team(), login(carol), Role.NONE, names.project)
    managing.rename(ada.team(), names.renamed_team)
    managing.rename_project(ada.team(), names.project, names.renamed_project)
    managing.rotate(ada.team(), [])
    managing.remove(ada.team(), login(bob))
    author.switch(names.branch, create=True)
    edit(author, "req_1", name=names.message)
    author.commit(names.message)
    author.push()
    author.close()
    managing.set_status(ada.team(), names.renamed_project, Status.ARCHIVED)


def login(device: Device) -> str:
    return device.account().login


def tell(folder: Path, seed: int) -> Told:
    """Plays the story on a server of its own."""
    folder.mkdir()
    names = Names.drawn(seed)
    with running_server(folder / "data", SOPOR_LOGIN_RATE="100000") as server:
        play(World(server, folder), names)
        stored = {
            path.relative_to(server.data).as_posix(): path.read_bytes()
            for path in server.data.rglob("*")
            if path.is_file()
        }
        stored["the log"] = server.log.read_bytes()
        (path,) = server.data.glob("*.sqlite3")
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            rows = {table: len(all_of(database, table)) for (table,) in tables.fetchall()}
            members = entries_of(database, "membership_entries")
            pushes = entries_of(database, "push_entries")
    return Told(names, rows, members, pushes, stored)


def all_of(database: sqlite3.Connection, table: str) -> list[Any]:
    return database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def entries_of(database: sqlite3.Connection, table: str) -> list[Any]:
    """Returns all entries of a table without what is random or keyed."""
    rows = database.execute(f"SELECT entry FROM {table}").fetchall()  # noqa: S608
    return sorted((bare(json.loads(entry)) for (entry,) in rows), key=repr)


def bare(value: Any, name: str = "") -> Any:
    """Puts the length of bytes in their place; ids that are keys only count."""
    if isinstance(value, dict):
        if value and all(map(is_bytes, value)):
            return sorted((bare(inner) for inner in value.values()), key=repr)
        return {key: bare(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [bare(inner, name) for inner in value]
    if name in _TIMES | _SIZES:
        return name
    if name == "login":
        return len(value)
    return f"{len(value)} letters" if isinstance(value, str) and is_bytes(value) else value


def is_bytes(text: str) -> bool:
    """Tells whether a text is base64url of an id, a key or something sealed."""
    try:
        return len(b64decode(text)) >= 16
    except VerificationError:
        return False


def test_teams_that_differ_in_names_alone_look_alike(tmp_path: Path) -> None:
    one, two = (tell(tmp_path / f"team{seed}", seed) for seed in (1, 2))
    assert one.names != two.names
    assert one.rows == two.rows
    assert len(one.members) == 15 + 3
    assert one.members == two.members
    assert one.pushes == two.pushes
    for told in (one, two):
        needles = Needles()
        needles.add_texts(told.names.texts())
        assert needles.found_in(told.stored) == []


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ({"role": "viewer"}, {"role": "editor"}, False),
        ({"label": "A" * 122 + "AA"}, {"label": "B" * 122 + "BA"}, True),
        ({"label": "A" * 124}, {"label": "A" * 212}, False),
        ({"name": "shop"}, {"name": "till"}, False),
        ({"A" * 22: "editor"}, {"B" * 21 + "A": "viewer"}, False),
    ],
)
def test_the_comparison_sees_what_is_not_random(one: Any, two: Any, alike: bool) -> None:
    assert (bare(one) == bare(two)) is alike
