"""Who works on which branch of a project, as they say themselves (SPEC section 14).

A note that does not verify is not shown, and nothing else comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sopor.crypto.presence import Desk, Note, open_note, seal_note
from sopor.errors import Busy
from sopor.moments import Moment, now
from sopor.records import dataclass
from sopor.remote.presence import PresenceApi
from sopor.repository.auditing import login_of
from sopor.repository.connection import Connection
from sopor.repository.context import Context
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, DeviceId

if TYPE_CHECKING:
    from sopor.account import Account
    from sopor.remote.presence import RemoteNote

SETTING = "presence"
ON = "on"
_BEHIND = frozenset({Layer.EPOCH, Layer.MEMBERSHIP})
"""A note that is refused for these may be of a member or a key that is not known here so far."""


@dataclass(frozen=True, slots=True)
class Present:
    """A device of a member that says on which branch it works.

    Attributes:
        account: whose it is; verified, as is what the note says.
        by: the login name of that account.
        device: the device.
        name: what it is called.
        branch: the branch that it says.
        since: since when, by its own clock.
        told: when it last said so, by its own clock.
        here: whether it is this device.
    """

    account: AccountId
    by: str
    device: DeviceId
    name: str
    branch: str
    since: Moment
    told: Moment
    here: bool


def is_told(context: Context) -> bool:
    """Tells whether a watch of this working copy tells others where it is."""
    return context.accounts.config.get(SETTING, context.store) == ON


def presence(context: Context) -> tuple[Present, ...]:
    """Asks who is present, verifies it, and returns it by login name and device.

    Receives what is new in the project first, if a note is of a member or key that is not known
    here; another command under way keeps it from that.

    Raises:
        StateConflict: the project is on no server yet.
        ServerUnreachable, PermissionDenied, ...: as a fetch does.
    """
    connection = Connection.of(context)
    notes = PresenceApi(connection.remote).of(context.project)
    reader = Reader(context, connection)
    if any(reader.refusal(note) in _BEHIND for note in notes):
        with suppress(Busy), context.store.exclusive():
            connection.fetch()
    return reader.read(notes)


class Reader:
    """Verifies notes, by what is known of the members now."""

    def __init__(self, context: Context, connection: Connection) -> None:
        """Takes a connected working copy."""
        self._context = context
        self._connection = connection
        self._own = connection.account.device

    def read(self, notes: Sequence[RemoteNote]) -> tuple[Present, ...]:
        """Returns those that verify, by login name and device."""
        found = [present for note in notes for present in self._read(note)]
        return tuple(sorted(found, key=lambda one: (one.by, one.name, one.device)))

    def refusal(self, note: RemoteNote) -> Layer | None:
        """Returns why a note is refused, None if it is not."""
        try:
            self._open(note)
        except VerificationError as error:
            return error.layer
        return None

    def _read(self, note: RemoteNote) -> Iterator[Present]:
        with suppress(VerificationError):
            said = self._open(note)
            yield Present(
                note.account,
                login_of(self._connection.membership, note.account),
                note.device,
                said.name,
                said.branch,
                Moment(said.since),
                Moment(said.time),
                note.device == self._own,
            )

    def _open(self, note: RemoteNote) -> Note:
        desk = Desk(self._context.project, note.account, note.device)
        membership = self._connection.membership
        return open_note(self._context.keys, membership, desk, note.sealed, now())


class Teller:
    """Tells the members of a project where this device is; for one thread."""

    def __init__(self, context: Context) -> None:
        """Connects; raises StateConflict if the project is on no server yet."""
        self._context = context
        self._connection = Connection.of(context)
        self.branch: str | None = None
        """What was told last, None after `end`."""
        self._since: tuple[str, int] | None = None

    def tell(self, branch: str) -> None:
        """Tells a branch, and since when it is this one.

        Raises:
            VerificationError: the project has no key in force, or is not active.
            SoporError: as the server refuses it, or does not answer.
        """
        context, account = self._context, self._connection.account
        time = now()
        if self._since is None or self._since[0] != branch:
            self._since = (branch, time)
        membership = self._connection.membership
        epoch = membership.epoch_at(context.project, membership.head.seq)
        note = Note(branch, account.known.device_name, min(self._since[1], time), time)
        sealed = seal_note(context.keys, epoch, self._desk(account), note, account.keys)
        PresenceApi(self._connection.remote).put(context.project, sealed)
        self.branch = branch

    def end(self) -> None:
        """Ends what was told; raises as `tell` does."""
        self.branch = self._since = None
        PresenceApi(self._connection.remote).put(self._context.project, b"")

    def _desk(self, account: Account) -> Desk:
        return Desk(self._context.project, account.identity.account, account.device)
