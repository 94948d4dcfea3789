"""A server whose owner is evil: can put back old data, change what is stored and what is answered.

evil = EvilServer(tmp_path)
evil.tamper = in_pulls(lambda parts: parts[:-1])
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from sopor.remote.answers import MAX_ANSWER_BYTES
from sopor.repository import Repository
from sopor_core.encoding import b64decode
from sopor_core.wire.deflated import split_answer
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts
from tests.support.server import RunningServer, start_server
from tests.support.tampering import Exchange, Tamper, TamperingProxy

Parts = list[Part]


class EvilServer(TamperingProxy):
    """An honest server process under an evil owner; devices know the address of the owner."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = self._start(folder / "data")
        self.readdress: Callable[[str], str] = lambda path: path
        super().__init__(self._server.url)
        self._thread = Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @staticmethod
    def _start(data: Path) -> RunningServer:
        return start_server(data, SOPOR_LOGIN_RATE="100000")

    @property
    def data(self) -> Path:
        """The data folder in use."""
        return self._server.data

    def honest(self) -> None:
        """Stops tampering with requests and answers."""
        super().honest()
        self.readdress = lambda path: path

    def save(self, name: str) -> None:
        """Copies the data as it is now, under a name."""
        self._server.stop()
        shutil.copytree(self.data, self._folder / name)
        self._use(self.data)

    def show(self, name: str) -> None:
        """Serves a copy of the data from now on; ``data`` is what it began with."""
        self._server.stop()
        self._use(self._folder / name)

    def _use(self, data: Path) -> None:
        self._server = self._start(data)
        self.target = urlsplit(self._server.url).netloc

    def pack_path(self, pack: bytes) -> Path:
        """Returns the file of a stored pack, by its bytes' hash."""
        name = sha256(pack).hexdigest()
        found = [path for path in self.packs() if path.name == name]
        assert len(found) == 1, "the pack is not stored under its hash"
        return found[0]

    def packs(self) -> list[Path]:
        """Returns the files of all stored packs."""
        return sorted(path for path in (self.data / "blobs").rglob("*") if path.is_file())

    def _forward(self, method: str, path: str, sent: bytes, headers: dict[str, str]) -> Exchange:
        exchange = super()._forward(method, self.readdress(path), sent, headers)
        return replace(exchange, path=path)

    def close(self) -> None:
        """Ends the server."""
        self.http.shutdown()
        self.http.server_close()
        self._thread.join()
        with suppress(ProcessLookupError):
            self._server.stop()


def in_pulls(change: Callable[[Parts], Sequence[Part]]) -> Tamper:
    """Alters the parts of every pull's answer."""

    def tamper(exchange: Exchange) -> Exchange:
        if "/pull?" not in exchange.path or exchange.status != 200:
            return exchange
        changed = change(taken_apart(exchange.body))
        return replace(exchange, body=join_parts(changed))

    return tamper


def instead_of_pulls(status: int, parts: Sequence[Part] = ()) -> Tamper:
    """Answers every pull with this, whatever the honest server says."""

    def tamper(exchange: Exchange) -> Exchange:
        if "/pull?" not in exchange.path:
            return exchange
        return replace(exchange, status=status, media_type=MEDIA_TYPE, body=join_parts(parts))

    return tamper


def taken_apart(body: bytes) -> Parts:
    """Returns the parts of an answer, none of them compressed, each pack behind its entry."""
    parts = list(split_answer(body, MAX_ANSWER_BYTES))
    packs = {sha256(part.data).digest(): part for part in parts if part.kind is PartKind.PACK}
    ordered: Parts = []
    for part in parts:
        if part.kind is not PartKind.PACK:
            ordered.append(part)
        if part.kind is PartKind.PUSH_ENTRY:
            listed = json.loads(part.data)["packs"]
            found = (packs.pop(b64decode(pack["id"]), None) for pack in listed)
            ordered += [pack for pack in found if pack is not None]
    assert not packs
    return ordered


def with_control(parts: Sequence[Part], **changes: Any) -> Parts:
    """Returns the parts with other members of their control part."""
    control = json.loads(parts[0].data) | changes
    return [Part(PartKind.CONTROL, json.dumps(control).encode()), *parts[1:]]


def control_of(parts: Sequence[Part]) -> dict[str, Any]:
    """Returns the control part."""
    found: dict[str, Any] = json.loads(parts[0].data)
    return found


def groups(parts: Sequence[Part]) -> list[Parts]:
    """Returns the push entries, each with the packs that follow it."""
    found: list[Parts] = []
    for part in parts:
        if part.kind is PartKind.PUSH_ENTRY:
            found.append([part])
        elif part.kind is PartKind.PACK:
            found[-1].append(part)
    return found


def regrouped(parts: Sequence[Part], entries: Sequence[Parts]) -> Parts:
    """Returns the parts with these entries and packs in place of theirs."""
    head = [p for p in parts if p.kind in (PartKind.CONTROL, PartKind.MEMBERSHIP_ENTRY)]
    return [*head, *(part for group in entries for part in group)]


@dataclass(frozen=True)
class Snapshot:
    """Everything that a working copy holds: its files, its store, its database row by row."""

    files: dict[str, bytes]
    rows: tuple[str, ...]

    @classmethod
    def of(cls, repository: Repository) -> Snapshot:
        """Takes a snapshot."""
        store = repository.context.store
        files = {
            path.relative_to(repository.root).as_posix(): path.read_bytes()
            for path in repository.root.rglob("*")
            if path.is_file() and not path.name.startswith(("sopor.db", "lock"))
        }
        with closing(sqlite3.connect(store.database.path)) as connection:
            return cls(files, tuple(connection.iterdump()))
