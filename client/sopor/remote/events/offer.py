"""How a server tells events, and where: ``events`` of ``GET /v1/meta`` (SPEC section 10.1)."""

from __future__ import annotations

from urllib.parse import urlsplit

from sopor.errors import InvalidInput
from sopor.records import dataclass
from sopor.remote.address import ServerAddress
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.wire.events import Mode

_MAX_MODES = 16
_MAX_URL = 2048


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offers.

    Attributes:
        polls: whether it answers polls; an old server tells no events at all.
        streams: the address of its streams, or None without streams.
    """

    polls: bool
    streams: ServerAddress | None

    @classmethod
    def parse(cls, body: bytes, server: ServerAddress) -> Offer:
        """Reads what a server tells of itself.

        Raises:
            VerificationError: layer ``wire``: it is out of shape, or names an address where the
                access token may not go.
        """
        meta = Fields(canonical.parse_json(body), "what the server tells of itself", Layer.WIRE)
        told = meta.value("events") if meta.has("events") else None
        if told is None:
            return cls(polls=False, streams=None)
        fields = Fields(told, "what the server tells of its events", Layer.WIRE)
        modes = fields.items("modes", high=_MAX_MODES)
        place = _place(fields, server) if Mode.STREAM in modes else None
        return cls(polls=Mode.POLL in modes, streams=place)


def _place(fields: Fields, server: ServerAddress) -> ServerAddress:
    url = _value(fields, "url")
    if url is not None:
        return _checked(url, server)
    port = _value(fields, "port")
    if port is None:
        return server
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise VerificationError(Layer.WIRE, "the server names a bad port for its events")
    parts = urlsplit(server.url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    # The same machine by the same scheme: whoever allowed plain HTTP there allowed it here.
    return ServerAddress.parse(f"{parts.scheme}://{host}:{port}", allow_plain_http=True)


def _value(fields: Fields, name: str) -> Json:
    return fields.value(name) if fields.has(name) else None


def _checked(url: Json, server: ServerAddress) -> ServerAddress:
    if isinstance(url, str) and len(url) <= _MAX_URL and "://" in url:
        try:
            place = ServerAddress.parse(url)
        except InvalidInput:
            raise _unsafe(server) from None
        if server.loopback or not place.loopback:
            return place
    raise _unsafe(server)


def _unsafe(server: ServerAddress) -> VerificationError:
    return VerificationError(
        Layer.WIRE,
        f"{server} names a place for its events where no access token may go",
        hint="nothing was sent there; ask who runs the server: "
        "events come by https only, and from another machine than this one",
    )
