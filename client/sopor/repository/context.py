"""What every operation on a working copy shares: its store, its keys, its files, its account.

Secrets are unlocked when an operation first needs them, so `status` of a clean folder or
`config` never asks for a password.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.crypto.content_ids import ContentIds
from sopor.crypto.keys import ProjectKeys
from sopor.errors import Busy, InvalidInput, NotFound, PermissionDenied
from sopor.model.commit import Author
from sopor.model.document import Document
from sopor.records import dataclass
from sopor.repository.accounts import AccountSource
from sopor.repository.project_keys import read_local_keys, unwrap_keys
from sopor.store import FOLDER, Store
from sopor.store.beginning import check_finished
from sopor_core import canonical
from sopor_core.errors import VerificationError
from sopor_core.ids import Cid, CommitId, OrgId, ProjectId
from sopor_core.limits import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from sopor.merge.graph import Graph
    from sopor.worktree import Scan, WorkingCopy

Progress = Callable[[str], None]
"""Is told what goes on, in a few words, while something takes long."""


def no_progress(_text: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Content:
    """A document with its canonical bytes and its content id."""

    document: Document
    data: bytes
    cid: Cid


@dataclass
class Context:
    """One open working copy."""

    root: Path
    store: Store
    accounts: AccountSource
    progress: Progress = no_progress
    _keys: ProjectKeys | None = field(default=None, init=False, repr=False)

    @cached_property
    def project(self) -> ProjectId:
        """The project's id."""
        return ProjectId.from_hex(self._setting("project"))

    @property
    def org(self) -> OrgId | None:
        """The organization that the project is published in, or None before that."""
        org = self.store.settings.get("organization")
        return OrgId.from_hex(org) if org else None

    @property
    def project_name(self) -> str:
        """The project's name, as the person gave it or the membership log tells it."""
        return self.store.settings.get("project-name") or self.root.name

    @property
    def server(self) -> str | None:
        """The address of the server that the project is published on."""
        return self.store.settings.get("server")

    def _setting(self, name: str) -> str:
        value = self.store.settings.get(name)
        if value is None:
            raise InvalidInput(
                f"{self.store.folder} lacks the setting {name!r}", hint="clone the project again"
            )
        return value

    @property
    def keys(self) -> ProjectKeys:
        """The project's keys; unlocks the keystore if the project is published."""
        keys = self._keys
        if keys is None or keys.newest < self._epoch():
            keys = self._keys = self._unlock()
            self.store.objects.unlock(keys)
        return keys

    def _unlock(self) -> ProjectKeys:
        org = self.org
        if org is None:
            return read_local_keys(self.store.folder, self.project)
        account = self.accounts.of(self.store)
        members = self.store.log.membership(org)
        if members.access.role(account.known.account, self.project) is None:
            raise PermissionDenied(
                f"you have no access to {self.project_name} any more, so its new key is not yours",
                hint="your files stay as they are; if you were invited again, run `sopor fetch`, "
                "else ask an owner or admin of the organization",
            )
        return unwrap_keys(account.keys, members, self.project)

    def _epoch(self) -> int:
        """Returns the newest epoch that is verified here; 0 of a project that is not published."""
        org = self.org
        return self.store.log.membership(org).epochs(self.project)[-1].number if org else 0

    @property
    def ids(self) -> ContentIds:
        """Computes keyed ids, which are those of the first epoch's secret whatever comes later."""
        return (self._keys or self.keys).content_ids

    @property
    def graph(self) -> Graph[CommitId]:
        """The graph of commits, in the order in which they came here: parents before children."""
        from sopor.merge.graph import Graph

        commits = self.store.commits
        return Graph(commits.parents, commits.number, ordered=True)

    @cached_property
    def files(self) -> WorkingCopy:
        """The working files."""
        from sopor.worktree import Options, SqliteFileIndex, WorkingCopy

        index = SqliteFileIndex(self.store.database.connection)
        return WorkingCopy(self.root, index, self.cid, Options(scratch=self.store.folder))

    def scan(self) -> Scan:
        """Compares the working files with the last commit, and remembers what was seen.

        While another process writes to the store it remembers nothing, so that looking never waits.

        Raises:
            InvalidInput, FormatError: a working file does not read; the message names the place.
        """
        try:
            with self.store.transaction():
                return self.files.scan()
        except Busy:
            return self.files.scan(refresh=False)

    def cid(self, document: Document) -> Cid:
        """Returns a document's content id."""
        return self.ids.cid(self.encode(document))

    def encode(self, document: Document) -> bytes:
        """Returns a document's canonical bytes; raises InvalidInput for one that is too large."""
        try:
            data = canonical.encode(document.body)
        except VerificationError as error:
            raise InvalidInput(f"document {document.id}: {error.detail}") from None
        if len(data) > MAX_DOCUMENT_BYTES:
            raise InvalidInput(
                f"document {document.id} has {len(data):,} bytes, more than the limit of 16 MiB",
                hint="split it, or keep its large part outside of the project",
            )
        return data

    def load(self, cid: Cid) -> Document:
        """Returns a stored document."""
        _ = self.keys
        data = self.store.objects.read(cid)
        return Document.from_json(canonical.parse_json(data), f"content {cid.short}")

    def load_all(self, cids: Collection[Cid]) -> list[Document]:
        """Returns stored documents in the given order; far faster than `load` for many."""
        loaded = {cid: self.load(cid) for cid in self.store.objects.by_place(cids)}
        return [loaded[cid] for cid in cids]

    def author(self) -> Author:
        """Returns who commits: the configured name, else the login, else the system's user."""
        account = self.store.settings.get("account")
        name = self.accounts.config.get("user.name", self.store)
        name = name or self.store.settings.get("login") or _system_user()
        return Author(name, self.accounts.account_id(account))


def find_root(path: Path) -> Path:
    """Returns the folder with ``.sopor`` at or above a path.

    Raises:
        NotFound: there is none.
        DamagedStore: it is only half made.
    """
    start = path.resolve()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            check_finished(folder / FOLDER)
            return folder
    raise NotFound(
        f"{path} is not in a working copy",
        hint="run `sopor init` to start one here, or `sopor clone` to get one",
    )


def _system_user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
