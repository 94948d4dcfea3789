"""Compares what a look at the folder found with the baseline.

One broken file and there is no answer, never a part of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import ClassVar

from sopor.errors import InvalidInput
from sopor.formats.record import record_path
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
from sopor.worktree.index import NO_STAT, Entry, FileRow, FileState, SqliteFileIndex
from sopor.worktree.look import Look
from sopor.worktree.reader import Parsed, Reader, own_documents
from sopor_core.ids import Cid

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Scan:
    """How the folder differs from the baseline.

    Attributes:
        changes: the documents that were added or changed, None for those that are gone.
        cids: the content ids of the added and changed ones.
        paths: the file of each of them; for one that is gone, where it was.
        ignored: files with a fitting name that are none of Insomnia's, or can't be used.
        warnings: what the user should know, one sentence each.
    """

    changes: Mapping[DocumentId, Document | None]
    cids: Mapping[DocumentId, Cid]
    paths: Mapping[DocumentId, str]
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Comparison:
    """A look at the folder next to the baseline.

    Attributes:
        look: what was found.
        documents: the shared documents of all parsed files, with their records.
        cids: their content ids.
        places: the files that they are in.
        baseline: the entries of all these documents, and of those that were in these files.
        moved: the documents of the baseline that are in other files now than before.
        doubles: the documents that are in two files, with both.
    """

    SAME: ClassVar[str] = "same"

    look: Look
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    cids: dict[DocumentId, Cid] = field(default_factory=dict)
    places: dict[DocumentId, str] = field(default_factory=dict)
    baseline: dict[DocumentId, Entry] = field(default_factory=dict)
    moved: dict[DocumentId, str] = field(default_factory=dict)
    doubles: list[tuple[DocumentId, str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, look: Look, index: SqliteFileIndex, reader: Reader) -> Comparison:
        """Compares; the index stays as it is."""
        result = cls(look)
        if not look.parsed and not look.missing:
            return result
        result.baseline = index.entries_in([*look.parsed, *look.missing])
        for path, parsed in look.parsed.items():
            result._take(path, parsed)
        result._take_trees(index, reader)
        result.baseline.update(index.entries(result.places.keys() - result.baseline.keys()))
        result._find_moves()
        result._find_local_doubles(index)
        return result

    def _take(self, path: str, parsed: Parsed) -> None:
        for document in own_documents(parsed.content):
            self.documents[document.id] = document
            other = self.places.setdefault(document.id, path)
            if other != path:
                self.doubles.append((document.id, other, path))
        self.cids.update(parsed.seen.cids)

    def _take_trees(self, index: SqliteFileIndex, reader: Reader) -> None:
        """Counts in the records of trees that have a file, and out those that have none left."""
        for path, parsed in self.look.parsed.items():
            record = parsed.content.record
            if parsed.content.in_tree and parsed.seen.cids and record.id not in self.places:
                self.documents[record.id] = record
                self.places[record.id] = tree_place(record)
                self.cids.update(reader.cids(path, [record]))
        for name, entry in index.trees().items():
            if name in self.places or not index.files_of_tree(name) & self.look.clean:
                self.baseline[name] = entry

    def _find_moves(self) -> None:
        for name, path in self.places.items():
            entry = self.baseline.get(name)
            if entry and entry.path != path:
                if entry.path in self.look.clean:
                    self.doubles.append((name, entry.path, path))
                self.moved[name] = path

    def _find_local_doubles(self, index: SqliteFileIndex) -> None:
        local = [(name, path) for name, path in index.local_files(self.places)]
        local = [(name, path) for name, path in local if path in self.look.clean]
        for path, parsed in self.look.parsed.items():
            local += [(name, path) for name in parsed.seen.local if name in self.places]
        self.doubles += [(name, path, self.places[name]) for name, path in local]

    def require_single(self) -> None:
        """Raises InvalidInput if a document is in two files."""
        if not self.doubles:
            return
        name, one, other = self.doubles[0]
        one, other = sorted((one, other))
        more = len(self.doubles) - 1
        also = f", and {more} more that they share" if more else ""
        raise InvalidInput(
            f"{one} and {other} both hold the {label(self.documents[name])}{also}",
            hint="remove it from one of them; to have a copy, duplicate it in Insomnia, which"
            " gives the copy ids of its own",
        )

    def scan(self) -> Scan:
        """Returns the differences.

        Raises:
            InvalidInput: a document is in two files, or documents are missing and a file that can't
                be read may hold them.
        """
        self.require_single()
        gone = self._gone()
        if gone and self.look.unreadable:
            raise self.look.unreadable[min(self.look.unreadable)]
        changed = sorted(name for name in self.cids if self._differs(name))
        changes: dict[DocumentId, Document | None] = {n: self.documents[n] for n in changed}
        changes.update(dict.fromkeys(gone))
        places = {name: self.places[name] for name in changed}
        places.update({name: self.baseline[name].path for name in gone})
        return Scan(
            changes,
            {name: self.cids[name] for name in changed},
            places,
            _ignored(self.look),
            (*_warnings(self.look), *self._private(gone)),
        )

    def _differs(self, name: DocumentId) -> bool:
        entry = self.baseline.get(name)
        return entry is None or entry.cid != self.cids[name]

    def now(self, name: DocumentId) -> Cid | str | None:
        """Returns the content id that a document has in the folder, None if it is gone.

        For one that is as in the baseline, or nowhere at all, it returns ``SAME``.
        """
        if name in self.places:
            return self.cids[name] if self._differs(name) else self.SAME
        return None if name in self.baseline else self.SAME

    def _gone(self) -> list[DocumentId]:
        return sorted(name for name in self.baseline if name not in self.places)

    def _private(self, gone: Iterable[DocumentId]) -> Iterator[str]:
        local = {
            document.id: (document, path)
            for path, parsed in self.look.parsed.items()
            for document in parsed.content.local
        }
        for name in gone:
            if name in local:
                document, path = local[name]
                yield (
                    f"{path}: the {label(document)} is private now: it stays in the file, and"
                    " the next commit takes it out of the project"
                )

    def rows(self) -> tuple[list[FileRow], set[str]]:
        """Returns the rows to remember and the paths to forget."""
        here: dict[str, dict[DocumentId, Cid]] = defaultdict(dict)
        for name, entry in self.baseline.items():
            here[self.moved.get(name, entry.path)][name] = entry.cid
        rows = list(self.look.rows)
        for path, parsed in self.look.parsed.items():
            clean = parsed.seen.equals(here[path], self.baseline)
            rows.append(
                parsed.seen.row(FileState.CLEAN) if clean else dirty_row(path, parsed.seen.format)
            )
        lost = {path for path in self.look.missing if path in here}
        rows += [dirty_row(path, self.look.missing[path].format) for path in sorted(lost)]
        return rows, self.look.stale.union(self.look.missing) - lost


def dirty_row(path: str, format_name: str) -> FileRow:
    """Returns the row of a file that has to be read each time."""
    return FileRow(path, NO_STAT, 0, "", FileState.DIRTY, format_name)


def tree_place(record: Document) -> str:
    """Returns what stands for a file where the record of a tree of files is concerned."""
    return f"{record_path(record)}/"


def label(document: Document) -> str:
    """Returns what to call a document in a message."""
    name = document.body.get("name")
    title = f" {name!r}" if isinstance(name, str) and name else ""
    return f"{document.type}{title} ({document.id})"


def _ignored(look: Look) -> tuple[str, ...]:
    found = [*look.foreign, *look.unreadable, *look.walk.links, *look.walk.unusable]
    return tuple(sorted(found))


def _warnings(look: Look) -> Iterator[str]:
    for path, error in sorted(look.unreadable.items()):
        yield f"{error.message}; {path} is left out until it can be read"
    for folder, reason in sorted(look.walk.unreadable.items()):
        yield f"{folder}/ is left out: it can't be listed ({(reason.strerror or '').lower()})"
    for path in sorted(look.walk.links):
        yield f"{path} is left out: links are not followed"
    for path in sorted(look.walk.unusable):
        yield f"{path} is left out: its name can't be shared with other systems"
