"""Where secrets come from: a line of stdin, a file named in the environment, or a prompt.

Never an argument: those are seen by every process of the machine and kept in the shell's history.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sopor.errors import InputNeeded, InvalidInput

if TYPE_CHECKING:
    from sopor.cli.console import Console
    from sopor.keystore import PasswordRequest

PASSWORD_FILE = "SOPOR_PASSWORD_FILE"  # noqa: S105 (the name of a variable)
NEW_PASSWORD_FILE = "SOPOR_NEW_PASSWORD_FILE"  # noqa: S105 (the name of a variable)
SECRET_KEY_FILE = "SOPOR_SECRET_KEY_FILE"  # noqa: S105 (the name of a variable)
RECOVERY_KEY_FILE = "SOPOR_RECOVERY_KEY_FILE"
INVITE_CODE_FILE = "SOPOR_INVITE_CODE_FILE"
MAX_SECRET_BYTES = 64 * 1024


class Asking:
    """Gives secrets to commands, and is the library's `PasswordSource`.

    Attributes:
        allowed: whether a person may be asked; not with ``--no-input``.
        from_stdin: whether each secret is the next line of stdin.
        given: every secret that was given, so that no error message shows one.
    """

    def __init__(
        self,
        console: Console,
        stdin: TextIO | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Takes what to ask through."""
        self.allowed = True
        self.from_stdin = False
        self.given: set[str] = set()
        self._console = console
        self._stdin = stdin or sys.stdin
        self._environment = environment

    @property
    def possible(self) -> bool:
        """Whether somebody may be asked, and sits at the other end of stdin."""
        return self.allowed and self._stdin.isatty()

    def has_file(self, variable: str) -> bool:
        """Tells whether a variable names a file."""
        return bool(self._environment.get(variable))

    def password(self, request: PasswordRequest) -> str:
        """Returns the password of an account; raises InputNeeded."""
        return self._secret(f"password of {request.login} at {request.server}", PASSWORD_FILE)

    def first_password(self, login: str) -> str:
        """Returns the password for a new account, typed twice; raises InputNeeded."""
        return self._secret(f"password for {login}", PASSWORD_FILE, twice=True)

    def new_password(self, login: str) -> str:
        """Returns a password in place of an older one, typed twice; raises InputNeeded."""
        return self._secret(f"new password of {login}", NEW_PASSWORD_FILE, twice=True)

    def secret_key(self, login: str) -> str:
        """Returns a secret key as it is written in a recovery kit; raises InputNeeded."""
        return self._secret(f"secret key of {login} (SK1-...)", SECRET_KEY_FILE)

    def recovery_key(self, login: str) -> str:
        """Returns a recovery key as it is written in a recovery kit; raises InputNeeded."""
        return self._secret(f"recovery key of {login} (RK1-...)", RECOVERY_KEY_FILE)

    def invite_code(self, *, from_stdin: bool = False) -> str:
        """Returns an invite code as somebody gave it; raises InputNeeded."""
        what = "invite code (INV1-...)"
        if from_stdin and not self._stdin.isatty():
            code = self._line(what)
            self.given.add(code)
            return code
        return self._secret(what, INVITE_CODE_FILE, option="--code-stdin")

    def confirm(self, what: str) -> None:
        """Asks before something that cannot be undone.

        Raises:
            InputNeeded: nobody can be asked, or the answer is not yes.
        """
        from sopor.cli.paint import one_line

        if not self.possible:
            raise InputNeeded(f"nobody can be asked whether to {what}", hint="add --yes")
        self._console.clear_progress()
        # Nobody may wait for an answer to a question that --quiet or --json kept back.
        self._console.tell_all(f"This will {one_line(what)}. Type yes to go on:")
        if self._stdin.readline().strip().lower() != "yes":
            raise InputNeeded("nothing was done")

    def _secret(
        self, what: str, variable: str, *, twice: bool = False, option: str | None = None
    ) -> str:
        password = variable in (PASSWORD_FILE, NEW_PASSWORD_FILE)
        if password and self.from_stdin and not self._stdin.isatty():
            secret = self._line(what)
        elif self._environment.get(variable):
            secret = read_secret(Path(self._environment[variable]), variable)
        elif self.possible:
            secret = self._prompt(what, twice=twice)
        else:
            option = "--password-stdin" if password else option
            way = f"with {option} or " if option else ""
            raise InputNeeded(
                f"the {what} is needed, and nobody can be asked",
                hint=f"give it {way}in a file that {variable} names",
            )
        self.given.add(secret)
        return secret

    def _line(self, what: str) -> str:
        secret = self._stdin.readline(MAX_SECRET_BYTES).removesuffix("\n").removesuffix("\r")
        if not secret:
            raise InputNeeded(f"stdin has no line for the {what}", hint="write one line a secret")
        return secret

    def _prompt(self, what: str, *, twice: bool) -> str:
        secret = self._ask(f"{what[0].upper()}{what[1:]}: ")
        if twice and self._ask("The same again: ") != secret:
            raise InvalidInput("the two passwords differ", hint="run the command again")
        return secret

    def _ask(self, prompt: str) -> str:
        from getpass import getpass

        from sopor.cli.paint import finish, one_line

        self._console.clear_progress()
        try:
            secret = getpass(finish(one_line(prompt), colour=False), self._console.err)
        except EOFError:
            secret = ""
        if not secret:
            raise InputNeeded("nothing was typed", hint="run the command again")
        return secret


def read_secret(path: Path, variable: str) -> str:
    """Returns the secret that a file holds, without the newline at its end.

    Raises:
        InvalidInput: the file does not read, is empty or longer than 64 KiB.
    """
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise InvalidInput(
            f"{variable} names {path}, which does not read ({error.strerror})",
            hint="write the secret into a file that only you can read, and name that",
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text", hint=f"correct {variable}") from None
    if not text or len(data) > MAX_SECRET_BYTES:
        wrong = "is empty" if not text else "is longer than 64 KiB"
        raise InvalidInput(f"{path} {wrong}", hint=f"correct {variable}")
    return text
