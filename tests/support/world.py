"""A small world for stories: one real server process, and devices that use the library.

world.register("ada")
laptop = world.device("ada")
repository = laptop.start("project", {"a.json": v4_export(...)})
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

import sopor
from sopor.account import Account, Setup, login, read_kit, register, unlock
from sopor.keystore import FixedPassword, Keystore, Protection
from sopor.organization import Organization, find_organization
from sopor.repository import Repository
from sopor_core.account import KdfParameters

PASSWORD = "correct horse battery staple"
CHEAP = KdfParameters(m=65536, t=3, p=4)
"""The lowest costs that the formats allow: stories are not about waiting."""


@dataclass
class Device:
    """One machine of a person: a keystore and a place for working copies."""

    home: Path
    folder: Path
    passwords: FixedPassword = field(default_factory=lambda: FixedPassword(PASSWORD))

    def start(self, name: str, files: Mapping[str, bytes]) -> Repository:
        """Starts a project with these working files."""
        root = self.folder / name
        write_files(root, files)
        return Repository.init(root, name=name, home=self.home, passwords=self.passwords)

    def clone(self, project: str, name: str | None = None, branch: str | None = None) -> Repository:
        """Clones a project into a folder of this device."""
        folder = self.folder / (name or project)
        return sopor.clone(project, folder, branch=branch, home=self.home, passwords=self.passwords)

    def account(self) -> Account:
        """Unlocks the account of this device."""
        return unlock(Keystore(self.home), self.passwords)

    def team(self, word: str | None = None) -> Organization:
        """Fetches and verifies an organization; by default the only team."""
        return find_organization(self.account(), word)

    def open(self, name: str) -> Repository:
        """Opens a working copy of this device again."""
        return Repository.open(self.folder / name, home=self.home, passwords=self.passwords)


class Server(Protocol):
    """Something that answers as a server, or as what stands before one."""

    url: str


@dataclass
class World:
    """A server and its people."""

    server: Server
    folder: Path
    kits: dict[str, Path] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    def device(self, person: str) -> Device:
        """Returns a new device that the person is logged in on; the first one registers."""
        root = self.folder / f"{person}-{next(self._numbers)}"
        root.mkdir(parents=True)
        setup = Setup(keystore=Keystore(root / "keystore"), protection=Protection.FILE, costs=CHEAP)
        name = f"{person}-{self.folder.name.lower()}@example.com"
        if person not in self.kits:
            self.kits[person] = root / "kit.txt"
            register(setup, self.server.url, name, PASSWORD, self.kits[person])
        else:
            kit = read_kit(self.kits[person])
            login(setup, self.server.url, name, PASSWORD, kit.secret_key)
        return Device(root / "keystore", root)


def write_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Writes working files."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def v4_export(*resources: Mapping[str, object]) -> bytes:
    """Returns a v4 JSON export that holds these resources."""
    export = {
        "_type": "export",
        "__export_format": 4,
        "__export_date": "2026-01-01T00:00:00.000Z",
        "__export_source": "insomnia.desktop.app:v2023.5.8",
        "resources": list(resources),
    }
    return json.dumps(export, indent=2).encode()


def workspace(name: str = "Work") -> dict[str, object]:
    """Returns a workspace resource."""
    return {"_id": "wrk_1", "_type": "workspace", "parentId": None, "name": name, "scope": "design"}


def request(number: int, **fields: object) -> dict[str, object]:
    """Returns a request resource of the workspace."""
    return {
        "_id": f"req_{number}",
        "_type": "request",
        "parentId": "wrk_1",
        "name": f"Request {number}",
        "method": "GET",
        "url": f"https://example.com/{number}",
        "headers": [],
        "metaSortKey": -number,
    } | fields
