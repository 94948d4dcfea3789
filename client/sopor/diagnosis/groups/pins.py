"""The pins: what this working copy has verified, against the rest of the device and the server."""

from __future__ import annotations

from collections.abc import Iterator

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.scope import Scope
from sopor.errors import ForkError, InputNeeded, RollbackError, SoporError
from sopor.organization.pins import PushPins
from sopor.repository.connection import Connection
from sopor.repository.context import Context


def checks(scope: Scope) -> Iterator[Check]:
    """Yields nothing for a project that is on no server."""
    tell, context = Teller("pins"), scope.readable
    if context is None or context.org is None:
        return
    try:
        connection = Connection.of(context)
    except InputNeeded:
        yield tell.ok(
            "server",
            "not compared with the server: the password lies nowhere ready; `sopor fetch` asks for "
            "it and compares",
            compared=False,
        )
        return
    yield _device(tell, scope, context)
    try:
        yield _server(tell, context, connection)
    except (RollbackError, ForkError) as error:
        hint = error.hint or "ask who runs the server"
        yield tell.bad("server", error.message, hint, error=error.code)
    except SoporError as error:
        yield tell.failed("server", error)


def _device(tell: Teller, scope: Scope, context: Context) -> Check:
    account = context.accounts.of(context.store).known.account
    pin = context.store.log.pin
    try:
        PushPins(scope.keystore.home, account).check({context.project: pin})
    except RollbackError:
        return tell.ok(
            "device",
            "another working copy of this device has seen more; `sopor pull` follows",
            behind=True,
        )
    except ForkError as error:
        return tell.bad(
            "device",
            "another working copy of this device has verified another history",
            "compare `sopor project log` in both; keep both folders",
            error=error.code,
        )
    return tell.ok("device", "no other working copy of this device has seen more", behind=False)


def _server(tell: Teller, context: Context, connection: Connection) -> Check:
    pin, remote = context.store.log.pin, connection.remote
    # Only this compares hashes; what it brings is thrown away.
    remote.pull(context.project, pin, connection.membership.head.seq)
    there = remote.branches(context.project).seq
    if there <= pin.seq:
        return tell.ok(
            "server",
            f"the server has the {pin.seq} entries that are verified here",
            here=pin.seq,
            there=there,
        )
    return tell.ok(
        "server",
        f"new entries on the server: {there - pin.seq}; `sopor pull` gets them",
        here=pin.seq,
        there=there,
    )
