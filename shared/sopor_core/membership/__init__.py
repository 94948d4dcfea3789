"""The membership log: who belongs to an organization, and who has which keys (SPEC 8.2).

`bodies` has the shapes, `roles` who has access, `rules` what each entry needs, `log` the replay.
"""

from sopor_core.membership.bodies import (
    WRAP_BYTES,
    AccountRekey,
    Body,
    EntryType,
    Epoch,
    Genesis,
    Invite,
    InviteCancel,
    Join,
    Label,
    NewEpochs,
    OrgSet,
    Plan,
    ProjectNew,
    ProjectSet,
    Remove,
    SetRole,
    Status,
    join_message,
    rekey_message,
)
from sopor_core.membership.entry import MembershipEntry
from sopor_core.membership.log import Cut, MembershipLog, writable_epoch
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
