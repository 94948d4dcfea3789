"""`sopor devices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.declaring import command as declare
from sopor.cli.declaring import group
from sopor.cli.rendering.listings import device_lines
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.remote import RemoteDevice


@group(
    "devices",
    examples=["sopor devices", "sopor devices revoke 3f2a91bc", "sopor devices revoke --others"],
)
@account_options
@click.pass_context
def command(
    context: click.Context, session: Session, server: str | None, account: str | None
) -> None:
    """Lists the devices that are logged in to the account; revokes one."""
    if context.invoked_subcommand is None:
        _list(session, server, account)


def _list(session: Session, server: str | None, account: str | None) -> None:
    from sopor.account import devices, unlock

    keystore = open_keystore()
    known = keystore.find(server, account)
    with unlock(keystore, session.asking, known) as opened:
        found = devices(opened)
    session.console.result([_json(device) for device in found], device_lines(found))


def _json(device: RemoteDevice) -> dict[str, object]:
    from sopor.moments import Moment

    times = {"created": Moment(device.created), "last_used": Moment(device.last_used)}
    return {**device.to_json(), **{name: moment.iso for name, moment in times.items()}}


@declare("list", examples=["sopor devices list --json"])
@account_options
def list_devices(session: Session, server: str | None, account: str | None) -> None:
    """Lists the devices that are logged in; this one has a star."""
    _list(session, server, account)


@declare("revoke", examples=["sopor devices revoke 3f2a91bc", "sopor devices revoke --others"])
@click.argument("words", nargs=-1, metavar="[DEVICE]...")
@click.option("--others", is_flag=True, help="All devices but this one.")
@account_options
def revoke(
    session: Session,
    words: tuple[str, ...],
    others: bool,
    server: str | None,
    account: str | None,
) -> None:
    """Ends the session of a DEVICE, named by its name or id, so that it gets nothing new.

    What it has it keeps: change the password as well if it was stolen.
    """
    from sopor.account import find_device, revoke_device, revoke_others, unlock

    if bool(words) == others:
        raise click.UsageError("name the devices to revoke, or give --others")
    keystore = open_keystore()
    known = keystore.find(server, account)
    with unlock(keystore, session.asking, known) as opened:
        if others:
            revoked = revoke_others(opened)
        else:
            revoked = tuple(find_device(opened, word).id for word in words)
            for device in revoked:
                revoke_device(opened, device)
    session.console.report(
        {"revoked": [device.hex() for device in revoked]},
        [f"Revoked {device.short}" for device in revoked] or ["There is no other device"],
    )


command.add_command(list_devices)
command.add_command(revoke)
