"""The servers: whether they answer, how, and whether they are the ones that this device knows."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.groups.clock import TOLERANCE
from sopor.diagnosis.scope import Scope
from sopor.errors import SoporError
from sopor.keystore import KnownAccount
from sopor.moments import now
from sopor.remote import ServerAddress, Transport
from sopor.remote.events.offer import Offer
from sopor.remote.exchange import Timeouts
from sopor.remote.listings import ServerMeta, parse_meta
from sopor.remote.retries import Retries
from sopor.remote.transport import Call
from sopor_core.wire.routes import PROTOCOL, Operation


def checks(scope: Scope) -> Iterator[Check]:
    """Yields several checks for each server."""
    tell = Teller("server")
    servers = scope.servers()
    if not servers:
        yield tell.ok("known", "no server is known here", servers=0)
    for number, (url, known) in enumerate(sorted(servers.items()), 1):
        name = f"server-{number}"
        try:
            yield from _server(tell, name, ServerAddress.parse(url, allow_plain_http=True), known)
        except SoporError as error:
            yield tell.failed(name, error)


def _server(
    tell: Teller, name: str, address: ServerAddress, known: KnownAccount | None
) -> Iterator[Check]:
    transport = Transport(address, timeouts=Timeouts(5.0, 10.0), retries=Retries(times=1))
    try:
        body = transport.call(Call(Operation.META)).body  # opens the connection
        sent, began = now(), perf_counter()
        body = transport.call(Call(Operation.META)).body
        took = round((perf_counter() - began) * 1000)
    finally:
        transport.close()
    meta, offer = parse_meta(body), Offer.parse(body, address)
    yield tell.ok(
        name, f"{address} answers in {took} ms, version {meta.version}", milliseconds=took
    )
    yield _encryption(tell, name, address)
    yield _protocol(tell, name, meta)
    yield _identity(tell, name, address, meta, known)
    yield _clock(tell, name, meta.time - sent - took // 2)
    if meta.sign_on is not None:
        mode = "required" if meta.sign_on.required else "optional"
        yield tell.ok(
            f"{name}-sign-on", f"single sign-on at {meta.sign_on.issuer} is {mode}", mode=mode
        )
    told = "streams" if offer.streams else "polls" if offer.polls else "none"
    yield tell.ok(f"{name}-events", f"events by: {told}", events=told)


def _encryption(tell: Teller, name: str, address: ServerAddress) -> Check:
    if address.url.startswith("https://"):
        return tell.ok(f"{name}-tls", "the connection is encrypted", tls=True)
    if address.loopback:
        return tell.ok(f"{name}-tls", "plain HTTP, on this machine only", tls=False, loopback=True)
    return tell.warn(
        f"{name}-tls",
        f"plain HTTP goes to {address}",
        "contents are encrypted all the same, but others on the way see login names and tokens; "
        "put a certificate in front of the server",
        tls=False,
        loopback=False,
    )


def _protocol(tell: Teller, name: str, meta: ServerMeta) -> Check:
    facts = {"low": meta.protocol_min, "high": meta.protocol_max}
    told = f"the server speaks protocol {meta.protocol_min} to {meta.protocol_max}"
    if meta.protocol_min <= PROTOCOL <= meta.protocol_max:
        return tell.ok(f"{name}-protocol", told, **facts)
    hint = "upgrade sopor" if meta.protocol_min > PROTOCOL else "ask who runs it to upgrade it"
    return tell.bad(f"{name}-protocol", f"{told}, this sopor {PROTOCOL}", hint, **facts)


def _identity(
    tell: Teller, name: str, address: ServerAddress, meta: ServerMeta, known: KnownAccount | None
) -> Check:
    if known is None:
        return tell.ok(f"{name}-id", f"no account of this device is at {address}", known=False)
    if known.server_id == meta.server:
        return tell.ok(f"{name}-id", "it is the server that this device logged in to", known=True)
    return tell.bad(
        f"{name}-id",
        f"{address} is another server than the one that this device logged in to",
        "ask who runs it: a restore keeps the server's id; do not log in before you know",
        known=True,
        other=True,
    )


def _clock(tell: Teller, name: str, ahead: int) -> Check:
    seconds = round(ahead / 1000)
    side = "behind" if ahead > 0 else "ahead of"
    if abs(ahead) <= TOLERANCE:
        return tell.ok(f"{name}-clock", "its clock and this one agree", seconds=seconds)
    return tell.warn(
        f"{name}-clock",
        f"this clock is {abs(seconds):,} seconds {side} the server's",
        "set the one that is wrong; logins, invites and sign-on depend on both",
        seconds=seconds,
    )
