"""Vectors of what people exchange and what servers sell: invite codes, safety numbers, licenses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.vectors.making.accounts import ALPHABET, written
from tests.vectors.making.reference import (
    Person,
    Vector,
    b64,
    fixed,
    flipped,
    good,
    public_of_seed,
    sha256,
    u32,
)
from tests.vectors.making.scenes import ADA, BOB, GUS
from tests.vectors.making.team import OPERATOR, Invitation, license_of

_ORG = fixed("organization")
_EXPIRES = 1_800_000_000


def _code(version: int = 1, org: bytes = _ORG, size: int = 16, name: str = "invite code") -> str:
    inviter = sha256(b"sopor/1 inviter\0" + ADA.signing + ADA.encryption)[:16]
    secret = Invitation(org, "Eve").secret[:size]
    data = bytes([version]) + org + inviter + secret + u32(_EXPIRES)
    return written("INV1", name, data, 6)


def codes() -> list[Vector]:
    """Invite codes as people send them; `canonical` is how they are shown.

    `inviter` is what the code says of the keys of who invites (`signing`, `encryption`).
    """
    shown, invitation = _code(), Invitation(_ORG, "Eve")
    common = {
        "canonical": shown,
        "org": _ORG.hex(),
        "secret": invitation.secret.hex(),
        "expires": _EXPIRES,
        "signing": ADA.signing.hex(),
        "encryption": ADA.encryption.hex(),
        "token": invitation.token.hex(),
        "invite": invitation.id.hex(),
        "key": invitation.key.hex(),
        "invite_encryption": invitation.encryption.hex(),
    }
    vectors = [
        good(name, text=typed, **common)
        for name, typed in (
            ("as shown", shown),
            ("in lower case", shown.lower()),
            ("without hyphens", shown.replace("-", "")),
            ("with spaces and line breaks", f" {shown.replace('-', ' ')}\n"),
            ("with letters for digits", shown.replace("0", "o").replace("1", "l")),
            ("with other letters for digits", shown.replace("0", "O").replace("1", "I")),
        )
    ]
    other = Invitation(fixed("another organization"), "Eve")
    elsewhere = {
        "text": _code(org=fixed("another organization")),
        "canonical": _code(org=fixed("another organization")),
        "org": fixed("another organization").hex(),
        "token": other.token.hex(),
        "invite": other.id.hex(),
        "key": other.key.hex(),
        "invite_encryption": other.encryption.hex(),
    }
    vectors.append(good("the same secret in another organization", **{**common, **elsewhere}))
    return [*vectors, *_mistyped(shown)]


def _mistyped(shown: str) -> Iterable[Vector]:
    wrong = ALPHABET[(ALPHABET.index(shown[30]) + 1) % 32]
    for name, typed in (
        ("nothing", ""),
        ("the prefix alone", "INV1-"),
        ("another prefix", "INV2" + shown[4:]),
        ("a secret key", written("SK1", "secret key", fixed("secret key", 16), 4)),
        ("a character mistyped", shown[:30] + wrong + shown[31:]),
        ("two characters swapped", shown[:40] + shown[41] + shown[40] + shown[42:]),
        ("a character too few", shown[:-1]),
        ("a character too many", shown + "0"),
        ("the letter U", shown[:30] + "U" + shown[31:]),
        ("a digit of another script", shown[:30] + "\u0661" + shown[31:]),
        ("version 2", _code(version=2)),
        ("version 0", _code(version=0)),
        ("a shorter secret", _code(size=11)),
        ("the checksum of something else", _code(name="secret key")),
        ("a code twice", shown + shown),
    ):
        yield {"name": name, "text": typed, "error": "invalid-value"}


def safety_numbers() -> list[Vector]:
    """The number that two people compare, from the identities of both."""

    def vector(name: str, one: Person, other: Person) -> Vector:
        number = " ".join(sorted((_digits(one), _digits(other))))
        return good(name, one=one.identity(), other=other.identity(), number=number)

    return [
        vector("Ada and Bob", ADA, BOB),
        vector("Bob and Ada", BOB, ADA),
        vector("Ada with new keys and Bob", ADA.rekeyed(), BOB),
        vector("Ada and Gus", ADA, GUS),
        vector("Ada and herself", ADA, ADA),
        vector("somebody with Ada's account and other keys", Person("Eva", ADA.account), ADA),
    ]


def _digits(person: Person) -> str:
    data = person.account + person.signing + person.encryption
    digest = sha256(b"sopor/1 safety number\0" + data)[:30]
    groups = (digest[at : at + 5] for at in range(0, 30, 5))
    return " ".join(str(int.from_bytes(group, "big") % 100_000).zfill(5) for group in groups)


def licenses() -> list[Vector]:
    """Licenses; `key` is that of who runs the server."""
    right = license_of(_ORG)

    def vector(license_: Any, **outcome: Any) -> Vector:
        return {"license": license_, "key": public_of_seed(OPERATOR).hex(), **outcome}

    def refused(name: str, layer: str, license_: Any) -> Vector:
        return {"name": name, "layer": layer, **vector(license_)}

    vectors = [
        good("one that does not expire", **vector(right)),
        good("one that expires", **vector(license_of(_ORG, expires=1_800_000_000_000))),
        good("one without limits", **vector(license_of(_ORG, seats=0, projects=0, bytes=0))),
        good("a plan of 64 bytes", **vector(license_of(_ORG, plan="p" * 64))),
    ]
    for name, change in (
        ("version 2", {"v": 2}),
        ("seats that are true", {"seats": True}),
        ("seats as a text", {"seats": "10"}),
        ("projects that are negative", {"projects": -1}),
        ("bytes beyond 2^53", {"bytes": 2**53}),
        ("bytes that are null", {"bytes": None}),
        ("an expiry as a text", {"expires": "never"}),
        ("a negative expiry", {"expires": -1}),
        ("a plan of 65 bytes", {"plan": "p" * 65}),
        ("a plan that is null", {"plan": None}),
        ("an organization of 31 bytes", {"org": b64(bytes(31))}),
        ("an unknown member", {"extra": 1}),
    ):
        vectors.append(refused(name, "parse", license_of(_ORG, **change)))
    for member in right:
        lacking = {key: value for key, value in right.items() if key != member}
        vectors.append(refused(f"without {member!r}", "parse", lacking))
    vectors.append(refused("a list", "parse", [right]))
    vectors.append(refused("of another key", "signature", license_of(_ORG, fixed("other key"))))
    for member, value in (
        ("org", b64(fixed("another organization"))),
        ("plan", "enterprise"),
        ("seats", 1000),
        ("projects", 1),
        ("bytes", 0),
        ("expires", 1),
    ):
        changed = {**right, member: value}
        vectors.append(refused(f"{member!r} changed after signing", "signature", changed))
    sig = b64(flipped(bytes(64)))
    vectors.append(refused("another signature", "signature", {**right, "sig": sig}))
    return vectors
