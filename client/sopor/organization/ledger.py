"""The membership logs that this device has verified, one file each: its pins (SPEC section 11).

A file holds the entries as they came, ``u32 length || bytes`` each. It is replaced as a whole, so
that it is never seen half-written. What a server shows later must continue it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sopor.disk import read_private, write_private
from sopor.errors import DamagedStore, fewer_members
from sopor.organization.notes import folder_of, locked
from sopor_core.errors import ForkError, Layer, VerificationError
from sopor_core.ids import AccountId, OrgId
from sopor_core.membership import MembershipEntry, MembershipLog

_LENGTH_BYTES = 4


class Ledger:
    """The verified membership logs of one account on this device."""

    def __init__(self, home: Path, account: AccountId) -> None:
        """Takes the folder of the keystore; creates nothing."""
        self._folder = folder_of(home, account)

    def load(self, org: OrgId) -> list[bytes]:
        """Returns the verified entries of a log, none if it was never seen; raises DamagedStore."""
        path = self._path(org)
        data = read_private(path)
        try:
            return [] if data is None else list(_split(data))
        except VerificationError as error:
            raise DamagedStore(
                f"{path} does not read back ({error.detail})",
                hint="restore it from a backup; deleted, this device forgets what it had "
                "verified of the organization",
            ) from None

    def known(self) -> list[OrgId]:
        """Returns the organizations that this device has a verified log of."""
        names = sorted(path.stem for path in self._folder.glob("*.log"))
        return [OrgId.from_hex(name) for name in names]

    def extend(self, log: MembershipLog, entries: Iterable[bytes]) -> list[MembershipEntry]:
        """Verifies what follows a log, takes it in and keeps it; returns the new entries.

        Args:
            log: the log so far, replayed from `load`.
            entries: as the server sent them.

        Raises:
            ForkError: the entries continue another history.
            VerificationError: an entry does not verify; nothing is kept of any.
            Busy, DiskFull: the file cannot be changed.
        """
        trial = [MembershipEntry.parse(data) for data in entries]
        if not trial:
            return []
        for entry in trial:
            log.append(entry)
        self._keep(log.org, trial[0].seq, [entry.encoded for entry in trial])
        return trial

    def adopt(self, org: OrgId, verified: list[bytes]) -> None:
        """Keeps a log that was verified elsewhere on this device.

        Raises:
            RollbackError: it is shorter than the one known here.
            ForkError: it is another one.
        """
        known = self.load(org)
        if known == verified:
            return
        if known[: len(verified)] != verified[: len(known)]:
            raise ForkError("the server shows another membership log than was verified before")
        if len(verified) < len(known):
            raise fewer_members(len(verified), len(known))
        self._keep(org, 1, verified)

    def _keep(self, org: OrgId, first: int, entries: list[bytes]) -> None:
        with locked(self._folder):
            known = self.load(org)
            if len(known) >= first + len(entries) - 1:
                return
            kept = known[: first - 1] + entries
            write_private(self._path(org), b"".join(map(_framed, kept)))

    def check_shown(self, log: MembershipLog, shown: int) -> None:
        """Raises RollbackError if a server shows fewer entries than this device has verified."""
        if shown < log.head.seq:
            raise fewer_members(shown, log.head.seq)

    def _path(self, org: OrgId) -> Path:
        return self._folder / f"{org.hex()}.log"


def _framed(entry: bytes) -> bytes:
    return len(entry).to_bytes(_LENGTH_BYTES, "big") + entry


def _split(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(data[at:start], "big")
        if end > len(data) or end == start:
            raise VerificationError(Layer.PARSE, "an entry is cut off")
        yield data[start:end]
        at = end
