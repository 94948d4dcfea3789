"""Targets for what belongs to an account: written keys, kit, keystore, records, licenses, notes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from unittest.mock import patch

from sopor.account.recovery_kit import RecoveryKit, parse_kit
from sopor.crypto import sealed_file
from sopor.crypto.invites import InviteCode
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.presence import Desk, open_note
from sopor.crypto.sealed_file import open_file, seal_file
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.errors import SoporError
from sopor.keystore.account_file import parse_account
from sopor_core import canonical
from sopor_core.account import AccountRecord, ChallengeProof, Credentials, KdfParameters
from sopor_core.canonical import Json
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import InvalidValue, VerificationError
from sopor_core.ids import AccountId, DeviceId, OrgId, ProjectId, ServerId
from sopor_core.license import License
from sopor_core.membership import MembershipLog
from tests.fuzz.examples import Vector, good
from tests.fuzz.target import Target, canonical_reader, text_of
from tests.vectors.making.presence import _Desk

_PASSPHRASE = "a passphrase"


def read_written(data: bytes) -> bool:
    """Reads what somebody typed as each kind of code; what is taken has one written form."""
    text, taken = text_of(data), False
    for kind in (SecretKey, RecoveryKey):
        with suppress(InvalidValue):
            key = kind.from_text(text)
            assert kind.from_text(key.to_text()).reveal() == key.reveal()
            taken = True
    with suppress(InvalidValue):
        code = InviteCode.from_text(text)
        assert InviteCode.from_text(code.to_text()).to_text() == code.to_text()
        assert code.keys.invite
        taken = True
    return taken


def with_checksum(data: bytes) -> None:
    """Reads input as a secret key that somebody without Sopor wrote down with a right checksum."""
    raw = sha256(data).digest()[: SecretKey.SIZE] if len(data) != SecretKey.SIZE else data
    key = SecretKey(raw)
    typed = key.to_text().lower().replace("-", " ").replace("0", "o").replace("1", "l")
    # The prefix is taken in any form as well.
    assert SecretKey.from_text(typed).reveal() == raw


def read_kit(data: bytes) -> bool:
    """Reads a recovery kit; a whole one survives being written anew."""
    try:
        kit = parse_kit(text_of(data))
    except SoporError:
        return False
    try:
        again = kit.to_text()
    except ValueError:
        return False
    read = parse_kit(again)
    assert (read.account, read.server_id) == (kit.account, kit.server_id)
    assert read.secret_key is not None
    assert kit.secret_key is not None
    assert read.secret_key.reveal() == kit.secret_key.reveal()
    return True


def _cheap(passphrase: str, salt: bytes, costs: KdfParameters) -> bytes:
    """Stands in for Argon2id, whose costs are its purpose; only with costs that are accepted."""
    costs.check()
    return sha256(passphrase.encode() + salt).digest()


def read_keystore(data: bytes) -> bool:
    """Reads a file that is sealed by a passphrase."""
    with patch.object(sealed_file, "stretch", _cheap):
        try:
            open_file(_PASSPHRASE, data)
        except VerificationError:
            return False
    return True


def read_account_file(data: bytes) -> bool:
    """Reads the file of an account, with the checksum that it needs to be looked at."""
    try:
        value = canonical.parse_json(data)
        if isinstance(value, dict):
            content = {key: item for key, item in value.items() if key != "check"}
            check = b64encode(sha256(canonical.encode(content)).digest())
            data = canonical.encode({**content, "check": check}) + b"\n"
        file = parse_account(data)
    except VerificationError:
        return False
    assert file.encode() == data
    return True


def of_json(read: Callable[[Json], Json], *whole: Json) -> Target:
    """Returns the target of a reader of parsed JSON that writes back what it read."""

    def parse(data: bytes) -> bytes:
        return canonical.encode(read(canonical.decode(data)))

    return canonical_reader(parse, lambda again: again, [canonical.encode(each) for each in whole])


def _presence() -> tuple[ProjectKeys, MembershipLog, Vector]:
    vector = good("presence")[0]
    secrets = {int(n): EpochSecret(bytes.fromhex(key)) for n, key in vector["epochs"].items()}
    keys = ProjectKeys(ProjectId.from_hex(vector["project"]), secrets)
    entries = [each.encode() for each in vector["logs"][vector["log"]]]
    return keys, MembershipLog.replay(OrgId.from_hex(vector["org"]), entries), vector


def presence_reader() -> Callable[[bytes], bool]:
    """Returns a reader of notes, as they come and as a member sealed them."""
    keys, log, vector = _presence()
    account, device = AccountId.from_hex(vector["account"]), DeviceId.from_hex(vector["device"])
    desk, now = Desk(keys.project, account, device), vector["now"]

    def read(data: bytes) -> bool:
        taken = False
        for sealed in (data, _Desk().seal(data)):
            with suppress(VerificationError):
                open_note(keys, log, desk, sealed, now)
                taken = True
        return taken

    return read


def _signed_note() -> bytes:
    note = canonical.encode(_Desk().note())
    return (len(note).to_bytes(2, "big") + note).ljust(512, b"\0")


def _account_file() -> Json:
    device: dict[str, Json] = {"server_id": b64encode(bytes(16)), "device": b64encode(bytes(16))}
    return {
        "v": 1,
        "account": {
            "server": "https://example.com",
            "login": "ada@example.com",
            "account": b64encode(bytes(16)),
            "device_name": "a laptop",
            "protection": "file",
            "n": 1,
            "kdf": KdfParameters().to_json(),
            "plain_http": False,
            **device,
        },
        "lock": {"kind": "file", "key": b64encode(bytes(32))},
        "sealed": b64encode(bytes(64)),
    }


def _kit() -> bytes:
    kit = RecoveryKit(
        "https://example.com",
        ServerId(bytes(16)),
        "ada@example.com",
        AccountId(bytes(16)),
        SecretKey(bytes(SecretKey.SIZE)),
        RecoveryKey(bytes(RecoveryKey.SIZE)),
        "2026-01-01",
    )
    return kit.to_text().encode()


def accounts() -> dict[str, Target]:
    """Returns the targets by name."""
    unlocked = good("unlocking")[0]
    with patch.object(sealed_file, "stretch", _cheap):
        keystore = seal_file(_PASSPHRASE, b"what is in it", bytes)
    written = [each["text"].encode() for each in good("written-keys")[:2]]
    codes = [each["text"].encode() for each in good("invite-codes")[:2]]
    note = bytes.fromhex(good("presence")[0]["sealed"])
    return {
        "written": Target(read_written, written + codes),
        "written.loosely": Target(with_checksum, [bytes(SecretKey.SIZE)]),
        "kit": Target(read_kit, [_kit()]),
        "keystore": Target(read_keystore, [keystore, good("keystore")[0]["text"].encode()]),
        "keystore.account": Target(read_account_file, [canonical.encode(_account_file())]),
        "record": of_json(
            lambda value: AccountRecord.verified(value).to_json(), unlocked["record"]
        ),
        "credentials": of_json(
            lambda value: Credentials.parse(value).to_json(), unlocked["credentials"]
        ),
        "proof": of_json(
            lambda value: ChallengeProof.parse(value).to_json(), good("proofs")[0]["proof"]
        ),
        "license": of_json(
            lambda value: License.from_json(value).to_json(),
            *(each["license"] for each in good("licenses")[:2]),
        ),
        "presence": Target(presence_reader(), [note, _signed_note()]),
        "base64": canonical_reader(
            lambda data: b64decode(text_of(data)), lambda data: b64encode(data).encode(), [b"AAEC"]
        ),
        "canonical": canonical_reader(
            canonical.decode,
            canonical.encode,
            [each["canonical"].encode() for each in good("canonical") if "canonical" in each],
        ),
    }
