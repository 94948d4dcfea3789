"""What an ID token must say, and what ties it to a login; the rest is tested over HTTP."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue
from sopor_core.ids import DeviceId, ServerId
from sopor_core.sign_on import check_issuer_url, discovery_url, nonce_of, subject_of
from sopor_server.errors import Refused
from sopor_server.ports.records import Link
from sopor_server.ports.sign_on import Mode, SignOnSettings
from sopor_server.service.id_token import person_of

NOW = 1_700_000_000
GOOGLE = "https://accounts.google.com"


def settings(issuer: str = GOOGLE, *domains: str) -> SignOnSettings:
    return SignOnSettings(Mode.REQUIRED, issuer, "client", None, frozenset(domains))


def claims(**changes: Any) -> dict[str, Any]:
    return {
        "iss": GOOGLE,
        "aud": "client",
        "sub": "1",
        "iat": NOW,
        "exp": NOW + 600,
        "nonce": "n",
        "email": "ada@example.com",
        "email_verified": True,
        **changes,
    }


def test_a_private_account_with_an_address_of_the_organization_is_no_member_of_it() -> None:
    # Whoever left keeps a private account at Google whose verified address is still the old one.
    where = settings(GOOGLE, "example.com", "gmail.com")
    with pytest.raises(Refused, match="private one"):
        person_of(claims(), where, NOW * 1000, "n", fresh=True)
    member = person_of(claims(hd="example.com"), where, NOW * 1000, "n", fresh=True)
    assert member == Link(GOOGLE, subject_of(GOOGLE, "1"))
    person_of(claims(email="ada@gmail.com"), where, NOW * 1000, "n", fresh=True)
    elsewhere = settings("https://login.example.com", "example.com")
    theirs = claims(iss="https://login.example.com")
    person_of(theirs, elsewhere, NOW * 1000, "n", fresh=True)


@pytest.mark.parametrize(
    ("moved", "counts"),
    [(-360, True), (-361, False), (60, True), (61, False)],
)
def test_a_minute_is_for_clocks_that_differ(moved: int, counts: bool) -> None:
    found = claims(hd="example.com", iat=NOW + moved, exp=NOW + moved + 3600)
    where = settings(GOOGLE, "example.com")
    if counts:
        person_of(found, where, NOW * 1000, "n", fresh=True)
    else:
        with pytest.raises(Refused):
            person_of(found, where, NOW * 1000, "n", fresh=True)


@pytest.mark.parametrize(("left", "counts"), [(-59, True), (-60, False)])
def test_an_end_has_a_minute_too(left: int, counts: bool) -> None:
    found = claims(hd="example.com", exp=NOW + left)
    where = settings(GOOGLE, "example.com")
    if counts:
        person_of(found, where, NOW * 1000, "n", fresh=True)
    else:
        with pytest.raises(Refused, match="expired 60 seconds ago"):
            person_of(found, where, NOW * 1000, "n", fresh=True)


def test_the_nonce_is_of_server_device_and_challenge() -> None:
    server, device, challenge = ServerId(b"s" * 16), DeviceId(b"d" * 16), b"c" * 32
    expected = sha256(b"sopor/1 sign-on\0" + b"s" * 16 + b"d" * 16 + b"c" * 32).digest()
    assert nonce_of(server, device, challenge) == b64encode(expected)
    others = {
        nonce_of(ServerId(b"x" * 16), device, challenge),
        nonce_of(server, DeviceId(b"x" * 16), challenge),
        nonce_of(server, device, b"x" * 32),
    }
    assert len(others | {nonce_of(server, device, challenge)}) == 4


def test_a_subject_is_of_its_issuer() -> None:
    expected = sha256(b"sopor/1 subject\0https://a.example\0ada").digest()
    assert subject_of("https://a.example", "ada") == expected
    assert subject_of("https://a.example", "bob") != expected
    assert subject_of("https://b.example", "ada") != expected


def test_an_issuer_elsewhere_names_no_address_of_this_machine() -> None:
    assert check_issuer_url("http://127.0.0.1:9/keys", "http://localhost:9")
    assert check_issuer_url("https://127.0.0.1:9/keys", "https://login.example.com")
    for url in ("http://127.0.0.1:9/keys", "http://login.example.com/keys", "file:///etc/passwd"):
        with pytest.raises(InvalidValue):
            check_issuer_url(url, "https://login.example.com")


def test_the_discovery_document_has_its_place() -> None:
    path = "/.well-known/openid-configuration"
    assert discovery_url("https://a.example") == f"https://a.example{path}"
    assert discovery_url("https://a.example/") == f"https://a.example{path}"
    assert discovery_url("https://a.example/t/1") == f"https://a.example/t/1{path}"
