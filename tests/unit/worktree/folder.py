"""A project folder for stories: real files, a real index, and a store that is a dictionary.

The folder plays the part of the repository above the working copy: it keeps states, commits what a
scan finds, and checks states out.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from sopor.formats import recognise
from sopor.formats.documents_json import DocumentsJson
from sopor.formats.record import make_record
from sopor.formats.v4_yaml import V4Yaml
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Document, DocumentId
from sopor.worktree import Options, Scan, SqliteFileIndex, WorkingCopy, Written
from sopor_core import canonical
from sopor_core.ids import Cid

State = dict[DocumentId, Document]


def cid_of(document: Document) -> Cid:
    return Cid(sha256(canonical.encode(document.body)).digest())


def doc(kind: str, name: str, parent: str | None = None, **more: Any) -> Document:
    body = {"_id": name, "_type": kind, "parentId": parent, "name": f"the {name}", **more}
    return Document(DocumentId(name), kind, body)


def workspace(name: str = "wrk_1", **more: Any) -> Document:
    return doc("workspace", name, None, scope="collection", **more)


def request(name: str, parent: str = "wrk_1", **more: Any) -> Document:
    return doc("request", name, parent, **{"url": "https://example.com", **more})


def folder(name: str, parent: str = "wrk_1", **more: Any) -> Document:
    return doc("request_group", name, parent, **more)


def environment(
    name: str, parent: str = "wrk_1", *, private: bool = False, **data: Any
) -> Document:
    return doc("environment", name, parent, isPrivate=private, data=data)


def jar(name: str, parent: str = "wrk_1", *cookies: str) -> Document:
    return doc("cookie_jar", name, parent, cookies=[{"key": key} for key in cookies])


def edited(document: Document, **changes: Any) -> Document:
    return Document(document.id, document.type, {**document.body, **changes})


class Project:
    """One folder with its working copy, as one process after the other uses it."""

    def __init__(self, root: Path, replace: Callable[[str, str], None] = os.replace) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        (root / ".sopor").mkdir(exist_ok=True)
        self.connection = sqlite3.connect(root / ".sopor" / "index.db", isolation_level=None)
        self.connection.execute("PRAGMA synchronous=OFF")
        self.store: dict[Cid, Document] = {}
        self.replace = replace
        self.reopen()

    def reopen(self) -> WorkingCopy:
        """Begins a new process: all that was in memory is gone."""
        index = SqliteFileIndex(self.connection)
        scratch = self.root / ".sopor"
        self.files = WorkingCopy(
            self.root, index, cid_of, Options(scratch=scratch, replace=self._rename)
        )
        return self.files

    def _rename(self, source: str, target: str) -> None:
        self.replace(source, target)

    def close(self) -> None:
        self.connection.close()

    # ------------------------------------------------------------------ files, as a user has them

    def path(self, name: str) -> Path:
        return self.root / name

    def put(self, name: str, *documents: Document) -> None:
        """Writes a file as Insomnia would: v4 as JSON or YAML by the ending."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        container: dict[str, Any] = {
            "_type": "export",
            "__export_format": 4,
            "__export_source": "test",
        }
        if name.endswith(".json"):
            resources = [document.body for document in documents]
            path.write_text(json.dumps({**container, "resources": resources}, indent=2) + "\n")
            return
        record = make_record(name, V4Yaml.name, (), {"container": {**container}})
        path.write_bytes(V4Yaml().write(record, documents))

    def put_v5(self, name: str, *documents: Document) -> None:
        record = make_record(name, V5Yaml.name, documents, {"schema_version": "5.1"})
        self.path(name).write_bytes(V5Yaml().write(record, documents))

    def put_single(self, name: str, document: Document) -> None:
        """Writes one document as a file of its own."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        record = make_record(name, DocumentsJson.name, [document])
        path.write_bytes(DocumentsJson().write(record, [document]))

    def here(self, name: str) -> dict[str, Document]:
        """Returns what a file holds, local documents too, read from scratch."""
        data = self.path(name).read_bytes()
        found = recognise(name, data)
        assert found, f"{name} is none of Insomnia's"
        return {item.id: item for item in found.read(data, name).everything}

    def names(self) -> list[str]:
        """Returns the files in the folder, hidden ones left out."""
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if not str(path).startswith(".sopor/"))

    def bytes(self) -> dict[str, bytes]:
        return {name: self.path(name).read_bytes() for name in self.names()}

    # ------------------------------------------------------------- the repository above the files

    def scan(self) -> Scan:
        with self.connection:
            return self.files.scan()

    def commit(self, only: Iterable[str] | None = None) -> State:
        """Commits what a scan finds, or some of it; returns the new state."""
        scan = self.scan()
        chosen = set(scan.changes) if only is None else set(only)
        changes = {name: value for name, value in scan.changes.items() if name in chosen}
        self.keep(document for document in changes.values() if document)
        cids = {name: scan.cids.get(name) for name in changes}
        with self.connection:
            self.files.rebase(cids, scan.paths)
        return self.state()

    def keep(self, documents: Iterable[Document]) -> None:
        self.store.update({cid_of(document): document for document in documents})

    def state(self) -> State:
        """Returns the documents of the checked-out commit."""
        return {name: self.store[cid] for name, cid in self.files.baseline().items()}

    def write(self, changes: Mapping[DocumentId, Document | None]) -> Written:
        self.keep(document for document in changes.values() if document)
        return self.files.write(changes, self.rest)

    def rest(self, path: str) -> Sequence[Document]:
        return [self.store[cid] for cid in self.files.baseline_in(path).values()]

    def check_out(self, target: Mapping[DocumentId, Document]) -> Written:
        """Moves files and baseline to another state, as `switch` does."""
        self.scan()
        changes = difference(self.state(), target)
        written = self.write(changes)
        self.move_baseline(changes)
        return written

    def move_baseline(self, changes: Mapping[DocumentId, Document | None]) -> None:
        with self.connection:
            self.files.rebase(
                {name: cid_of(item) if item else None for name, item in changes.items()}
            )


def difference(
    before: Mapping[DocumentId, Document], after: Mapping[DocumentId, Document]
) -> dict[DocumentId, Document | None]:
    changes: dict[DocumentId, Document | None] = {
        name: document
        for name, document in after.items()
        if name not in before or cid_of(before[name]) != cid_of(document)
    }
    changes.update({name: None for name in before if name not in after})
    return changes


def bodies(state: Mapping[Any, Document]) -> dict[str, Any]:
    return {name: document.body for name, document in state.items()}


def ids(documents: Iterable[Any]) -> set[str]:
    """Returns the ids that are no file records'."""
    names = {item.id if isinstance(item, Document) else item for item in documents}
    return {name for name in names if not name.startswith("sopor_file_")}
