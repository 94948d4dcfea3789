"""The membership log: who belongs to an organization, and who has which keys (SPEC 8.2).

`bodies`, made of `people`, `scopes` and `parts`, has the shapes; `roles` who has access, `rules`
what each entry needs, `log` the replay.
"""

from sopor_core.membership.entry import MembershipEntry
from sopor_core.membership.log import Cut, MembershipLog, writable_epoch
from sopor_core.membership.parts import WRAP_BYTES, Body, EntryType, Epoch, Label, Status
from sopor_core.membership.people import (
    AccountRekey,
    Invite,
    InviteCancel,
    Join,
    Remove,
    SetRole,
    join_message,
    rekey_message,
)
from sopor_core.membership.roles import (
    Access,
    OpenInvite,
    Recipient,
    Recipients,
    Role,
    Scope,
    Seat,
)
from sopor_core.membership.rules import ScopeKeys
from sopor_core.membership.scopes import Genesis, NewEpochs, OrgSet, Plan, ProjectNew, ProjectSet

__all__ = [
    "WRAP_BYTES",
    "Access",
    "AccountRekey",
    "Body",
    "Cut",
    "EntryType",
    "Epoch",
    "Genesis",
    "Invite",
    "InviteCancel",
    "Join",
    "Label",
    "MembershipEntry",
    "MembershipLog",
    "NewEpochs",
    "OpenInvite",
    "OrgSet",
    "Plan",
    "ProjectNew",
    "ProjectSet",
    "Recipient",
    "Recipients",
    "Remove",
    "Role",
    "Scope",
    "ScopeKeys",
    "Seat",
    "SetRole",
    "Status",
    "join_message",
    "rekey_message",
    "writable_epoch",
]
