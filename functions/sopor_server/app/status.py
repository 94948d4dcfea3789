"""Says what this server is and whether it works."""

from __future__ import annotations

from werkzeug.wrappers import Response

from sopor_core.limits import MAX_INLINE_BYTES, MAX_PACK_BYTES
from sopor_core.wire.events import Mode
from sopor_core.wire.models import EventsOffer, Health, Meta, SignOn
from sopor_core.wire.routes import PROTOCOL
from sopor_server import __version__
from sopor_server.app import answers
from sopor_server.app.application import PROTOCOL_MIN
from sopor_server.app.call import Call
from sopor_server.service.context import SingleSignOn, StreamsOffer


def health(call: Call) -> Response:
    """Answers 200 when both stores answer, else 503."""
    call.query(())
    call.context.store.check()
    call.context.blobs.check()
    return answers.model(Health(status="ok"))


def meta(call: Call) -> Response:
    """Answers the server's id, versions, limits and time, and where people sign on."""
    call.query(())
    return answers.model(
        Meta(
            server=call.context.server.id.b64,
            version=__version__,
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL,
            max_inline_bytes=MAX_INLINE_BYTES,
            max_pack_bytes=MAX_PACK_BYTES,
            time=call.context.now(),
            sign_on=_sign_on(call.context.sign_on),
            events=_events(call.context.streams),
        )
    )


def _events(offered: StreamsOffer | None) -> EventsOffer:
    if offered is None:
        return EventsOffer(modes=[Mode.POLL])
    modes = [str(Mode.POLL), str(Mode.STREAM)]
    return EventsOffer(modes=modes, url=offered.url, port=offered.port, quiet=offered.quiet)


def _sign_on(found: SingleSignOn | None) -> SignOn | None:
    if found is None:
        return None
    return SignOn(
        mode=found.settings.mode,
        issuer=found.settings.issuer,
        client_id=found.settings.client_id,
        client_secret=found.settings.client_secret,
        scopes=["openid", "email", "offline_access"],
        port=found.settings.port,
    )
