"""Organizations and their membership logs in Firestore.

``sizes`` of an organization holds what each project took when a push last wrote it there. A push
pins the organization's document anyway; once in `STEP` bytes the pin writes the size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sopor_core.ids import NO_ENTRY, AccountId, EntryHash, OrgId, ProjectId
from sopor_core.push_entry import Citation
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.logs import Log
from sopor_server.adapters.firestore.packing import (
    pack_ids,
    pack_numbers,
    unpack_ids,
    unpack_numbers,
)
from sopor_server.adapters.firestore.settling import Attempt, Recent, settle
from sopor_server.adapters.firestore.values import Document, Value
from sopor_server.ports.errors import HeadsMoved, LogMoved, ProjectExists
from sopor_server.ports.records import MembershipAppend, Organization

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write

STEP = 1024 * 1024
_MANY = 2**31 - 1
_HEAD = ("seq", "hash")
_HEADS_A_READ = 200


class Organizations:
    """The organizations of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: Recent[Document] = Recent(64)
        self._sizes: Recent[int] = Recent(4096)

    def find(self, org: OrgId) -> Organization | None:
        """Returns an organization; its bytes are at least what this process knows of."""
        found = self.read(org)
        if found is None:
            return None
        projects = unpack_ids(found.fields["projects"], ProjectId)
        written = unpack_numbers(found.fields["sizes"])
        return Organization(
            org,
            head_of(found),
            unpack_ids(found.fields["members"], AccountId),
            projects,
            found.fields["state"],
            sum(self._size(project, written) for project in projects),
        )

    def read(self, org: OrgId) -> Document | None:
        """Reads the document, and remembers it for a push to pin."""
        path = organization_path(org)
        found = self._database.get(path)
        if found is None:
            self._found.forget(path)
        else:
            self._found.note(path, found)
        return found

    def remembered(self, org: OrgId) -> Document | None:
        """Returns the document as it was read last, without a read."""
        return self._found.find(organization_path(org))

    def note_size(self, project: ProjectId, size: int) -> None:
        """Remembers how many bytes a project takes."""
        self._sizes.note(project.hex(), size)

    def pin(self, found: Document, project: ProjectId, size: int) -> Write:
        """Returns the write that holds an organization as it was found while a project grows."""
        sizes = unpack_numbers(found.fields["sizes"])
        if abs(size - sizes.get(project, 0)) < STEP:
            return self._database.change(found, {})
        return self._database.change(found, {"sizes": pack_numbers({**sizes, project: size})})

    def entries(self, org: OrgId, after: int, max_bytes: int) -> Sequence[bytes]:
        """Returns the entries after one, up to about ``max_bytes``."""
        return self._log(org).read(after, _MANY, max_bytes)

    def append(self, append: MembershipAppend) -> None:
        """Appends an entry; raises LogMoved, HeadsMoved or ProjectExists."""
        org, seq = append.state.id, append.state.head.seq

        def prepare(_: Attempt) -> list[Write] | None:
            found = self.read(org)
            head = head_of(found)
            if head != append.previous:
                if seq <= head.seq and self._log(org).has(seq, append.entry):
                    return None
                raise LogMoved("the membership log has moved")
            if append.project and self._database.get(project_path(append.project)):
                raise ProjectExists("the project id is in use")
            concerned = self._heads(append.heads.keys() | append.deleted)
            for project, head in append.heads.items():
                if head_of(concerned.get(project)) != head or project not in concerned:
                    raise HeadsMoved("a push log has moved")
            return [*self.writes(append, found), *self._pins(append, concerned)]

        settle(self._database, prepare)

    def heads(self, projects: Collection[ProjectId]) -> Mapping[ProjectId, Citation]:
        """Returns the heads of push logs."""
        return {project: head_of(found) for project, found in self._heads(projects).items()}

    def _heads(self, projects: Collection[ProjectId]) -> dict[ProjectId, Document]:
        paths = [project_path(project) for project in projects]
        found: dict[str, Document] = {}
        for start in range(0, len(paths), _HEADS_A_READ):
            some = paths[start : start + _HEADS_A_READ]
            found |= self._database.get_many(some, select=_HEAD)[0]
        return {ProjectId.from_hex(document.id): document for document in found.values()}

    def _pins(
        self, append: MembershipAppend, concerned: Mapping[ProjectId, Document]
    ) -> list[Write]:
        """Returns the writes that hold the push logs as they were found, and mark deleted ones."""
        marks: dict[str, Value] = {"deleted": append.time, "to_erase": True}
        return [
            self._database.change(found, marks if project in append.deleted else {})
            for project, found in concerned.items()
        ]

    def writes(
        self, append: MembershipAppend, found: Document | None, *, but: AccountId | None = None
    ) -> list[Write]:
        """Returns the writes of an append; the account ``but`` learns of it elsewhere."""
        state = append.state
        fields: dict[str, Value] = {
            "seq": state.head.seq,
            "hash": bytes(state.head.hash),
            "members": pack_ids(state.members),
            "projects": pack_ids(state.projects),
            "state": state.state,
        }
        if found is None:
            path = organization_path(state.id)
            organization = self._database.create(path, {**fields, "sizes": b""})
        else:
            organization = self._database.change(found, fields)
        before = unpack_ids(found.fields["members"], AccountId) if found else frozenset()
        return [
            organization,
            *self._log(state.id).writes(state.head.seq, append.entry),
            *self._new_project(append),
            *self._tell(state.id, state.members - before - {but}, joined=True),
            *self._tell(state.id, before - state.members, joined=False),
        ]

    def _new_project(self, append: MembershipAppend) -> list[Write]:
        if append.project is None:
            return []
        fields: dict[str, Value] = {
            "org": bytes(append.state.id),
            "seq": 0,
            "hash": bytes(NO_ENTRY),
            "cited": 0,
            "bytes": 0,
            "updated": append.time,
            "branches": b"",
            "pages": "",
            "known": b"",
            "packs": b"",
        }
        return [self._database.create(project_path(append.project), fields)]

    def _tell(
        self, org: OrgId, accounts: Iterable[AccountId | None], *, joined: bool
    ) -> list[Write]:
        """Returns the writes that tell accounts, registered or not, that they are members."""
        tell = self._database.add_to if joined else self._database.take_from
        return [
            tell(f"accounts/{account.hex()}", "orgs", bytes(org))
            for account in accounts
            if account is not None
        ]

    def _size(self, project: ProjectId, written: dict[ProjectId, int]) -> int:
        return max(written.get(project, 0), self._sizes.find(project.hex()) or 0)

    def _log(self, org: OrgId) -> Log:
        return Log(self._database, organization_path(org), "membership_entries")


def organization_path(org: OrgId) -> str:
    """Returns the path of an organization."""
    return f"organizations/{org.hex()}"


def project_path(project: ProjectId) -> str:
    """Returns the path of a project."""
    return f"projects/{project.hex()}"


def presence_path(project: ProjectId) -> str:
    """Returns the path of who is present in a project."""
    return f"{project_path(project)}/live/presence"


def head_of(found: Document | None) -> Citation:
    """Returns the head of a log from the document that holds it; (0, zeros) where there is none."""
    if found is None:
        return Citation(0, NO_ENTRY)
    return Citation(found.fields["seq"], EntryHash(found.fields["hash"]))
