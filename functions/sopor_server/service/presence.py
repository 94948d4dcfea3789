"""Who is present in a project: notes that members leave for each other, and that soon expire.

The server sees who is there and not what a note says (SPEC section 14). Viewers tell it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sopor_core.ids import ProjectId
from sopor_core.wire.events import MAX_PRESENT, PRESENCE_SECONDS
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.ports.records import Organization, Presence
from sopor_server.service import state
from sopor_server.service.context import Context
from sopor_server.service.membership import project_of_member


def put_presence(context: Context, caller: Caller, project: ProjectId, sealed: bytes) -> None:
    """Keeps the note of the caller's device for two minutes; an empty one ends it.

    Four reads and one write, three reads to end it.

    Raises:
        Refused: ``device-revoked``; as `project_of_member` does; ``quota-exceeded``: too many are
            present.
    """
    context.check_device(caller)
    project_of_member(context.store, caller, project)
    now = context.now()
    if sealed:
        _check_room(context, caller, project, now)
    expires = now + PRESENCE_SECONDS * 1000 if sealed else now
    context.store.put_presence(project, Presence(caller.account, caller.device, sealed, expires))


def _check_room(context: Context, caller: Caller, project: ProjectId, now: int) -> None:
    present = {note.device for note in context.store.presences(project, now)}
    if len(present - {caller.device}) >= MAX_PRESENT:
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"{MAX_PRESENT} devices are present in the project, which is the most",
            hint="nothing else depends on it; it is told again when there is room",
        )


def presences(context: Context, caller: Caller, project: ProjectId) -> Sequence[Presence]:
    """Returns who is present, by device. Four reads.

    Raises:
        Refused: ``device-revoked``; as `project_of_member` does.
    """
    context.check_device(caller)
    _, org = project_of_member(context.store, caller, project)
    return of_members(context.store.presences(project, context.now()), org, project)


def of_members(
    notes: Iterable[Presence], org: Organization, project: ProjectId
) -> Sequence[Presence]:
    """Returns the notes of those who have a role in the project now."""
    newest = state.of(org)
    return [note for note in notes if newest.role(note.account, project) is not None]
