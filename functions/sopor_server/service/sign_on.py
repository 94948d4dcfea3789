"""Single sign-on beside a proof, a registration or a refresh (SPEC section 9.1).

A sign-on never opens anything by itself: it stands beside what the login key or the device's
refresh token proves, and only takes sessions away from those who may no longer have any.
"""

from __future__ import annotations

from sopor_core.account import Action
from sopor_core.ids import AccountId, DeviceId
from sopor_core.sign_on import nonce_of
from sopor_core.wire.problems import Code
from sopor_server.auth import check_challenge
from sopor_server.errors import Refused, malformed
from sopor_server.ports.errors import ChallengeUsed, LinkMoved, SubjectTaken
from sopor_server.ports.records import Account, Link
from sopor_server.ports.sign_on import IdTokenInvalid, IssuerUnavailable, Mode
from sopor_server.service.context import Context, SingleSignOn
from sopor_server.service.id_token import person_of, refused


def check_login(
    context: Context, account: Account, device: DeviceId, challenge: bytes, id_token: str | None
) -> None:
    """Links an account whose login is proved, or holds it to its link.

    Raises:
        Refused: ``sign-on-required``, ``sign-on-refused``, ``unavailable``.
    """
    sign_on = context.sign_on
    if sign_on is None or not _wanted(sign_on, account.link, id_token):
        return
    nonce = nonce_of(context.server.id, device, challenge)
    person = _person(context, sign_on, id_token, nonce)
    try:
        context.store.link(account.id, person)
    except SubjectTaken:
        raise linked_elsewhere() from None
    except LinkMoved:
        raise _another_person() from None


def check_registration(
    context: Context,
    login: str,
    device: DeviceId,
    challenge: bytes | None,
    id_token: str | None,
) -> Link | None:
    """Returns the person whom a new account is to be linked to, None where nobody signs on.

    Args:
        context: the parts.
        login: the login name of the account.
        device: the device that registers.
        challenge: what the nonce is made of.
        id_token: what the issuer signed.

    Raises:
        Refused: ``sign-on-required``, ``sign-on-refused``, ``malformed``, ``unavailable``.
    """
    sign_on = context.sign_on
    if sign_on is None or not _wanted(sign_on, None, id_token):
        return None
    if id_token is not None and challenge is None:
        raise malformed("an ID token for a new account comes with its challenge")
    if id_token is None or challenge is None:
        raise _required(sign_on)
    expires = _expiry(context, login, challenge)
    nonce = nonce_of(context.server.id, device, challenge)
    person = _person(context, sign_on, id_token, nonce)
    try:
        context.store.use_challenge(challenge, expires, context.now())
    except ChallengeUsed:
        raise _not_this_registration() from None
    return person


def nobody(context: Context, login: str) -> AccountId:
    """Returns the account that a challenge for registering a login name is for."""
    return AccountId(context.server.tag("sopor/1 registration", login.encode("utf-8")))


def check_refresh(context: Context, account: AccountId, id_token: str | None) -> None:
    """Holds a session to its account's link; without single sign-on it reads nothing.

    Raises:
        Refused: ``sign-on-required``, ``sign-on-refused``, ``unavailable``.
    """
    sign_on = context.sign_on
    if sign_on is None:
        return
    found = context.store.account(account)
    link = _present(sign_on, found.link if found else None)
    if link is None and sign_on.settings.mode is not Mode.REQUIRED:
        return
    if link is None:
        # Only who has the login key may link; a session that is older than the rule ends.
        raise _required(sign_on)
    if _person(context, sign_on, id_token, None) != link:
        raise _another_person()


def linked_elsewhere() -> Refused:
    """Returns the answer to a person who has an account already."""
    return refused(
        "another account of this server is linked to this person",
        "log in to that account, or sign on as somebody else",
    )


def _another_person() -> Refused:
    return refused(
        "the account is linked to another person of the issuer",
        "run `sopor login` and sign on as the person who did so before",
    )


def _wanted(sign_on: SingleSignOn, link: Link | None, id_token: str | None) -> bool:
    required = sign_on.settings.mode is Mode.REQUIRED
    return required or id_token is not None or _present(sign_on, link) is not None


def _present(sign_on: SingleSignOn, link: Link | None) -> Link | None:
    """Returns a link if it is to the present issuer; one to a former issuer binds nobody."""
    return link if link is not None and link.issuer == sign_on.settings.issuer else None


def _person(
    context: Context, sign_on: SingleSignOn, id_token: str | None, nonce: str | None
) -> Link:
    if id_token is None:
        raise _required(sign_on)
    try:
        claims = sign_on.tokens.claims(id_token)
    except IdTokenInvalid as error:
        hint = "sign on again with `sopor login`"
        raise refused(error.message, hint) from None
    except IssuerUnavailable as error:
        raise Refused(
            Code.UNAVAILABLE,
            f"the server cannot ask the issuer for its keys: {error.message}",
            hint="try again in a moment; if it stays so, tell who runs the server",
            retry_after=2,
        ) from None
    fresh = nonce is not None
    return person_of(claims, sign_on.settings, context.now(), nonce, fresh=fresh)


def _expiry(context: Context, login: str, challenge: bytes) -> int:
    """Returns when a challenge for registering this login name expires, before anything costs."""
    nobodys = nobody(context, login)
    expires = check_challenge(context.server, nobodys, Action.REGISTER, challenge, context.now())
    if expires is None:
        raise _not_this_registration()
    return expires


def _not_this_registration() -> Refused:
    return refused("the sign-on is not for this registration, or took too long", "register again")


def _required(sign_on: SingleSignOn) -> Refused:
    return Refused(
        Code.SIGN_ON_REQUIRED,
        f"this server asks for a sign-on at {sign_on.settings.issuer}",
        hint="run `sopor login`",
    )
