"""The recovery kit: a text file with all that leads back to an account, for a drawer.

Writing is exact, reading is tolerant: a kit may have been printed, typed in again, wrapped in an
e-mail or edited. Lines that mean nothing are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.disk import create_private, read_private
from sopor.errors import DiskFull, InvalidInput, NotFound, SoporError, StateConflict
from sopor.records import dataclass
from sopor_core.ids import AccountId, ServerId
from sopor_core.names import normalize_login

MAX_KIT_BYTES = 64 * 1024
_LINE = re.compile(r"[\s>*#|-]*([A-Za-z][A-Za-z ]*?)\s*[:=]\s*(.*?)\s*$")
T = TypeVar("T")

_TEXT = """\
SOPOR RECOVERY KIT

Server:        {server}
Server id:     {server_id}
Login:         {login}
Account id:    {account}
Secret key:    {secret_key}
Recovery key:  {recovery_key}
Created:       {created}

Print this file or keep it on a drive that is not always connected, then delete it here.

- To log in on another device you need your password and the secret key:
      sopor login {login} --server {server} --kit THIS-FILE
- If you forgot the password, the recovery key opens the account and sets a new one:
      sopor recover {login} --server {server} --kit THIS-FILE
- Whoever has this file can take over the account. Nobody, not even who runs the server, can
  replace it: without a logged-in device, a lost kit and a lost password lose what is encrypted.
"""


@dataclass(frozen=True, slots=True)
class RecoveryKit:
    """What a kit says; None for what was not found in it. ``created`` is a date in ISO 8601."""

    server: str | None = None
    server_id: ServerId | None = None
    login: str | None = None
    account: AccountId | None = None
    secret_key: SecretKey | None = field(default=None, repr=False)
    recovery_key: RecoveryKey | None = field(default=None, repr=False)
    created: str | None = None

    def to_text(self) -> str:
        """Returns the kit as text; only a whole kit is written.

        Raises:
            ValueError: a part is missing.
        """
        if not (self.secret_key and self.recovery_key and self.server_id and self.account):
            raise ValueError("a recovery kit lacks a part")
        return _TEXT.format(
            server=self.server,
            server_id=self.server_id.hex(),
            login=self.login,
            account=self.account.hex(),
            secret_key=self.secret_key.to_text(),
            recovery_key=self.recovery_key.to_text(),
            created=self.created,
        )


def kit_date(milliseconds: int) -> str:
    """Returns the date of a time in milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def write_kit(path: Path, kit: RecoveryKit) -> None:
    """Writes a new kit, mode 0600, to the disk itself.

    Raises:
        StateConflict: the file is there already; a kit is never overwritten.
        DiskFull: it cannot be written.
    """
    check_kit_path(path)
    try:
        create_private(path, kit.to_text().encode("utf-8"))
    except FileExistsError:
        raise _exists(path) from None


def check_kit_path(path: Path) -> None:
    """Raises StateConflict or DiskFull if a kit cannot be written there."""
    if path.exists() or path.is_symlink():
        raise _exists(path)
    if not path.parent.is_dir():
        raise DiskFull(f"{path.parent} is not a folder", hint="create it, or name another file")


def _exists(path: Path) -> StateConflict:
    return StateConflict(
        f"{path} exists, and a recovery kit is never overwritten",
        hint="name another file; if that kit is of a registration that was interrupted, "
        "try `sopor login` with it first",
    )


def read_kit(path: Path) -> RecoveryKit:
    """Reads a kit from a file.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is no kit, or something in it is mistyped.
    """
    data = read_private(path)
    if data is None:
        raise NotFound(f"there is no recovery kit {path}", hint="name the file of your kit")
    if len(data) > MAX_KIT_BYTES:
        raise InvalidInput(f"{path} is too large for a recovery kit", hint="name another file")
    try:
        return parse_kit(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not a text file", hint="name another file") from None
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", hint=error.hint) from None


def parse_kit(text: str) -> RecoveryKit:
    """Reads a kit from text.

    Raises:
        InvalidInput: neither key is in it, or a line is mistyped; the message names the line's
            subject and never repeats a key.
    """
    lines = _lines(text)
    kit = RecoveryKit(
        server=lines.get("server"),
        server_id=_read(lines, "server id", lambda value: ServerId.from_hex(_joined(value))),
        login=_read(lines, "login", normalize_login),
        account=_read(lines, "account id", lambda value: AccountId.from_hex(_joined(value))),
        secret_key=_read(lines, "secret key", SecretKey.from_text),
        recovery_key=_read(lines, "recovery key", RecoveryKey.from_text),
        created=lines.get("created"),
    )
    if kit.secret_key is None and kit.recovery_key is None:
        raise InvalidInput(
            "it holds neither a secret key nor a recovery key", hint="name the file of your kit"
        )
    return kit


def _lines(text: str) -> dict[str, str]:
    """Returns the values by their names in lower case; the first of each counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[2]:
            found.setdefault(" ".join(match[1].lower().split()), match[2])
    return found


def _read(lines: dict[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    value = lines.get(name)
    if value is None:
        return None
    try:
        return parse(value)
    except SoporError as error:
        raise InvalidInput(f"the line {name!r} is mistyped", hint=error.hint) from None


def _joined(text: str) -> str:
    return "".join(text.replace("-", "").split())
