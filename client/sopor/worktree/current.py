"""What the files that a write touches hold now, and which files those are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TypeAlias

from sopor.errors import StateConflict
from sopor.formats.record import is_record, record_extras, record_path, record_roots
from sopor.formats.trees import is_tree
from sopor.model.document import Document, DocumentId, parent_of
from sopor.records import dataclass
from sopor.worktree.disk import Disk
from sopor.worktree.index import Entry, SqliteFileIndex
from sopor.worktree.look import Look, has_twin
from sopor.worktree.paths import check_path
from sopor.worktree.reader import Parsed, Reader
from sopor.worktree.scan import Comparison

Rest: TypeAlias = Callable[[str], Sequence[Document]]
Changes: TypeAlias = Mapping[DocumentId, Document | None]


@dataclass(slots=True)
class CurrentFile:
    """A file before a write; ``parsed`` is None where it is missing.

    ``record`` and ``documents`` are what it shares. Those of a missing file are the baseline's: a
    write brings them back along with its changes. ``local`` is what stays on this machine.
    """

    path: str
    parsed: Parsed | None = None
    record: Document | None = None
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    local: dict[DocumentId, Document] = field(default_factory=dict)

    @property
    def tree(self) -> str:
        """The id of the record of the tree that it is in; empty if it is in none."""
        return self.record.id if self.record and is_tree(self.record) else ""

    @classmethod
    def of(cls, parsed: Parsed) -> CurrentFile:
        """Returns a file that is there."""
        content = parsed.content
        return cls(
            parsed.seen.path,
            parsed,
            content.record,
            {document.id: document for document in content.documents},
            {document.id: document for document in content.local},
        )


@dataclass(slots=True)
class CurrentFiles:
    """The files that changes touch: where the documents are, where they come from and go to.

    ``moment`` is the file system's clock before any of them was read. ``overwrite`` says that a
    file in the way is to be replaced.
    """

    look: Look
    comparison: Comparison
    disk: Disk
    index: SqliteFileIndex
    reader: Reader
    rest: Rest
    moment: int
    overwrite: bool = False
    files: dict[str, CurrentFile] = field(default_factory=dict)
    entries: dict[DocumentId, Entry] = field(default_factory=dict)

    def touch_for(self, changes: Changes) -> None:
        """Reads the files that the changes touch.

        Raises:
            InvalidInput: a path is not one for a project file.
            StateConflict: a file that is none of the project's is in the way.
            DocumentError: a record has no usable path.
        """
        documents = [document for document in changes.values() if document]
        wanted = set(changes)
        for document in documents:
            wanted.update(_related(document))
        self.entries = self.index.entries(wanted)
        for name in changes:
            self._touch_all(self.places_of(name))
        self._touch_local(wanted)
        for document in documents:
            self._touch_home(document, changes)
        self._touch_trees(changes)

    def _touch_trees(self, changes: Changes) -> None:
        """Reads whole trees where documents may move between a tree and another file.

        What lies below a document in a tree is in files of its own, and goes where it goes.
        """
        touched = {DocumentId(current.tree) for current in self.files.values()}
        trees = {name for name in self.index.trees() if name in changes or name in touched}
        if len(touched) > 1 or not trees.isdisjoint(changes):
            for tree in sorted(trees):
                self._touch_all(sorted(self.index.files_of_tree(tree) & self.look.clean))
                parsed = list(self.look.parsed.values())
                self._touch_all(each.seen.path for each in parsed if each.seen.tree == tree)

    def _touch_local(self, wanted: set[DocumentId]) -> None:
        """Reads the files in which some of these documents are local."""
        for parsed in list(self.look.parsed.values()):
            if not parsed.seen.local.isdisjoint(wanted):
                self.touch(parsed.seen.path)
        for _, path in self.index.local_files(wanted):
            if path in self.look.clean:
                self.touch(path)

    def _touch_home(self, document: Document, changes: Changes) -> None:
        if is_record(document):
            if not is_tree(document):
                self.touch(record_path(document))
            for claimed in _related(document):
                self._touch_all(self.places_of(claimed))
            return
        parent = parent_of(document)
        if parent and parent not in changes:
            self._touch_all(self.places_of(parent) or self._old_place(parent))
        if not self.places_of(document.id):
            self._touch_all(self._old_place(document.id))

    def _old_place(self, name: DocumentId) -> list[str]:
        return [self.entries[name].path] if name in self.entries else []

    def places_of(self, name: DocumentId) -> list[str]:
        """Returns the files on disk that hold a document: none, one, or two after a crash."""
        found: dict[str, None] = {}
        if name in self.comparison.places:
            found[self.comparison.places[name]] = None
        for double, *pair in self.comparison.doubles:
            if double == name:
                found.update(dict.fromkeys(pair))
        entry = self.entries.get(name)
        if entry and entry.path in self.look.clean:
            found[entry.path] = None
        return [path for path in found if not path.endswith("/")]

    def _touch_all(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.touch(path)

    def touch(self, path: str) -> None:
        """Reads a file unless that was done; a missing one gets the baseline's content."""
        if path in self.files:
            return
        check_path(path)
        if path in self.look.clean:
            self._parse(path)
        parsed = self.look.parsed.get(path)
        if parsed:
            self.files[path] = CurrentFile.of(parsed)
            return
        if path in self.look.walk.files and self.overwrite:
            self.files[path] = CurrentFile(path)
            return
        if path in self.look.walk.files:
            raise in_the_way(path)
        if self.disk.stat(path) is not None and not has_twin(self.look, self.disk, path):
            raise in_the_way(path)
        self.files[path] = self._missing(path)

    def _parse(self, path: str) -> None:
        content = self.disk.read(self.look.walk.name(path), self.reader.limits.file_bytes)
        parsed = self.reader.parse(path, content, self.moment)
        if parsed:
            self.look.parsed[path] = parsed

    def _missing(self, path: str) -> CurrentFile:
        current = CurrentFile(path)
        for document in self.rest(path):
            if document.id in self.comparison.places:
                continue  # it is in another file now
            if is_record(document):
                current.record = document
            else:
                current.documents[document.id] = document
        return current


def in_the_way(path: str) -> StateConflict:
    """Returns the error for a foreign file at the path of a project file."""
    return StateConflict(
        f"{path} is in the way: it is none of the project's files",
        hint="move it away, then run the command again",
    )


def _related(document: Document) -> tuple[DocumentId, ...]:
    """Returns the documents that say where this one belongs, or that it says so of."""
    if is_record(document):
        return (*record_roots(document), *record_extras(document))
    parent = parent_of(document)
    return (parent,) if parent else ()
