"""What commands about accounts share: which account is meant, which server, which kit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sopor.cli.asking import SECRET_KEY_FILE
from sopor.errors import InvalidInput

if TYPE_CHECKING:
    from sopor.account import Account, RecoveryKit, Setup
    from sopor.cli.browser import Browser
    from sopor.cli.session import Session
    from sopor.crypto.written_keys import RecoveryKey, SecretKey
    from sopor.keystore import Keystore

KEYSTORES = ["password", "keychain", "file"]


def account_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--server`` and ``--account``, which choose among the accounts of this device."""
    for option in (
        click.option("--account", metavar="LOGIN", help="Which account of this device."),
        click.option("--server", metavar="URL", help="Which server."),
    ):
        function = option(function)
    return function


def setup_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds what registering, logging in and recovering share: ``server``, and the `Setup`."""

    @wraps(function)
    def with_setup(
        session: Session,
        *,
        device: str | None,
        keystore: str | None,
        allow_http: bool,
        sso: bool,
        no_browser: bool,
        **rest: object,
    ) -> None:
        setup = make_setup(device, keystore, allow_http=allow_http)
        setup = replace(setup, sign_on=sso, browser=_browser(session, opens=not no_browser))
        function(session, setup=setup, **rest)

    decorated: Callable[..., None] = with_setup
    for option in (
        click.option(
            "--no-browser", is_flag=True, help="Show the address to sign on at, open no browser."
        ),
        click.option(
            "--sso", is_flag=True, help="Sign on at the server's issuer, also where it is optional."
        ),
        click.option(
            "--allow-http", is_flag=True, help="Use http:// to another machine, without encryption."
        ),
        click.option(
            "--keystore",
            type=click.Choice(KEYSTORES),
            help="What keeps the keys on this device; the password by default.",
        ),
        click.option("--device", metavar="NAME", help="What to call this device."),
        click.option("--server", metavar="URL", help="The server."),
    ):
        decorated = option(decorated)
    return decorated


def _browser(session: Session, *, opens: bool) -> Browser | None:
    from sopor.cli.browser import Browser

    return Browser(session.console, opens=opens) if session.asking.allowed else None


def warn_of_end(session: Session, account: Account) -> None:
    """Warns of a sign-on that ends with the access token, as nothing continues it."""
    kept = account.entry.secrets.sign_on
    if kept is not None and kept.refresh_token is None:
        session.console.warn(
            f"{kept.issuer} gave nothing to continue the sign-on with: "
            "you have to log in again in a quarter of an hour"
        )


def open_keystore() -> Keystore:
    """Returns the keystore of this device."""
    from sopor.keystore import Keystore

    return Keystore()


def make_setup(device: str | None, keystore: str | None, *, allow_http: bool) -> Setup:
    """Returns how this device keeps secrets and reaches servers."""
    from sopor.account import Setup
    from sopor.keystore import Protection

    return Setup(
        open_keystore(),
        device_name=device or "",
        protection=Protection(keystore) if keystore else None,
        allow_plain_http=allow_http,
    )


def choose_server(named: str | None, kit: RecoveryKit | None = None) -> str:
    """Returns the server that is meant: named, in the kit, set, or that of the default account.

    Raises:
        InvalidInput: nothing says it.
    """
    from sopor.keystore import sopor_home
    from sopor.repository.configuration import Configuration

    server = named or (kit.server if kit else None) or Configuration(sopor_home()).get("server")
    if server:
        return server
    keystore = open_keystore()
    default = keystore.default
    for known in keystore.accounts():
        if known.account == default:
            return known.server
    raise InvalidInput("no server is known", hint="name it with --server")


def choose_login(named: str | None, kit: RecoveryKit | None, server: str) -> str:
    """Returns the login name that is meant: named, in the kit, or of the account known here.

    Raises:
        InvalidInput: nothing says it.
        NotLoggedIn: no account is known for the server.
    """
    login = named or (kit.login if kit else None)
    return login or open_keystore().find(server).login


def load_kit(path: Path | None) -> RecoveryKit | None:
    """Returns the recovery kit in a file, or None without a file."""
    from sopor.account import read_kit

    return read_kit(path) if path else None


def secret_key(
    session: Session, login: str, kit: RecoveryKit | None, *, known: bool
) -> SecretKey | None:
    """Returns the secret key from the kit, a named file or a prompt; None if it is known here.

    Raises:
        InputNeeded: there is none.
        InvalidInput, InvalidValue: it is mistyped.
    """
    from sopor.crypto.written_keys import SecretKey

    if kit is not None and kit.secret_key is not None:
        return kit.secret_key
    if known and not session.asking.has_file(SECRET_KEY_FILE):
        return None
    text = session.asking.secret_key(login)
    return _kit_of(text).secret_key if "\n" in text else SecretKey.from_text(text)


def recovery_key(session: Session, login: str, kit: RecoveryKit | None) -> RecoveryKey:
    """Returns the recovery key from the kit, a named file or a prompt.

    Raises:
        InputNeeded: there is none.
        InvalidInput, InvalidValue: it is mistyped.
    """
    from sopor.crypto.written_keys import RecoveryKey

    if kit is not None and kit.recovery_key is not None:
        return kit.recovery_key
    text = session.asking.recovery_key(login)
    found = _kit_of(text).recovery_key if "\n" in text else RecoveryKey.from_text(text)
    if found is None:
        raise InvalidInput("the kit holds no recovery key", hint="take another one")
    return found


def _kit_of(text: str) -> RecoveryKit:
    from sopor.account import parse_kit

    return parse_kit(text)
