"""Continues a sign-on without a person, as long as the issuer lets it (SPEC section 9.1)."""

from __future__ import annotations

from dataclasses import replace

from sopor.disk import exclusive
from sopor.errors import SignOnRequired
from sopor.keystore import OpenEntry
from sopor.remote.issuer import Issuer
from sopor.remote.sign_on import SignOnSettings

_LOCK_SECONDS = 60.0


def fresh_id_token(entry: OpenEntry) -> str:
    """Returns a fresh ID token of who signed on, by the issuer's refresh token.

    Issuers give a new refresh token with each use and take an old one for a stolen one, so only one
    process asks at a time, and the new token is on the disk before anything else happens.

    Raises:
        SignOnRequired: the issuer does not continue the sign-on, or never meant to.
        ServerUnreachable: the issuer cannot be reached.
        Busy, DiskFull, DamagedStore: the keystore cannot be changed.
    """
    with exclusive(entry.sign_on_lock, "the sign-on of this device", _LOCK_SECONDS):
        entry.read_again()
        kept = entry.secrets.sign_on
        if kept is None or kept.refresh_token is None:
            raise SignOnRequired(
                "the sign-on of this device is over: the issuer gave nothing to continue it with",
                hint="run `sopor login`; who runs the issuer can let it give refresh tokens",
                problem="sign-on-required",
            )
        settings = SignOnSettings(kept.issuer, kept.client_id, kept.client_secret)
        tokens = Issuer(settings).refresh(kept.refresh_token, kept.sub)
        if tokens.refresh_token not in (None, kept.refresh_token):
            renewed = replace(kept, refresh_token=tokens.refresh_token)
            entry.change(lambda secrets: replace(secrets, sign_on=renewed))
    return tokens.id_token
