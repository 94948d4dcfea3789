"""The keys of an issuer over time: a real issuer, and a clock that moves when it is moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sopor_server.adapters.oidc import KEYS_SECONDS, RETRY_SECONDS, OidcTokens
from sopor_server.ports.sign_on import IdTokenInvalid, IssuerUnavailable
from tests.support.issuer import ADA, Issuer, Twist, running_issuer
from tests.unit.server.conftest import Clock


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


def asked(issuer: Issuer) -> int:
    return issuer.requests.count("/keys")


def test_nothing_is_fetched_before_the_first_token(issuer: Issuer, clock: Clock) -> None:
    tokens = OidcTokens(issuer.url, clock)
    assert issuer.requests == []
    assert tokens.claims(issuer.id_token())["sub"] == ADA.sub
    assert asked(issuer) == 1


def test_keys_are_kept_for_an_hour(issuer: Issuer, clock: Clock) -> None:
    tokens = OidcTokens(issuer.url, clock)
    tokens.claims(issuer.id_token())
    former = issuer.id_token()
    issuer.change_keys()
    clock.time += int(KEYS_SECONDS)
    assert tokens.claims(former)["sub"] == ADA.sub
    assert asked(issuer) == 1
    clock.time += 1
    with pytest.raises(IdTokenInvalid, match="does not name"):
        tokens.claims(former)


def test_made_up_keys_do_not_keep_the_server_asking(issuer: Issuer, clock: Clock) -> None:
    tokens = OidcTokens(issuer.url, clock)
    for _ in range(20):
        with pytest.raises(IdTokenInvalid):
            tokens.claims(issuer.id_token(twist=Twist(unknown_key=True)))
    assert asked(issuer) == 1 + 5
    clock.time += 60
    with pytest.raises(IdTokenInvalid):
        tokens.claims(issuer.id_token(twist=Twist(unknown_key=True)))
    assert asked(issuer) == 1 + 6


def test_who_is_away_is_not_asked_again_at_once(issuer: Issuer, clock: Clock) -> None:
    tokens = OidcTokens(issuer.url, clock)
    true_url, token = issuer.url, issuer.id_token()
    issuer.url = "https://somebody-else.example"
    for _ in range(3):
        with pytest.raises(IssuerUnavailable, match="names itself"):
            tokens.claims(token)
    assert len(issuer.requests) == 1
    issuer.url = true_url
    clock.time += int(RETRY_SECONDS)
    assert tokens.claims(token)["sub"] == ADA.sub


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_a_key_verifies_one_algorithm_only(algorithm: str, clock: Clock) -> None:
    with running_issuer(algorithm) as issuer:
        tokens = OidcTokens(issuer.url, clock)
        assert tokens.claims(issuer.id_token())["sub"] == ADA.sub
        for forged in ("none", "HS256"):
            with pytest.raises(IdTokenInvalid, match=forged):
                tokens.claims(issuer.id_token(twist=Twist(algorithm=forged)))
        with pytest.raises(IdTokenInvalid, match="does not verify"):
            tokens.claims(issuer.id_token(twist=Twist(garbled=True)))
