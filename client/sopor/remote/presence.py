"""Tells a server that this device is present in a project, and asks who else is (SPEC section 14).

Nothing that comes back is verified; `sopor.crypto.presence` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from sopor.records import dataclass
from sopor.remote.listings import fields_of
from sopor.remote.posting import Caller
from sopor.remote.transport import Call
from sopor_core.canonical import Json
from sopor_core.errors import Layer
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_core.limits import MIB
from sopor_core.wire.events import MAX_PRESENCE_BYTES, MAX_PRESENT
from sopor_core.wire.routes import Operation

_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class RemoteNote:
    """The note of a device, as the server tells it."""

    account: AccountId
    device: DeviceId
    sealed: bytes = field(repr=False)


class PresenceApi:
    """The presence of one account in projects.

    Every method raises what `sopor.remote.Remote` names.
    """

    def __init__(self, caller: Caller) -> None:
        """Takes who makes the requests."""
        self._caller = caller

    def put(self, project: ProjectId, sealed: bytes) -> None:
        """Leaves the note of this device for two minutes; an empty one ends it.

        It is not repeated: a later one says more than a late one.
        """
        names = {"project": project.b64}
        self._caller.call(
            Call(Operation.PRESENCE_PUT, names, body=sealed, media_type=_OCTETS, repeatable=False)
        )

    def of(self, project: ProjectId) -> Sequence[RemoteNote]:
        """Asks for the notes of a project."""
        call = Call(Operation.PRESENCE_GET, {"project": project.b64}, limit=MIB)
        return notes_of(fields_of(self._caller.call(call).body))


def notes_of(answer: Fields) -> Sequence[RemoteNote]:
    """Takes the notes out of an answer or an event; raises VerificationError."""
    return [_note(item) for item in answer.items("presence", high=MAX_PRESENT)]


def _note(value: Json) -> RemoteNote:
    item = Fields(value, "a presence", Layer.WIRE)
    return RemoteNote(
        item.id("account", AccountId),
        item.id("device", DeviceId),
        item.data("sealed", max_size=MAX_PRESENCE_BYTES),
    )
