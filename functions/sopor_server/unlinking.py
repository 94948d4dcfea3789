"""The command `sopor-server unlink`: lets an account be linked to another person of the issuer.

For who got a new identity there. It opens nothing: the next sign-on needs the account's own keys.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sopor_core.errors import InvalidValue, SoporError
from sopor_core.names import normalize_login


def main(arguments: Sequence[str]) -> int:
    """Unlinks one account; returns the exit code, 2 where that is not possible."""
    options = _parser().parse_args(arguments)
    if options.data is not None:
        os.environ["SOPOR_DATA"] = str(options.data.absolute())
    try:
        login = normalize_login(options.login)
        unlinked = unlink(os.environ, login)
    except (SoporError, OSError) as error:
        hint = getattr(error, "hint", None)
        sys.stderr.write(f"sopor-server: {error}\n" + (f"hint: {hint}\n" if hint else ""))
        return 2
    told = "is linked to nobody now" if unlinked else "was linked to nobody"
    sys.stdout.write(f"{login} {told}\n")
    return 0


def unlink(environment: Mapping[str, str], login: str) -> bool:
    """Unlinks the account with a login name in its normal form; tells whether it was linked.

    Raises:
        InvalidValue: nobody has the name, or the environment is not as it must be.
        StoreUnavailable: the storage does not answer.
        OSError: the data folder cannot be made.
    """
    from sopor_server.bootstrap import storages
    from sopor_server.config import Config

    store, _ = storages(Config.from_environment(environment, serving=False))
    try:
        account = store.account_by_login(login)
        if account is None:
            raise InvalidValue(f"nobody has the login name {login!r}", hint="check how it is spelt")
        return store.unlink(account.id)
    finally:
        store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sopor-server unlink",
        description="Let an account be linked to another person of the issuer at the next sign-on.",
    )
    parser.add_argument("login", help="the account's login name")
    parser.add_argument(
        "--data", type=Path, help="folder of all data (default: SOPOR_DATA, or the user's)"
    )
    return parser
