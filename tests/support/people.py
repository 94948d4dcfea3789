"""People of the stories that are told by processes: accounts, whose devices are terminals."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.support.terminal import Terminal

PASSWORD = "correct horse battery staple"
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

    def device(self, name: str) -> Terminal:
        """Returns a new device; the first one registers. Passwords come from a file."""
        self.root.mkdir(parents=True, exist_ok=True)
        password = self.root / f"password-{name}.txt"
        password.write_text(f"{self.password}\n", encoding="utf-8")
        terminal = Terminal.create(self.root / name)
        terminal.environment["SOPOR_PASSWORD_FILE"] = str(password)
        way = "login" if self.kit.exists() else "register"
        terminal(
            f"sopor {way} {self.login} --server {self.url} --kit {self.kit} "
            f"--device {name} --keystore file"
        )
        return terminal


def start(terminal: Terminal, name: str = "petstore", org: str | None = None) -> Terminal:
    """Publishes the pet store, in an organization, and returns its working copy."""
    pets = terminal.at(name)
    pets.folder.mkdir()
    shutil.copy(PETSTORE, pets.folder / "petstore.yaml")
    pets("sopor init")
    pets("sopor commit -m 'Import the pet store'")
    pets(f"sopor push --org '{org}'" if org else "sopor push")
    return pets
