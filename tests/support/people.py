"""People of the stories that are told by processes: accounts, whose devices are terminals."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sopor.account import Setup, login, read_kit, register
from sopor.keystore import Keystore, Protection
from tests.support.terminal import Terminal
from tests.support.world import CHEAP, PASSWORD

PETSTORE = Path(__file__).resolve().parents[2] / "examples" / "petstore" / "petstore.yaml"
_NUMBERS = count(1)


@dataclass
class Person:
    """Somebody with an account at a server; everything of theirs lies below ``root``."""

    root: Path
    url: str
    login: str = field(default_factory=lambda: f"ada{next(_NUMBERS)}@example.com")
    password: str = PASSWORD

    @property
    def kit(self) -> Path:
        """The recovery kit."""
        return self.root / "kit.txt"

    def device(self, name: str, *, typed: bool = False) -> Terminal:
        """Returns a new device; the first one registers. Passwords come from a file.

        Unless the command is to be ``typed``, the library does it with the lowest costs that the
        formats allow for a password, and without starting a process.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        password = self.root / f"password-{name}.txt"
        password.write_text(f"{self.password}\n", encoding="utf-8")
        terminal = Terminal.create(self.root / name)
        terminal.environment["SOPOR_PASSWORD_FILE"] = str(password)
        if not typed:
            self._open_account(terminal, name)
            return terminal
        way = "login" if self.kit.exists() else "register"
        terminal(
            f"sopor {way} {self.login} --server {self.url} --kit {self.kit} "
            f"--device {name} --keystore file"
        )
        return terminal

    def _open_account(self, terminal: Terminal, name: str) -> None:
        setup = Setup(
            keystore=Keystore(Path(terminal.environment["SOPOR_HOME"])),
            device_name=name,
            protection=Protection.FILE,
            costs=CHEAP,
        )
        if self.kit.exists():
            kit = read_kit(self.kit)
            login(setup, self.url, self.login, self.password, kit.secret_key, kit.server_id)
        else:
            register(setup, self.url, self.login, self.password, self.kit)


def start(terminal: Terminal, name: str = "petstore", org: str | None = None) -> Terminal:
    """Publishes the pet store, in an organization, and returns its working copy."""
    pets = terminal.at(name)
    pets.folder.mkdir()
    shutil.copy(PETSTORE, pets.folder / "petstore.yaml")
    pets("sopor init")
    pets("sopor commit -m 'Import the pet store'")
    pets(f"sopor push --org '{org}'" if org else "sopor push")
    return pets
