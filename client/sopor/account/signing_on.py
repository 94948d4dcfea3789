"""Signs on at the issuer that a server names.

The sign-on stands beside the proof of the login key, and no key follows from it (SPEC section 9.1).
"""

from __future__ import annotations

from dataclasses import field

from sopor.account.setup import Setup, answer
from sopor.crypto.account import LoginKeys
from sopor.errors import InputNeeded, ServerRefused, SignOnFailed, SignOnRequired
from sopor.keystore import SignOnSecrets
from sopor.records import dataclass
from sopor.remote.issuer import Attempt, Issuer
from sopor.remote.listings import ServerMeta
from sopor.remote.login import Challenge, LoginApi, NewDevice, NewSession
from sopor.remote.sign_on import SignOnSettings
from sopor_core.account import Action
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import ServerId
from sopor_core.sign_on import nonce_of


@dataclass(frozen=True, slots=True)
class SignedOn:
    """A sign-on: the token for the server, its challenge, and what the device keeps of it."""

    id_token: str = field(repr=False)
    challenge: bytes
    secrets: SignOnSecrets


def open_session(
    api: LoginApi,
    setup: Setup,
    keys: LoginKeys,
    challenge: Challenge,
    login: str,
    action: Action,
    device: NewDevice,
) -> tuple[NewSession, SignOnSecrets | None]:
    """Answers a challenge, with a sign-on where it is wanted or the server asks for it.

    Returns:
        The session, and what the device keeps of the sign-on.

    Raises:
        LoginFailed: the keys are not the account's.
        SignOnFailed, InputNeeded: nobody signed on, or not so that it counts.
    """
    settings = _wanted_settings(api, setup, challenge)
    if settings is None:
        proof = answer(keys, challenge, challenge.account, action)
        try:
            return api.login(proof, device), None
        except SignOnRequired:
            settings = _named(api.meta())
            challenge = _another_challenge(api, challenge, login, action)
    signed = sign_on(setup, settings, challenge.server, device, challenge.challenge)
    proof = answer(keys, challenge, challenge.account, action)
    return api.login(proof, device, signed.id_token), signed.secrets


def sign_on_to_register(
    api: LoginApi, setup: Setup, meta: ServerMeta, login: str, device: NewDevice
) -> SignedOn | None:
    """Signs on before an account is created, where the server asks for it or the person wants to.

    Raises:
        SignOnFailed, InputNeeded, ServerRefused: see `open_session`.
    """
    if not setup.sign_on and (meta.sign_on is None or not meta.sign_on.required):
        return None
    settings = _named(meta)
    challenge = api.challenge(login, Action.REGISTER)
    if challenge.server != meta.server:
        raise VerificationError(Layer.ACCOUNT, "the server's challenge is another server's")
    return sign_on(setup, settings, meta.server, device, challenge.challenge)


def sign_on(
    setup: Setup, settings: SignOnSettings, server: ServerId, device: NewDevice, challenge: bytes
) -> SignedOn:
    """Sends a person's browser to the issuer and returns what it brings back.

    Raises:
        InputNeeded: nobody may be asked.
        SignOnFailed: the person, the issuer or the time did not let it succeed.
        ServerUnreachable: the issuer cannot be reached.
    """
    from sopor.remote.loopback import LoopbackRedirect

    if setup.browser is None:
        raise InputNeeded(
            f"the server asks for a sign-on at {settings.issuer}, by a person with a browser",
            hint="run `sopor login` where one is, without --no-input",
        )
    issuer = Issuer(settings)
    attempt = Attempt(nonce_of(server, device.id, challenge))
    with LoopbackRedirect(attempt.state, settings.port) as redirect:
        url = issuer.authorization_url(attempt, redirect.uri)
        setup.browser.show(url, settings.issuer)
        code = issuer.code_of(redirect.wait(setup.sign_on_seconds))
        tokens = issuer.exchange(code, attempt, redirect.uri)
    kept = SignOnSecrets(
        settings.issuer,
        settings.client_id,
        settings.client_secret,
        tokens.sub,
        tokens.refresh_token,
    )
    return SignedOn(tokens.id_token, challenge, kept)


def _wanted_settings(api: LoginApi, setup: Setup, challenge: Challenge) -> SignOnSettings | None:
    """Returns where to sign on if that is wanted from the start, as here before."""
    known = setup.keystore.accounts()
    before = [each.sign_on for each in known if each.account == challenge.account and each.sign_on]
    if setup.sign_on:
        return _named(api.meta())
    if not before:
        return None
    settings = api.meta().sign_on
    if settings is not None and settings.issuer not in before:
        raise SignOnFailed(
            f"the server names another issuer than before ({settings.issuer}, not {before[0]})",
            hint="ask who runs the server; if it is right, run `sopor login --sso`",
        )
    return settings


def _named(meta: ServerMeta) -> SignOnSettings:
    if meta.sign_on is None:
        raise ServerRefused(
            "the server names no issuer to sign on at", hint="leave out --sso, or ask who runs it"
        )
    return meta.sign_on


def _another_challenge(
    api: LoginApi, challenge: Challenge, login: str, action: Action
) -> Challenge:
    another = api.challenge(login, action)
    if (another.account, another.server) != (challenge.account, challenge.server):
        raise VerificationError(
            Layer.ACCOUNT, "the server's second challenge is for another account than the first"
        )
    return another
