"""The signed records of an account: who it is, how it logs in (SPEC section 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity
from sopor_core.ids import AccountId, ServerId
from sopor_core.names import normalize_login
from sopor_core.push_entry import Signer
from sopor_core.signing import (
    ACCOUNT_RECORD,
    ACCOUNT_REKEY,
    CHALLENGE,
    CREDENTIALS,
    VerifyKey,
    signed_message,
)

WRAPPED_SECRET_BYTES = 12 + 32 + 16
CHALLENGE_BYTES = 32


class Action(StrEnum):
    """What a challenge is for; a proof for one action is worth nothing for another.

    No proof is for ``register``: its challenge goes into a sign-on (SPEC section 9.1).
    """

    LOGIN = "login"
    RECOVER = "recover"
    CREDENTIALS = "credentials"
    DEVICE = "device"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class KdfParameters:
    """Argon2id's costs: ``m`` in KiB, ``t`` passes, ``p`` lanes (RFC 9106)."""

    m: int = 262144
    t: int = 3
    p: int = 4

    def check(self) -> None:
        """Raises VerificationError (``kdf``) for costs under the floor or over the ceiling."""
        if not (65536 <= self.m <= 1048576 and 3 <= self.t <= 16 and 1 <= self.p <= 16):
            raise VerificationError(
                Layer.KDF,
                f"password hashing parameters m={self.m}, t={self.t}, p={self.p} are not accepted",
                hint="do not type your password for this server; ask who runs it",
            )

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {"alg": "argon2id", "m": self.m, "t": self.t, "p": self.p}

    @classmethod
    def from_json(cls, value: Json) -> KdfParameters:
        """Parses and checks the JSON form; raises VerificationError (``parse`` or ``kdf``)."""
        fields = Fields(value, "the password hashing parameters")
        if fields.text("alg", 32) != "argon2id":
            raise VerificationError(Layer.KDF, "the password hashing is not Argon2id")
        top = 2**32 - 1
        costs = (fields.integer(name, 0, top) for name in ("m", "t", "p"))
        parameters = cls(*costs)
        fields.end()
        parameters.check()
        return parameters


@dataclass(frozen=True)
class AccountRecord:
    """Says who an account is: login name and public keys, signed by itself."""

    identity: PublicIdentity
    login: str
    created: int
    signature: bytes = b""

    def unsigned_json(self) -> dict[str, Json]:
        """Returns the record without its signature."""
        return {"v": 1, "login": self.login, "created": self.created, **self.identity.to_json()}

    def to_json(self) -> dict[str, Json]:
        """Returns the record with its signature."""
        return {**self.unsigned_json(), "sig": b64encode(self.signature)}

    def sign(self, signer: Signer) -> AccountRecord:
        """Returns the record signed."""
        message = signed_message(ACCOUNT_RECORD, self.unsigned_json())
        return replace(self, signature=signer.sign(message))

    def approve(self, signer: Signer) -> bytes:
        """Returns the signature by which the key so far lets this record take its place."""
        return signer.sign(signed_message(ACCOUNT_REKEY, self.to_json()))

    def verify_approval(self, approval: bytes, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless this key approved of the record."""
        key.verify(approval, signed_message(ACCOUNT_REKEY, self.to_json()))

    @classmethod
    def verified(cls, value: Json) -> AccountRecord:
        """Parses a record and checks its signature; raises VerificationError."""
        fields = Fields(value, "an account record")
        fields.version()
        record = cls(
            PublicIdentity(
                fields.id("account", AccountId),
                VerifyKey(fields.data("signing", 32)),
                fields.data("encryption", 32),
            ),
            _login(fields),
            fields.integer("created"),
            fields.data("sig", 64),
        )
        fields.end()
        record.identity.signing.verify(
            record.signature, signed_message(ACCOUNT_RECORD, record.unsigned_json())
        )
        return record


def _login(fields: Fields) -> str:
    login = fields.text("login", 128)
    try:
        usual = normalize_login(login)
    except InvalidValue as error:
        raise VerificationError(Layer.PARSE, error.message) from None
    if usual != login:
        raise VerificationError(Layer.PARSE, "a login name is not in its normal form")
    return login


@dataclass(frozen=True)
class Credentials:
    """What a server keeps for logging in: public login keys and the wrapped account secret."""

    account: AccountId
    n: int
    kdf: KdfParameters
    login_key: VerifyKey
    secret: bytes
    recovery_key: VerifyKey
    recovery_secret: bytes
    signature: bytes = b""

    def unsigned_json(self) -> dict[str, Json]:
        """Returns the credentials without their signature."""
        return {
            "v": 1,
            "account": self.account.b64,
            "n": self.n,
            "kdf": self.kdf.to_json(),
            "login_key": b64encode(self.login_key),
            "secret": b64encode(self.secret),
            "recovery_key": b64encode(self.recovery_key),
            "recovery_secret": b64encode(self.recovery_secret),
        }

    def to_json(self) -> dict[str, Json]:
        """Returns the credentials with their signature."""
        return {**self.unsigned_json(), "sig": b64encode(self.signature)}

    def sign(self, signer: Signer) -> Credentials:
        """Returns the credentials signed by the account's signing key."""
        message = signed_message(CREDENTIALS, self.unsigned_json())
        return replace(self, signature=signer.sign(message))

    def verify_signature(self, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless the account signed them."""
        key.verify(self.signature, signed_message(CREDENTIALS, self.unsigned_json()))

    @classmethod
    def parse(cls, value: Json) -> Credentials:
        """Parses credentials, signature not checked; raises VerificationError."""
        fields = Fields(value, "credentials")
        fields.version()
        credentials = cls(
            account=fields.id("account", AccountId),
            n=fields.integer("n", 1, 2**32 - 1),
            kdf=KdfParameters.from_json(fields.value("kdf")),
            login_key=VerifyKey(fields.data("login_key", 32)),
            secret=fields.data("secret", WRAPPED_SECRET_BYTES),
            recovery_key=VerifyKey(fields.data("recovery_key", 32)),
            recovery_secret=fields.data("recovery_secret", WRAPPED_SECRET_BYTES),
            signature=fields.data("sig", 64),
        )
        fields.end()
        return credentials


@dataclass(frozen=True)
class ChallengeProof:
    """Answers one challenge of one server for one account and action."""

    account: AccountId
    action: Action
    challenge: bytes
    server: ServerId
    signature: bytes = b""

    def unsigned_json(self) -> dict[str, Json]:
        """Returns the proof without its signature."""
        return {
            "account": self.account.b64,
            "action": str(self.action),
            "challenge": b64encode(self.challenge),
            "server": self.server.b64,
        }

    def to_json(self) -> dict[str, Json]:
        """Returns the proof with its signature."""
        return {**self.unsigned_json(), "sig": b64encode(self.signature)}

    def sign(self, signer: Signer) -> ChallengeProof:
        """Returns the proof signed by the login key (or the recovery login key)."""
        message = signed_message(CHALLENGE, self.unsigned_json())
        return replace(self, signature=signer.sign(message))

    def verify(self, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless this key answered the challenge."""
        key.verify(self.signature, signed_message(CHALLENGE, self.unsigned_json()))

    @classmethod
    def parse(cls, value: Json) -> ChallengeProof:
        """Parses a proof, signature not checked; raises VerificationError (``parse``)."""
        fields = Fields(value, "a challenge proof")
        action = fields.text("action", 32)
        if action not in set(Action) - {Action.REGISTER}:
            raise VerificationError(Layer.PARSE, "a challenge proof names an unknown action")
        proof = cls(
            fields.id("account", AccountId),
            Action(action),
            fields.data("challenge", CHALLENGE_BYTES),
            fields.id("server", ServerId),
            fields.data("sig", 64),
        )
        fields.end()
        return proof
