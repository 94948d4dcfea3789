"""The requests that need no session: registering, challenges, logging in (SPEC sections 9, 10)."""

from __future__ import annotations

from dataclasses import field

from sopor.records import dataclass
from sopor.remote.listings import RemoteAccount, ServerMeta, account_of, fields_of, parse_meta
from sopor.remote.session import Grant, parse_grant
from sopor.remote.transport import Call, Transport
from sopor_core import canonical
from sopor_core.account import (
    CHALLENGE_BYTES,
    AccountRecord,
    Action,
    ChallengeProof,
    Credentials,
    KdfParameters,
)
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, DeviceId, ServerId
from sopor_core.wire.routes import Operation

MAX_TOKEN_BYTES = 128


@dataclass(frozen=True, slots=True)
class NewDevice:
    """The device that asks for a session; it chooses its own id."""

    id: DeviceId
    name: str

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form of a request."""
        return {"id": self.id.b64, "name": self.name}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What must be signed to log in; all of it is the server's word.

    ``kdf`` is within the bounds that clients accept.
    """

    account: AccountId
    kdf: KdfParameters
    challenge: bytes
    server: ServerId


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session as the server opened it; of it, only the record's own signature is verified."""

    account: RemoteAccount
    device: DeviceId
    grant: Grant
    refresh_token: str = field(repr=False)


class LoginApi:
    """Asks a server for sessions; raises what `sopor.remote.Remote` raises, and LoginFailed."""

    def __init__(self, transport: Transport) -> None:
        """Takes the connection."""
        self._transport = transport

    def meta(self) -> ServerMeta:
        """Asks the server about itself."""
        return parse_meta(self._transport.call(Call(Operation.META)).body)

    def create(
        self,
        record: AccountRecord,
        credentials: Credentials,
        genesis: bytes,
        device: NewDevice,
        signed_on: tuple[str, bytes] | None = None,
    ) -> NewSession:
        """Creates an account with its organization.

        Args:
            record: who it is.
            credentials: how it logs in.
            genesis: the first entry of its organization.
            device: this device.
            signed_on: an ID token, and the challenge that its nonce is made of.

        Raises:
            StateConflict: the login name is taken.
            SignOnRequired, SignOnFailed: the server wants a sign-on, or does not accept this one.
        """
        body: dict[str, Json] = {
            "record": record.to_json(),
            "credentials": credentials.to_json(),
            "genesis": b64encode(genesis),
            "device": device.to_json(),
        }
        if signed_on is not None:
            body |= {"id_token": signed_on[0], "challenge": b64encode(signed_on[1])}
        return self._open(Operation.ACCOUNT_CREATE, body, device)

    def challenge(self, login: str, action: Action) -> Challenge:
        """Asks for a challenge.

        Raises:
            VerificationError: layer ``kdf``, if the costs of password hashing are out of bounds;
                layer ``wire`` for another shape.
        """
        body = canonical.encode({"login": login, "action": str(action)})
        reply = self._transport.call(Call(Operation.LOGIN_CHALLENGE, body=body))
        answer = fields_of(reply.body)
        costs = Fields(answer.value("kdf"), "the server's password hashing", Layer.WIRE)
        if costs.text("alg") != "argon2id":
            raise VerificationError(Layer.KDF, "the password hashing is not Argon2id")
        kdf = KdfParameters(costs.integer("m"), costs.integer("t"), costs.integer("p"))
        kdf.check()
        challenge = answer.data("challenge", CHALLENGE_BYTES)
        account, server = answer.id("account", AccountId), answer.id("server", ServerId)
        return Challenge(account, kdf, challenge, server)

    def login(
        self, proof: ChallengeProof, device: NewDevice, id_token: str | None = None
    ) -> NewSession:
        """Answers a challenge; raises LoginFailed, SignOnRequired or SignOnFailed."""
        body: dict[str, Json] = {"proof": proof.to_json(), "device": device.to_json()}
        if id_token is not None:
            body["id_token"] = id_token
        return self._open(Operation.LOGIN, body, device)

    def _open(self, operation: Operation, body: dict[str, Json], device: NewDevice) -> NewSession:
        call = Call(operation, body=canonical.encode(body), repeatable=False)
        answer = fields_of(self._transport.call(call).body)
        account = account_of(answer)
        if answer.id("device", DeviceId) != device.id:
            raise VerificationError(Layer.WIRE, "the server opened a session for another device")
        refresh_token = answer.text("refresh_token", MAX_TOKEN_BYTES)
        if not refresh_token:
            raise VerificationError(Layer.WIRE, "the server's refresh token is empty")
        return NewSession(account, device.id, parse_grant(answer), refresh_token)
