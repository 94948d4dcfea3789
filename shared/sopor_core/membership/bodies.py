"""The bodies of membership entries: their shapes, and nothing about whether they hold (SPEC 8.2).

Every body parses itself from canonical JSON and raises VerificationError, of layer ``parse`` unless
a key in it is refused (``signature``, ``account``).
"""

from __future__ import annotations

from collections.abc import Mapping

from sopor_core.canonical import Json
from sopor_core.fields import Fields
from sopor_core.membership.parts import Body, EntryType
from sopor_core.membership.people import AccountRekey, Invite, InviteCancel, Join, Remove, SetRole
from sopor_core.membership.scopes import Genesis, NewEpochs, OrgSet, Plan, ProjectNew, ProjectSet

BODIES: Mapping[EntryType, type[Body]] = {
    kind.TYPE: kind
    for kind in (
        Genesis,
        Invite,
        InviteCancel,
        Join,
        SetRole,
        Remove,
        ProjectNew,
        ProjectSet,
        OrgSet,
        NewEpochs,
        AccountRekey,
        Plan,
    )
}


def parse_body(kind: EntryType, value: Json) -> Body:
    """Parses the body of an entry of a kind; raises VerificationError."""
    fields = Fields(value, f"a body of {kind}")
    body = BODIES[kind].from_fields(fields)
    fields.end()
    return body
