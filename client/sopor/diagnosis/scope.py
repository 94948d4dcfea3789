"""What is examined: the keystore of this device, and a working copy if there is one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field
from functools import cached_property
from pathlib import Path

from sopor.errors import NotFound, SoporError
from sopor.keystore import Keystore, KnownAccount, NoPasswords, PasswordSource
from sopor.records import dataclass
from sopor.remote import ServerAddress
from sopor.repository import Repository
from sopor.repository.configuration import Configuration
from sopor.repository.context import Context, Progress, find_root, no_progress


@dataclass
class Scope:
    """One examination; close it when it is over.

    Attributes:
        folder: where to look for a working copy.
        keystore: the keystore of the device.
        passwords: gives a password where one lies ready; nobody is asked.
        offline: whether no server is asked.
        progress: told what goes on.
    """

    folder: Path
    keystore: Keystore
    passwords: PasswordSource = field(default_factory=NoPasswords)
    offline: bool = False
    progress: Progress = no_progress

    @cached_property
    def root(self) -> Path | None:
        """The folder of the working copy, or None; raises DamagedStore for one half made."""
        try:
            return find_root(self.folder)
        except NotFound:
            return None

    @cached_property
    def repository(self) -> Repository | None:
        """The working copy, or None; raises NotFound or DamagedStore for one that does not open."""
        if self.root is None:
            return None
        return Repository.open(self.root, passwords=self.passwords, home=self.keystore.home)

    @property
    def context(self) -> Context | None:
        """What operations on the working copy share, or None without one; raises as it does."""
        return self.repository.context if self.repository else None

    @property
    def readable(self) -> Context | None:
        """The same; None as well where the working copy does not open, which a check tells."""
        with suppress(SoporError):
            return self.context
        return None

    def accounts(self) -> list[KnownAccount]:
        """Returns the accounts of the device; raises DamagedStore, DiskFull."""
        return self.keystore.accounts()

    def servers(self) -> dict[str, KnownAccount | None]:
        """Returns the servers that matter here, with an account that is known there.

        In a published working copy that is its own server, elsewhere it is every known one.
        """
        known: dict[str, KnownAccount | None] = {one.server: one for one in self.accounts()}
        context = self.readable
        if context is not None and context.server:
            return {context.server: known.get(context.server)}
        named = Configuration(self.keystore.home).get("server")
        if named is not None:
            known.setdefault(str(ServerAddress.parse(named, allow_plain_http=True)), None)
        return known

    def close(self) -> None:
        """Closes the working copy."""
        repository = self.__dict__.get("repository")
        if repository is not None:
            repository.close()
