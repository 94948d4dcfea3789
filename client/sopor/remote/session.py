"""The access token of a device: taken from the cache, renewed shortly before it expires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from sopor.errors import LoginFailed, NotFound, SessionExpired
from sopor.moments import now
from sopor.records import dataclass
from sopor.remote.transport import Call, Transport
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import DeviceId
from sopor_core.wire.routes import Operation

RENEW_BEFORE_MS = 60_000
MAX_TOKEN_BYTES = 1024
_MAX_LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token as the server gave it, for so many seconds."""

    token: str = field(repr=False)
    seconds: int


class CachedGrant(Protocol):
    """An access token; ``expires`` is in milliseconds since 1970 by this device's clock."""

    @property
    def value(self) -> str:
        """The token."""

    @property
    def expires(self) -> int:
        """When it ends."""


class TokenStore(Protocol):
    """Keeps the access token between two commands."""

    def load(self) -> CachedGrant | None:
        """Returns the token kept last, or None."""

    def save(self, value: str, expires: int) -> None:
        """Keeps a token in place of the one before; never raises."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str = field(repr=False)
    expires: int


class MemoryTokens:
    """Keeps the access token of a session that no device keeps."""

    def __init__(self) -> None:
        self._token: _Kept | None = None

    def load(self) -> CachedGrant | None:
        """Returns the token kept last, or None."""
        return self._token

    def save(self, value: str, expires: int) -> None:
        """Keeps a token in place of the one before."""
        self._token = _Kept(value, expires)


class Session:
    """Gives the access token of one device, with a request only when there is no good one."""

    def __init__(
        self,
        transport: Transport,
        device: DeviceId,
        refresh_token: str,
        store: TokenStore,
        clock: Callable[[], int] = now,
        id_token: Callable[[], str] | None = None,
    ) -> None:
        """Takes whose session it is; ``id_token`` gets a fresh one, for who has signed on."""
        self._transport = transport
        self._device = device
        self._refresh_token = refresh_token
        self._store = store
        self._clock = clock
        self._id_token = id_token

    def token(self) -> str:
        """Returns an access token that is good for another minute.

        Raises:
            SessionExpired: the device was revoked, or its session ended.
            SignOnRequired, SignOnFailed: the issuer or the server ended the sign-on.
            Weather: the server or the issuer cannot be asked.
        """
        cached = self._store.load()
        if cached is not None and cached.expires - self._clock() > RENEW_BEFORE_MS:
            return cached.value
        return self.renew()

    def renew(self) -> str:
        """Asks for a new access token, also before the old one has expired; raises as `token`."""
        body: dict[str, Json] = {
            "device": self._device.b64,
            "refresh_token": self._refresh_token,
        }
        if self._id_token is not None:
            body["id_token"] = self._id_token()
        call = Call(Operation.LOGIN_REFRESH, body=canonical.encode(body))
        try:
            reply = self._transport.call(call)
        except (LoginFailed, NotFound) as error:
            raise SessionExpired(
                "the session of this device is over", hint="run `sopor login`"
            ) from error
        grant = parse_grant(Fields(canonical.parse_json(reply.body), "the answer", Layer.WIRE))
        self.keep(grant)
        return grant.token

    def keep(self, grant: Grant) -> None:
        """Keeps a token that came with a login."""
        self._store.save(grant.token, self._clock() + grant.seconds * 1000)

    def __repr__(self) -> str:
        return f"Session({self._device!r})"


def parse_grant(fields: Fields) -> Grant:
    """Takes the access token out of an answer; raises VerificationError (``wire``)."""
    token = fields.text("access_token", MAX_TOKEN_BYTES)
    seconds = fields.integer("expires_in", 1, _MAX_LIFETIME_SECONDS)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise VerificationError(Layer.WIRE, "the answer has a bad 'access_token'")
    return Grant(token, seconds)
