"""Faults in the keys of membership entries, each of which must be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sopor_core.ids import AccountId, InviteId
from sopor_core.membership import (
    AccountRekey,
    Body,
    Epoch,
    Invite,
    InviteCancel,
    Join,
    NewEpochs,
    ProjectNew,
    Remove,
    SetRole,
)
from tests.properties.organizations import NOWHERE


def broken(body: Body, fault: int) -> Body | None:
    """The body with a fault in its keys, or None where the fault does not apply; 0 is none."""
    change = FAULTS.get(fault)
    return change(body) if change else None


def _without_a_wrap(body: Body) -> Body | None:
    if not isinstance(body, Invite | Join | SetRole | AccountRekey) or not body.wraps:
        return None
    return replace(body, wraps=dict([*body.wraps.items()][1:]))


def _without_an_epoch(body: Body) -> Body | None:
    if isinstance(body, NewEpochs) or not isinstance(body, InviteCancel | SetRole | Remove):
        return None
    return replace(body, epochs=dict([*body.epochs.items()][1:])) if body.epochs else None


def _changed_epoch(change: Callable[[Epoch], Epoch]) -> Callable[[Body], Body | None]:
    def changed(body: Body) -> Body | None:
        if isinstance(body, ProjectNew):
            return replace(body, first=change(body.first))
        if not isinstance(body, InviteCancel | SetRole | Remove | NewEpochs) or not body.epochs:
            return None
        scope = next(iter(body.epochs))
        return replace(body, epochs={**body.epochs, scope: change(body.epochs[scope])})

    return changed


def _lacking(epoch: Epoch) -> Epoch:
    return replace(epoch, wraps=dict([*epoch.wraps.items()][1:]))


def _stranger(epoch: Epoch) -> Epoch:
    return replace(epoch, wraps={**epoch.wraps, AccountId(b"stranger" * 2): bytes(80)})


def _ghost(epoch: Epoch) -> Epoch:
    return replace(epoch, invites={**epoch.invites, InviteId(b"stranger" * 2): bytes(80)})


def _renumbered(epoch: Epoch) -> Epoch:
    return replace(epoch, number=epoch.number + 1)


def _cut_the_other_way(epoch: Epoch) -> Epoch:
    return replace(epoch, cut=NOWHERE if epoch.cut is None else None)


FAULTS: dict[int, Callable[[Body], Body | None]] = {
    13: _without_a_wrap,
    14: _without_an_epoch,
    15: _changed_epoch(_lacking),
    16: _changed_epoch(_stranger),
    17: _changed_epoch(_ghost),
    18: _changed_epoch(_renumbered),
    19: _changed_epoch(_cut_the_other_way),
}
