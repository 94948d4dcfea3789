"""Says what this server is and whether it works."""

from __future__ import annotations

from werkzeug.wrappers import Response

from sopor_core.limits import MAX_INLINE_BYTES, MAX_PACK_BYTES
from sopor_core.wire.models import Health, Meta
from sopor_core.wire.routes import PROTOCOL
from sopor_server import __version__
from sopor_server.app import answers
from sopor_server.app.application import PROTOCOL_MIN
from sopor_server.app.call import Call


def health(call: Call) -> Response:
    """Answers 200 when both stores answer, else 503."""
    call.query(())
    call.context.store.check()
    call.context.blobs.check()
    return answers.model(Health(status="ok"))


def meta(call: Call) -> Response:
    """Answers the server's id, versions, limits and time."""
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
        )
    )
