"""The devices of an account: listing and revoking them."""

from __future__ import annotations

from collections.abc import Sequence

from sopor_core.ids import DeviceId
from sopor_server.auth import Caller
from sopor_server.errors import not_found
from sopor_server.ports.records import Device
from sopor_server.service.context import Context


def devices(context: Context, caller: Caller) -> Sequence[Device]:
    """Returns the live devices of the caller's account; raises Refused."""
    context.check_device(caller)
    return context.store.devices(caller.account)


def revoke(context: Context, caller: Caller, device: DeviceId) -> None:
    """Revokes a device of the caller's account; revoking one's own is logging out.

    Raises:
        Refused: ``device-revoked``; ``not-found``, also for a device of another account.
    """
    context.check_device(caller)
    if not context.store.revoke_device(caller.account, device):
        raise not_found("device")
