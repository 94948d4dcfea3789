"""Vectors of accounts and of the keystore file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.vectors.making.reference import (
    Person,
    Vector,
    b64,
    bad,
    canonical,
    fixed,
    flipped,
    good,
    hkdf,
    public_of_seed,
    seal,
    sha256,
    sign_with_seed,
    u32,
)

_ADA, _BOB = Person("Ada"), Person("Bob")
_LOGIN, _PASSWORD = "ada@example.com", "correct horse"
_SECRET_KEY, _RECOVERY_KEY = fixed("secret key", 16), fixed("recovery key", 16)
_COSTS: dict[str, Any] = {"alg": "argon2id", "m": 65536, "t": 3, "p": 4}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def written(prefix: str, name: str, key: bytes, checksum: int = 4) -> str:
    """Bytes as people copy them: base32 of them and their checksum."""
    data = key + sha256(f"sopor/1 {name}\0".encode() + key)[:checksum]
    bits = "".join(f"{byte:08b}" for byte in data)
    letters = "".join(ALPHABET[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))
    return "-".join([prefix, *(letters[at : at + 4] for at in range(0, len(letters), 4))])


def written_keys() -> list[Vector]:
    """Secret keys and recovery keys as people write them; `canonical` is how they are shown."""
    vectors: list[Vector] = []
    secret = written("SK1", "secret key", _SECRET_KEY)
    recovery = written("RK1", "recovery key", _RECOVERY_KEY)
    for kind, key, text in (("secret", _SECRET_KEY, secret), ("recovery", _RECOVERY_KEY, recovery)):
        for name, typed in (
            ("as shown", text),
            ("in lower case", text.lower()),
            ("without hyphens", text.replace("-", "")),
            ("with spaces and line breaks", f" {text.replace('-', ' ')}\n"),
            ("with letters for digits", text.replace("0", "o").replace("1", "l")),
            ("with other letters for digits", text.replace("0", "O").replace("1", "I")),
        ):
            vectors.append(
                good(f"{kind} key {name}", kind=kind, text=typed, canonical=text, key=key.hex())
            )
    zeros = written("SK1", "secret key", bytes(16))
    vectors.append(
        good("a key of zeros", kind="secret", text=zeros, canonical=zeros, key="00" * 16)
    )
    wrong = ALPHABET[(ALPHABET.index(secret[10]) + 1) % 32]
    for name, typed in (
        ("nothing", ""),
        ("the prefix alone", "SK1-"),
        ("a recovery key", recovery),
        ("another prefix", "SK2" + secret[3:]),
        ("a character mistyped", secret[:10] + wrong + secret[11:]),
        ("two characters swapped", secret[:4] + secret[5] + secret[4] + secret[6:]),
        ("a character too few", secret[:-1]),
        ("a character too many", secret + "0"),
        ("the letter U", secret[:10] + "U" + secret[11:]),
        ("a letter beyond ASCII", secret[:10] + "\u00e9" + secret[11:]),
        ("a digit of another script", secret[:10] + "\u0661" + secret[11:]),
        ("the checksum of a recovery key", written("SK1", "recovery key", _SECRET_KEY)),
    ):
        vectors.append({"name": name, "kind": "secret", "text": typed, "error": "invalid-value"})
    return vectors


class Derived:
    """What follows from a password."""

    def __init__(self, password: str, login: str = _LOGIN, **costs: int) -> None:
        self.costs = {**_COSTS, **costs}
        name = login.lower().encode()
        self.salt = hkdf(_SECRET_KEY, b"", b"sopor/1 password salt\0" + name)[:16]
        self.stretched = argon2(password, self.salt, self.costs)
        master = hkdf(self.stretched + _SECRET_KEY, b"", b"sopor/1 master\0" + name)
        self.login_seed = hkdf(master, b"", b"sopor/1 login key")
        self.wrap_key = hkdf(master, b"", b"sopor/1 account wrap")


def argon2(password: str, salt: bytes, costs: dict[str, Any]) -> bytes:
    """Argon2id of the prepared password."""
    prepared = unicodedata.normalize("NFKC", password).encode()
    hasher = Argon2id(
        salt=salt, length=32, iterations=costs["t"], lanes=costs["p"], memory_cost=costs["m"]
    )
    return hasher.derive(prepared)


def derivations() -> list[Vector]:
    """Login keys from passwords (`secret_key`) and recovery keys, and an account's own keys."""
    vectors = [
        _derivation("a password", _PASSWORD, _LOGIN),
        _derivation("another spelling of the login name", _PASSWORD, "Ada@Example.COM"),
        _derivation("another login name", _PASSWORD, "ada.l"),
        _derivation("a password composed", "\u00c5ngstr\u00f6m \ufb01", _LOGIN),
        _derivation("the same password decomposed", "A\u030angstro\u0308m fi", _LOGIN),
        _derivation("other costs", _PASSWORD, _LOGIN, m=65537, t=4, p=1),
    ]
    seed = hkdf(_RECOVERY_KEY, b"", b"sopor/1 recovery login key")
    vectors.append(
        good(
            "a recovery key",
            recovery_key=_RECOVERY_KEY.hex(),
            login_key=public_of_seed(seed).hex(),
            wrap_key=hkdf(_RECOVERY_KEY, b"", b"sopor/1 recovery wrap").hex(),
        )
    )
    vectors += [
        good(
            f"the keys of {person.name}",
            account_secret=person.secret.hex(),
            signing=person.signing.hex(),
            encryption=person.encryption.hex(),
            account=person.account.hex(),
        )
        for person in (_ADA, _BOB)
    ]
    vectors += [
        {
            "name": name,
            "password": password,
            "login": login,
            "secret_key": _SECRET_KEY.hex(),
            "kdf": _COSTS,
            "error": "invalid-value",
        }
        for name, password, login in (
            ("an empty password", "", _LOGIN),
            ("an empty login name", _PASSWORD, ""),
            ("a login name with a space", _PASSWORD, "a b"),
            ("a login name beyond ASCII", _PASSWORD, "\u00e4da"),
            ("a login name of 129 characters", _PASSWORD, "a" * 129),
        )
    ]
    return [*vectors, *_bad_costs()]


def _derivation(name: str, password: str, login: str, **costs: int) -> Vector:
    derived = Derived(password, login, **costs)
    return good(
        name,
        password=password,
        login=login,
        secret_key=_SECRET_KEY.hex(),
        kdf=derived.costs,
        salt=derived.salt.hex(),
        stretched=derived.stretched.hex(),
        login_key=public_of_seed(derived.login_seed).hex(),
        wrap_key=derived.wrap_key.hex(),
    )


_BAD_COSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "less than 64 MiB": ("kdf", {"m": 65535}),
    "more than 1 GiB": ("kdf", {"m": 1048577}),
    "no memory": ("kdf", {"m": 0}),
    "4 TiB": ("kdf", {"m": 2**32 - 1}),
    "two passes": ("kdf", {"t": 2}),
    "17 passes": ("kdf", {"t": 17}),
    "no lanes": ("kdf", {"p": 0}),
    "17 lanes": ("kdf", {"p": 17}),
    "Argon2i": ("kdf", {"alg": "argon2i"}),
    "PBKDF2": ("kdf", {"alg": "pbkdf2"}),
    "costs that are a text": ("parse", {"m": "65536"}),
    "costs that are a boolean": ("parse", {"p": True}),
    "negative costs": ("parse", {"t": -3}),
    "costs beyond 32 bits": ("parse", {"m": 2**32}),
    "a salt of the server's": ("parse", {"salt": b64(bytes(16))}),
}


def _bad_costs() -> Iterable[Vector]:
    for name, (layer, change) in _BAD_COSTS.items():
        yield bad(name, layer, kdf={**_COSTS, **change})
    yield bad("costs missing", "parse", kdf={k: v for k, v in _COSTS.items() if k != "t"})
    yield bad("no costs", "parse", kdf=None)


# -------------------------------------------------------------------------------- signed records


def wrapped_secret(
    key: bytes, account: bytes, kind: int, numbers: tuple[int, ...], secret: bytes = _ADA.secret
) -> bytes:
    """An account secret under a wrap key."""
    associated = b"sopor/1 account secret\0" + account + bytes([kind])
    associated += b"".join(map(u32, numbers))
    return seal(key, fixed("wrap nonce", 12), secret, associated)


def _record(person: Person = _ADA, **other: Any) -> Vector:
    value = {"v": 1, **person.identity(), "login": _LOGIN, "created": 1_700_000_000_000, **other}
    return person.sign("sopor/1 account record", value)


class _Access:
    """The parts of good credentials, so that one of them can be exchanged."""

    def __init__(self) -> None:
        self.derived = Derived(_PASSWORD)
        self.recovery_seed = hkdf(_RECOVERY_KEY, b"", b"sopor/1 recovery login key")
        self.recovery_wrap = hkdf(_RECOVERY_KEY, b"", b"sopor/1 recovery wrap")

    def numbers(self, n: int) -> tuple[int, ...]:
        return (n, _COSTS["m"], _COSTS["t"], _COSTS["p"])

    def credentials(self, n: int = 3, signer: Person = _ADA, **other: Any) -> Vector:
        account = _ADA.account
        secret = wrapped_secret(self.derived.wrap_key, account, 1, self.numbers(n))
        recovery = wrapped_secret(self.recovery_wrap, account, 2, (0, 0, 0, 0))
        value = {
            "v": 1,
            "account": b64(account),
            "n": n,
            "kdf": _COSTS,
            "login_key": b64(public_of_seed(self.derived.login_seed)),
            "secret": b64(secret),
            "recovery_key": b64(public_of_seed(self.recovery_seed)),
            "recovery_secret": b64(recovery),
            **other,
        }
        return signer.sign("sopor/1 credentials", value)

    def wrap(self, kind: int = 1, n: int = 3, **other: Any) -> str:
        account = other.pop("account", _ADA.account)
        key = other.pop("key", self.derived.wrap_key if kind == 1 else self.recovery_wrap)
        numbers = other.pop("numbers", self.numbers(n))
        return b64(wrapped_secret(key, account, kind, numbers, **other))


def unlocking() -> list[Vector]:
    """Opening an account from what a server gives, with the password or the recovery key."""
    access = _Access()
    record, credentials = _record(), access.credentials()

    def case(
        name: str,
        record: Vector = record,
        credentials: Vector = credentials,
        *,
        recovery: bool = False,
        **other: Any,
    ) -> Vector:
        opened: Vector = {"password": _PASSWORD, "secret_key": _SECRET_KEY.hex()}
        if recovery:
            opened = {"recovery_key": _RECOVERY_KEY.hex()}
        vector = {"login": _LOGIN, **opened, "record": record, "credentials": credentials}
        return {"name": name, **vector, **other}

    account = _ADA.account.hex()
    bob = _record(_BOB)
    yes: list[Vector] = [
        case("by password", account=account),
        case("by recovery key", account=account, recovery=True),
        case("credentials as new as the ones seen", account=account, seen=3),
        case("the login name in upper case", account=account, login=_LOGIN.upper()),
    ]
    later = access.credentials(4, recovery_secret=credentials["recovery_secret"])
    yes.append(
        case(
            "by recovery key after a new password",
            credentials=later,
            account=account,
            recovery=True,
        )
    )
    small = b64(b"\x01" + bytes(31))
    other_login = b64(public_of_seed(fixed("another login key")))
    flipped_secret = b64(
        flipped(wrapped_secret(access.derived.wrap_key, _ADA.account, 1, access.numbers(3)))
    )

    def credential(name: str, layer: str, recovery: bool = False, **change: Any) -> Vector:
        return case(name, credentials=access.credentials(**change), layer=layer, recovery=recovery)

    no = [
        case("credentials older than the ones seen", layer="rollback", seen=4),
        case(
            "credentials older than the ones seen, by recovery key",
            layer="rollback",
            seen=4,
            recovery=True,
        ),
        case("the wrong password", layer="account", password="wrong horse"),
        case("the wrong secret key", layer="account", secret_key=fixed("x", 16).hex()),
        case(
            "the wrong recovery key",
            layer="account",
            recovery=True,
            recovery_key=fixed("x", 16).hex(),
        ),
        case("the record of another login name", record=_record(login="eve"), layer="account"),
        case("the record of another account", record=bob, layer="account"),
        case(
            "a record whose encryption key was exchanged",
            record=_record(encryption=b64(_BOB.encryption)),
            layer="account",
        ),
        case(
            "credentials of another account",
            credentials=access.credentials(account=b64(_BOB.account)),
            layer="account",
        ),
        credential("credentials signed by somebody else", "signature", signer=_BOB),
        case(
            "credentials changed after signing",
            credentials={**credentials, "n": 3, "recovery_key": other_login},
            layer="signature",
        ),
        case("a record changed after signing", record={**record, "created": 1}, layer="signature"),
        case(
            "a record signed by somebody else",
            record=_BOB.sign("sopor/1 account record", record),
            layer="signature",
        ),
        case(
            "a record signed under another label",
            record=_ADA.sign("sopor/1 credentials", record),
            layer="signature",
        ),
        credential("a login key of another password", "account", login_key=other_login),
        credential("a login key of small order", "signature", login_key=small),
        credential("a recovery key of another", "account", recovery=True, recovery_key=other_login),
        credential("flipped wrap", "account", secret=flipped_secret),
        credential("a wrap of older credentials", "account", secret=access.wrap(n=2)),
        credential(
            "a wrap with other costs", "account", secret=access.wrap(numbers=(3, 65536, 3, 5))
        ),
        credential(
            "a wrap of another account", "account", secret=access.wrap(account=_BOB.account)
        ),
        credential("a wrap of another secret", "account", secret=access.wrap(secret=_BOB.secret)),
        credential(
            "the recovery wrap for the password's",
            "account",
            secret=access.wrap(2, key=access.derived.wrap_key),
        ),
        credential(
            "a recovery wrap bound to numbers",
            "account",
            recovery=True,
            recovery_secret=access.wrap(2),
        ),
        credential("weaker costs", "kdf", kdf={**_COSTS, "m": 8192}),
        credential("costs of another hash", "kdf", kdf={**_COSTS, "alg": "argon2d"}),
        credential("a wrap of 59 bytes", "parse", secret=b64(bytes(59))),
        credential("credentials of number zero", "parse", n=0),
        credential("credentials of version 2", "parse", v=2),
        credential("an unknown member of the credentials", "parse", hint="petname"),
        case("a record of version 2", record=_record(v=2), layer="parse"),
        case("an unknown member of the record", record=_record(mail="x"), layer="parse"),
        case(
            "a login name that is not in its normal form",
            record=_record(login=_LOGIN.upper()),
            layer="parse",
        ),
    ]
    return yes + no


def proofs() -> list[Vector]:
    """Answers to a server's challenge; `key` is the public login key."""
    seed = fixed("login seed")
    key = public_of_seed(seed)
    value = {
        "account": b64(_ADA.account),
        "action": "login",
        "challenge": b64(fixed("challenge")),
        "server": b64(fixed("server", 16)),
    }

    def signed(label: str = "sopor/1 challenge", **change: Any) -> Vector:
        return sign_with_seed(seed, label, {**value, **change})

    vectors = [
        good(action, key=key.hex(), seed=seed.hex(), proof=signed(action=action))
        for action in ("login", "recover", "credentials", "device")
    ]
    proof = signed()
    faults: dict[str, tuple[str, Vector]] = {
        "for another action": ("signature", {**proof, "action": "device"}),
        "for another account": ("signature", {**proof, "account": b64(_BOB.account)}),
        "for another challenge": ("signature", {**proof, "challenge": b64(fixed("other"))}),
        "for another server": ("signature", {**proof, "server": b64(fixed("other", 16))}),
        "under another label": ("signature", signed("sopor/1 credentials")),
        "of another key": ("signature", sign_with_seed(fixed("x"), "sopor/1 challenge", value)),
        "an unknown action": ("parse", signed(action="delete")),
        "a challenge of 31 bytes": ("parse", signed(challenge=b64(bytes(31)))),
        "an unknown member": ("parse", signed(v=1)),
        "no signature": ("parse", value),
    }
    vectors += [bad(n, layer, key=key.hex(), proof=p) for n, (layer, p) in faults.items()]
    return vectors


# ----------------------------------------------------------------------------------- keystore file


def keystore() -> list[Vector]:
    """Keystore files; `text` is the whole file."""
    passphrase, content = "pass phrase", b'{"secret":"..."}'

    def text(
        passphrase: str = passphrase,
        content: bytes = content,
        costs: dict[str, Any] | None = None,
        **change: Any,
    ) -> str:
        costs = costs or _COSTS
        salt = fixed("keystore salt", 16)
        header = {"v": 1, "kdf": costs, "salt": b64(salt)}
        label = b"sopor/1 keystore file"
        key = hkdf(argon2(passphrase, salt, costs), b"", label)
        sealed = seal(key, fixed("keystore nonce", 12), content, label + b"\0" + canonical(header))
        return canonical({**header, "sealed": b64(sealed), **change}).decode() + "\n"

    whole = text()
    sealed_at = whole.index('"sealed":"') + 10
    weaker = {**_COSTS, "m": 65535}
    vectors = [
        good("a file", passphrase=passphrase, text=whole, content=content.hex()),
        good("an empty file", passphrase=passphrase, text=text(content=b""), content=""),
        good(
            "a passphrase in another form",
            passphrase="\u2460",
            text=text("1"),
            content=content.hex(),
        ),
        good(
            "more costs",
            passphrase=passphrase,
            text=text(costs={**_COSTS, "t": 4}),
            content=content.hex(),
        ),
    ]
    letter = "B" if whole[sealed_at] != "B" else "C"
    texts: dict[str, tuple[str, str]] = {
        "flipped nonce": ("account", whole[:sealed_at] + letter + whole[sealed_at + 1 :]),
        "another salt": ("account", text(salt=b64(fixed("other salt", 16)))),
        "other costs": ("account", text(kdf={**_COSTS, "t": 4})),
        "weaker costs": ("kdf", text(costs=weaker)),
        "costs over 1 GiB": ("kdf", text(kdf={**_COSTS, "m": 1048577})),
        "two passes": ("kdf", text(kdf={**_COSTS, "t": 2})),
        "another hash": ("kdf", text(kdf={**_COSTS, "alg": "scrypt"})),
        "version 2": ("parse", text(v=2)),
        "an unknown member": ("parse", text(hint="my cat")),
        "a salt of 15 bytes": ("parse", text(salt=b64(bytes(15)))),
        "sealed bytes shorter than a tag": ("account", text(sealed=b64(bytes(27)))),
        "sealed bytes that are not base64url": ("parse", text(sealed="====")),
        "no line break at the end": ("parse", whole[:-1]),
        "a line break too much": ("canonical", whole + "\n"),
        "a space": ("canonical", whole.replace(":", ": ", 1)),
        "nothing": ("parse", ""),
        "a line break alone": ("canonical", "\n"),
    }
    vectors += [bad(n, layer, passphrase=passphrase, text=t) for n, (layer, t) in texts.items()]
    vectors.append(bad("the wrong passphrase", "account", passphrase="phrase pass", text=whole))
    vectors.append(
        {"name": "an empty passphrase", "passphrase": "", "text": whole, "error": "invalid-value"}
    )
    return vectors
