"""What the keystore holds of an account: a part that anybody on the device may see, and secrets.

The JSON forms are the keystore's own; nothing else reads them. Bytes are base64url.
"""

from __future__ import annotations

from dataclasses import field
from typing import NoReturn

from sopor.crypto.account import AccountSecret
from sopor.crypto.written_keys import SecretKey
from sopor.keystore.protection import Protection
from sopor.records import dataclass
from sopor_core.account import KdfParameters
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, DeviceId, OrgId, ServerId


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account of this device, without its secrets: readable before anything is unlocked.

    ``server_id`` is the pinned server; ``n`` and ``kdf`` are the newest number of credentials seen
    and the costs of its password. ``plain_http`` says that its address was explicitly allowed to
    go without TLS. ``sign_on`` is the issuer at which the person signed on, if it was so.
    """

    server: str
    server_id: ServerId
    login: str
    account: AccountId
    device: DeviceId
    device_name: str
    protection: Protection
    n: int
    kdf: KdfParameters
    plain_http: bool = False
    sign_on: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form; ``sign_on`` is absent without one, as it was in older files."""
        signed_on: dict[str, Json] = {} if self.sign_on is None else {"sign_on": self.sign_on}
        return {
            **signed_on,
            "server": self.server,
            "server_id": self.server_id.b64,
            "login": self.login,
            "account": self.account.b64,
            "device": self.device.b64,
            "device_name": self.device_name,
            "protection": str(self.protection),
            "n": self.n,
            "kdf": self.kdf.to_json(),
            "plain_http": self.plain_http,
        }

    @classmethod
    def from_json(cls, value: Json) -> KnownAccount:
        """Parses the JSON form; raises VerificationError."""
        fields = Fields(value, "an account of the keystore")
        known = cls(
            server=fields.text("server", 2048),
            server_id=fields.id("server_id", ServerId),
            login=fields.text("login", 128),
            account=fields.id("account", AccountId),
            device=fields.id("device", DeviceId),
            device_name=fields.text("device_name", 400),
            protection=_protection(fields.text("protection", 16)),
            n=fields.integer("n", 1),
            kdf=KdfParameters.from_json(fields.value("kdf")),
            plain_http=fields.boolean("plain_http"),
            sign_on=fields.text("sign_on", 2048) if fields.has("sign_on") else None,
        )
        fields.end()
        return known


def _protection(text: str) -> Protection:
    if text not in set(Protection):
        raise VerificationError(Layer.PARSE, f"the protection {text!r} is unknown")
    return Protection(text)


@dataclass(frozen=True, slots=True)
class NextKeys:
    """The keys that an account is changing to, until the server and every log have them."""

    account_secret: AccountSecret = field(repr=False)
    secret_key: SecretKey = field(repr=False)

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            "account_secret": b64encode(self.account_secret.reveal()),
            "secret_key": b64encode(self.secret_key.reveal()),
        }

    @classmethod
    def from_json(cls, value: Json) -> NextKeys:
        """Parses the JSON form; raises VerificationError."""
        fields = Fields(value, "the next keys of the keystore")
        keys = cls(
            AccountSecret(fields.data("account_secret", AccountSecret.SIZE)),
            SecretKey(fields.data("secret_key", SecretKey.SIZE)),
        )
        fields.end()
        return keys


@dataclass(frozen=True, slots=True)
class SignOnSecrets:
    """What continues a sign-on without the person: the issuer's refresh token, if it gave one.

    ``sub`` is who signed on, as the issuer names that person to this client.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    sub: str = field(repr=False)
    refresh_token: str | None = field(repr=False)

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form, secrets included."""
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "sub": self.sub,
            "refresh_token": self.refresh_token,
        }

    @classmethod
    def from_json(cls, value: Json) -> SignOnSecrets:
        """Parses the JSON form; raises VerificationError."""
        fields = Fields(value, "the sign-on of the keystore")
        secrets = cls(
            fields.text("issuer", 2048),
            fields.text("client_id", 2048),
            _optional_text(fields, "client_secret"),
            fields.text("sub", 1024),
            _optional_text(fields, "refresh_token"),
        )
        fields.end()
        return secrets

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("SignOnSecrets is secret and is not pickled or copied")


def _optional_text(fields: Fields, name: str) -> str | None:
    value = fields.value(name)
    if value is not None and not isinstance(value, str):
        raise VerificationError(Layer.PARSE, f"the sign-on of the keystore has a bad {name!r}")
    return value


@dataclass(frozen=True, slots=True)
class DeviceSecrets:
    """The secrets that this device keeps for an account, and its organizations.

    ``personal`` is its own organization, whose genesis this device made or verified; ``next``
    are the keys of a change of keys that is not finished, ``former`` those before the last changes,
    for which what this device fetched earlier is wrapped.
    """

    account_secret: AccountSecret = field(repr=False)
    secret_key: SecretKey = field(repr=False)
    refresh_token: str = field(repr=False)
    organizations: tuple[OrgId, ...] = ()
    personal: OrgId | None = None
    next: NextKeys | None = None
    former: tuple[AccountSecret, ...] = field(default=(), repr=False)
    sign_on: SignOnSecrets | None = None

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form, secrets included; ``sign_on`` is absent without one."""
        signed_on = {} if self.sign_on is None else {"sign_on": self.sign_on.to_json()}
        return {
            **signed_on,
            "account_secret": b64encode(self.account_secret.reveal()),
            "secret_key": b64encode(self.secret_key.reveal()),
            "refresh_token": self.refresh_token,
            "organizations": [org.b64 for org in self.organizations],
            "personal": self.personal.b64 if self.personal else None,
            "next": self.next.to_json() if self.next else None,
            "former": [b64encode(secret.reveal()) for secret in self.former],
        }

    @classmethod
    def from_json(cls, value: Json) -> DeviceSecrets:
        """Parses the JSON form; raises VerificationError."""
        fields = Fields(value, "the secrets of the keystore")
        following = fields.value("next")
        secrets = cls(
            account_secret=AccountSecret(fields.data("account_secret", AccountSecret.SIZE)),
            secret_key=SecretKey(fields.data("secret_key", SecretKey.SIZE)),
            refresh_token=fields.text("refresh_token", 128),
            organizations=fields.ids("organizations", OrgId),
            personal=fields.optional_id("personal", OrgId),
            next=None if following is None else NextKeys.from_json(following),
            former=tuple(
                AccountSecret(Fields({"secret": item}, "a former key").data("secret", 32))
                for item in fields.items("former")
            ),
            sign_on=(
                SignOnSecrets.from_json(fields.value("sign_on")) if fields.has("sign_on") else None
            ),
        )
        fields.end()
        return secrets

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("DeviceSecrets is secret and is not pickled or copied")
