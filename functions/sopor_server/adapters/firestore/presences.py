"""Who is present in a project, in Firestore: one document of each project, a field of each device.

A note is put by one write of its field, whatever the others are: two devices never wait for each
other, and no read comes first. Fields of devices that are gone leave with a later write of a
process that read them; one that came back in that very moment tells itself again within a minute.
Where nobody is present any more, Firestore deletes the document, some minutes after any note in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.organizations import presence_path
from sopor_server.adapters.firestore.settling import Recent, settle
from sopor_server.adapters.firestore.values import Value
from sopor_server.ports.records import Presence

_EXPIRES = "expires"
_PREFIX = "d"
_TIME_BYTES = 8
_SLACK = timedelta(minutes=5)
_GONE_MS = 10 * 60 * 1000
"""A field goes when its note expired so long ago, so that hardly any device is just coming back."""


class Presences:
    """The notes of all projects of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gone: Recent[tuple[str, ...]] = Recent(256)

    def put(self, project: ProjectId, presence: Presence) -> None:
        """Keeps a note instead of the one before, or ends it."""
        path, own = presence_path(project), _field(presence.device)
        gone = [name for name in self._gone.find(path) or () if name != own]
        self._gone.forget(path)
        fields: dict[str, Value] = {
            _EXPIRES: datetime.fromtimestamp(presence.expires / 1000, UTC) + _SLACK
        }
        if presence.sealed:
            fields[own] = _packed(presence)
        else:
            gone.append(own)
        write = self._database.merge(path, fields, gone)
        settle(self._database, lambda _: [write])

    def of_project(self, project: ProjectId, now: int) -> Sequence[Presence]:
        """Returns the notes that have not expired."""
        path = presence_path(project)
        found = self._database.get(path)
        if found is None:
            return []
        notes = {
            name: _unpacked(name, value)
            for name, value in sorted(found.fields.items())
            if name != _EXPIRES
        }
        gone = (name for name, note in notes.items() if note.expires + _GONE_MS < now)
        self._gone.note(path, tuple(gone))
        return [note for note in notes.values() if note.expires >= now]


def _field(device: DeviceId) -> str:
    return _PREFIX + device.hex()


def _packed(presence: Presence) -> bytes:
    time = presence.expires.to_bytes(_TIME_BYTES, "big")
    return presence.account + time + presence.sealed


def _unpacked(name: str, value: bytes) -> Presence:
    account, rest = value[: AccountId.SIZE], value[AccountId.SIZE :]
    return Presence(
        AccountId(account),
        DeviceId.from_hex(name.removeprefix(_PREFIX)),
        rest[_TIME_BYTES:],
        int.from_bytes(rest[:_TIME_BYTES], "big"),
    )
