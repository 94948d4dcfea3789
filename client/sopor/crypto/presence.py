"""Seals and opens the note that says on which branch a device works (SPEC section 14).

A note is for the members of the project alone. It proves who wrote it, but not that its writer is
still there: the server keeps notes, and readers go by their time.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import replace

from sopor.crypto.keys import ProjectKeys, u32
from sopor.crypto.primitives import RandomSource, hkdf, open_sealed, seal
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_core.limits import MAX_NAME_BYTES
from sopor_core.membership import MembershipLog
from sopor_core.names import check_branch_name
from sopor_core.push_entry import Signer
from sopor_core.signing import PRESENCE, signed_message

MAX_DEVICE_NAME_BYTES = 64
MAX_AGE_MS = 5 * 60 * 1000
_PADDED_BYTES = 512
_EPOCH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody works: an account at one of its devices, in a project."""

    project: ProjectId
    account: AccountId
    device: DeviceId


@dataclass(frozen=True, slots=True)
class Note:
    """What a device says: its branch and its own name, since when it is there, and when it said so.

    Times are in milliseconds since 1970.
    """

    branch: str
    name: str
    since: int
    time: int

    def to_json(self) -> dict[str, Json]:
        """Returns the note without its signature."""
        return {
            "v": 1,
            "branch": self.branch,
            "name": self.name,
            "since": self.since,
            "time": self.time,
        }


def seal_note(
    keys: ProjectKeys,
    epoch: int,
    desk: Desk,
    note: Note,
    signer: Signer,
    random: RandomSource = secrets.token_bytes,
) -> bytes:
    """Signs and seals a note for the members of the project; returns 544 bytes.

    The name of the device is cut to what fits.

    Raises:
        InvalidValue: the branch's name is not allowed, or leaves no room for the device's.
        VerificationError: layer ``epoch``, without that epoch's key.
    """
    check_branch_name(note.branch)
    name = _fitting("".join(c for c in note.name if _is_shown(c)), MAX_DEVICE_NAME_BYTES)
    while name:
        signed = _signed(replace(note, name=name), desk, signer)
        if len(signed) <= _PADDED_BYTES - 2:
            plain = len(signed).to_bytes(2, "big") + signed
            plain += bytes(_PADDED_BYTES - len(plain))
            sealed = seal(_key(keys, epoch), plain, _associated(desk, epoch), random)
            return u32(epoch) + sealed
        name = name[:-1]
    raise InvalidValue("a presence needs a name of the device and a shorter name of the branch")


def _fitting(text: str, size: int) -> str:
    return text.encode("utf-8")[:size].decode("utf-8", "ignore")


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs")


def _signed(note: Note, desk: Desk, signer: Signer) -> bytes:
    signature = signer.sign(_message(note, desk))
    return canonical.encode({**note.to_json(), "sig": b64encode(signature)})


def _message(note: Note, desk: Desk) -> bytes:
    bound = {"project": desk.project.b64, "account": desk.account.b64, "device": desk.device.b64}
    return signed_message(PRESENCE, {**note.to_json(), **bound})


def open_note(keys: ProjectKeys, log: MembershipLog, desk: Desk, sealed: bytes, now: int) -> Note:
    """Opens and verifies the note of a desk, by the verified log of the project's organization.

    ``now`` is the present time in milliseconds.

    Raises:
        VerificationError: layer ``epoch``, ``membership``, ``presence``, ``canonical``, ``parse``
            or ``signature``.
    """
    epoch = int.from_bytes(sealed[:_EPOCH_BYTES], "big")
    if epoch != log.keys(desk.project).epoch:
        raise VerificationError(Layer.EPOCH, "a presence is not of the present epoch")
    if log.access.role(desk.account, desk.project) is None:
        raise VerificationError(Layer.MEMBERSHIP, "a presence is of who has no role here")
    plain = open_sealed(
        _key(keys, epoch),
        sealed[_EPOCH_BYTES:],
        _associated(desk, epoch),
        Layer.PRESENCE,
        "a presence",
    )
    note, signature = _parsed(_unpadded(plain))
    log.identity(desk.account).signing.verify(signature, _message(note, desk))
    _check(note, now)
    return note


def _unpadded(plain: bytes) -> bytes:
    end = 2 + int.from_bytes(plain[:2], "big")
    if len(plain) != _PADDED_BYTES or end > _PADDED_BYTES or any(plain[end:]):
        raise VerificationError(Layer.PRESENCE, "a presence is not padded as it must be")
    return plain[2:end]


def _parsed(data: bytes) -> tuple[Note, bytes]:
    fields = Fields(canonical.decode(data), "a presence")
    fields.version()
    note = Note(
        branch=fields.text("branch", MAX_NAME_BYTES),
        name=fields.text("name", MAX_DEVICE_NAME_BYTES),
        since=fields.integer("since"),
        time=fields.integer("time"),
    )
    signature = fields.data("sig", 64)
    fields.end()
    return note, signature


def _check(note: Note, now: int) -> None:
    if not note.name or not all(map(_is_shown, note.name)):
        raise VerificationError(Layer.PRESENCE, "a presence has a bad name of a device")
    try:
        check_branch_name(note.branch)
    except InvalidValue as error:
        raise VerificationError(Layer.PRESENCE, error.message) from None
    if note.since > note.time:
        raise VerificationError(Layer.PRESENCE, "a presence begins after it was told")
    if abs(note.time - now) > MAX_AGE_MS:
        raise VerificationError(
            Layer.PRESENCE,
            "a presence is more than five minutes from this clock",
            hint="if it is not shown for long, set the clocks of both devices",
        )


def _key(keys: ProjectKeys, epoch: int) -> bytes:
    return hkdf(keys.secret(epoch).reveal(), b"", PRESENCE, keys.project + u32(epoch))


def _associated(desk: Desk, epoch: int) -> bytes:
    bound = desk.project + u32(epoch) + desk.account + desk.device
    return PRESENCE.encode("ascii") + b"\0" + bound
