"""Works out what the files that changes touch shall hold; reads, but writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field

from sopor.formats.assign import FileDocuments, assign, settled
from sopor.formats.compare import same_json
from sopor.formats.record import (
    WORKSPACE,
    is_record,
    record_extras,
    record_path,
    record_roots,
)
from sopor.formats.trees import PATTERNS, is_tree, path_in_tree, tree_record
from sopor.model.document import Document, DocumentId, Json, parent_of, split_local
from sopor.records import dataclass
from sopor.worktree.current import Changes, CurrentFile, CurrentFiles
from sopor.worktree.scan import label, tree_place

Documents = Mapping[DocumentId, Document]


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file as it is and as it shall be.

    Attributes:
        before: what it holds now.
        record: its record, as reading the file will give it; None if it shares nothing.
        documents: what it shall share.
        local: what shall lie in it and stays on this machine.
        leaving: documents that move to another file, and are nowhere else until that is written.
        arriving: whether such documents come to it.
    """

    before: CurrentFile
    record: Document | None
    documents: Documents
    local: Documents
    leaving: tuple[Document, ...]
    arriving: bool

    @property
    def path(self) -> str:
        """The path of the file."""
        return self.before.path

    @property
    def same(self) -> bool:
        """Tells whether there is nothing to do."""
        before = self.before
        if before.parsed is None:
            return not self.documents and not self.local
        return (
            _same(before.documents, self.documents)
            and _same(before.local, self.local)
            and (self.record is None or self._same_record())
        )

    def _same_record(self) -> bool:
        before, after = self.before.record, self.record
        return before is not None and after is not None and same_json(before.body, after.body)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a write shall do.

    Attributes:
        files: the touched files.
        places: the file of each changed document that is not dropped.
        warnings: what the user should know, one sentence each.
    """

    files: tuple[PlannedFile, ...]
    places: Mapping[DocumentId, str]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Planner:
    """Makes the plan for one write.

    With ``fresh`` the touched files shall hold what is given and nothing else, but for local
    documents.
    """

    current: CurrentFiles
    changes: Changes
    fresh: bool = False
    pool: dict[DocumentId, Document] = field(default_factory=dict)
    local: dict[DocumentId, str] = field(default_factory=dict)
    home: dict[DocumentId, str] = field(default_factory=dict)
    kept: set[DocumentId] = field(default_factory=set)

    def plan(self) -> Plan:
        """Returns the plan.

        Raises:
            InvalidInput: a path is not one for a project file, or a document is in two files.
            StateConflict: a file that is none of the project's is in the way.
            DocumentError: a record has no usable path.
            FormatError: a file is broken.
        """
        self.current.touch_for(self.changes)
        warnings = list(self._keep_private())
        assigned = self._assign()
        for path, held in assigned.items():
            self.home.update(dict.fromkeys((item.id for item in held.documents), path))
        origins = self._origins()
        files = tuple(
            self._planned(self.current.files[path], assigned.get(path), origins)
            for path in sorted(self.current.files)
        )
        warnings += self._restored()
        return Plan(files, self._places(), tuple(warnings))

    def _restored(self) -> Iterator[str]:
        for path, current in sorted(self.current.files.items()):
            if current.parsed is not None:
                continue
            again = [
                name for name in current.documents if name in self.home and name not in self.changes
            ]
            if again:
                yield f"{path} was missing: {len(again)} documents of it have been written again"

    def _keep_private(self) -> Iterator[str]:
        """Takes documents out of the changes that are private here: those are never overwritten."""
        files = self.current.files.values()
        private = {name: (each.path, item) for each in files for name, item in each.local.items()}
        kept = {name: private[name] for name in private.keys() & self.changes.keys()}
        self.local.update({name: path for name, (path, _) in private.items()})
        for name, (path, document) in sorted(kept.items()):
            if self.changes[name] is not None:
                yield (
                    f"{path}: the {label(document)} is private on this machine and stays as it is,"
                    " though the project shares one with the same id"
                )
                self.kept.add(name)
        self.changes = {name: self.changes[name] for name in self.changes.keys() - kept.keys()}

    def _assign(self) -> dict[str, FileDocuments]:
        """Returns which file holds what; files that turn out to be touched are read as well."""
        while True:
            self._fill_pool()
            staying = self._take_staying()
            assigned = dict(assign([*self.pool.values(), *self._records()]))
            fresh = assigned.keys() - self.current.files.keys()
            if not fresh:
                return _joined(assigned, staying)
            for path in sorted(fresh):
                self.current.touch(path)

    def _fill_pool(self) -> None:
        self.pool = {}
        for current in self.current.files.values():
            self.pool.update(current.local)
        for current in self.current.files.values() if not self.fresh else ():
            for name, document in current.documents.items():
                other = self.pool.setdefault(name, document)
                if not same_json(other.body, document.body) and name not in self.changes:
                    self.current.comparison.require_single()
        for name, changed in self.changes.items():
            if changed is None:
                self.pool.pop(name, None)
            elif not is_record(changed):
                self.pool[name] = changed

    def _take_staying(self) -> dict[str, FileDocuments]:
        """Takes local documents that belong to no shared one out of the pool: they stay put."""
        tops = {name: self._top(document) for name, document in self.pool.items()}
        staying: defaultdict[str, list[Document]] = defaultdict(list)
        records: dict[str, Document] = {}
        for name in [name for name, top in tops.items() if top in self.local]:
            document = self.pool.pop(name)
            current = self.current.files[self.local[tops[name]]]
            record = current.record
            inside = record is not None and is_tree(record) and name not in self.local
            path = path_in_tree(record, document) if record and inside else current.path
            staying[path].append(document)
            if record:
                records[path] = record
        return {
            path: FileDocuments(records[path], tuple(documents))
            for path, documents in staying.items()
        }

    def _top(self, document: Document) -> DocumentId:
        trail = {document.id}
        while (parent := parent_of(document)) in self.pool and parent not in trail:
            document = self.pool[parent]
            trail.add(document.id)
        return document.id

    def _records(self) -> list[Document]:
        """Returns the records that place the documents.

        Changed records claim first. What they don't know, as it was never committed, is claimed by
        the file that it is in.
        """
        changed = {item.id: item for item in self.changes.values() if item and is_record(item)}
        claimed = {name for record in changed.values() for name in _claims(record)}
        records = dict(changed)
        trees: dict[DocumentId, Document] = {}
        for current in self.current.files.values():
            record = current.record
            if record and is_tree(record):
                trees[record.id] = record
            elif record:
                base = changed.get(record.id)
                claims = self._tops_of(current, record) - claimed
                claims.update(_claims(base) if base else ())
                records[record.id] = self._claiming(base or record, claims)
        return [*records.values(), *(trees or self._known_trees()).values()]

    def _tops_of(self, current: CurrentFile, record: Document) -> set[DocumentId]:
        """Returns what belongs to a file since its record claims it or it has lost its parent.

        Where the record changes, that holds for what was never committed; the others belong where
        the changed records say.
        """
        tops = {name for name in _claims(record) if name in current.documents}
        for name, document in current.documents.items():
            if name not in self.changes and parent_of(document) not in self.pool:
                tops.add(name)
        return tops - self.current.index.entries(tops).keys() if record.id in self.changes else tops

    def _claiming(self, record: Document, claims: Collection[DocumentId]) -> Document:
        """Returns a record that claims these; it only serves to place documents."""
        names = {name for name in claims if name in self.pool}
        roots = {name for name in names if self.pool[name].type == WORKSPACE}
        extras = sorted(names - roots)
        body = {**record.body, "roots": list[Json](sorted(roots)), "extras": list[Json](extras)}
        return Document(record.id, record.type, body)

    def _known_trees(self) -> dict[DocumentId, Document]:
        entries = self.current.index.trees()
        folders = {entry.path.removesuffix("/") for entry in entries.values()}
        made = [tree_record(folder, pattern) for folder in folders for pattern in PATTERNS]
        return {record.id: record for record in made if record.id in entries}

    def _origins(self) -> dict[DocumentId, set[str]]:
        """Returns the files that hold documents which no change supplies again."""
        origins: defaultdict[DocumentId, set[str]] = defaultdict(set)
        for path, current in self.current.files.items():
            if current.parsed:
                for name in (*current.documents, *current.local):
                    if name not in self.changes and name in self.home:
                        origins[name].add(path)
        return origins

    def _planned(
        self,
        before: CurrentFile,
        held: FileDocuments | None,
        origins: Mapping[DocumentId, Collection[str]],
    ) -> PlannedFile:
        shared, local = split_local(held.documents if held else ())
        leaving = tuple(
            document
            for name, document in (before.documents | before.local).items()
            if before.path in origins.get(name, ()) and self.home[name] not in origins[name]
        )
        arriving = any(
            document.id in origins and before.path not in origins[document.id]
            for document in (*shared, *local)
        )
        return PlannedFile(
            before,
            settled(held.record, shared) if held and shared else None,
            {document.id: document for document in shared},
            {document.id: document for document in local},
            leaving,
            arriving,
        )

    def _places(self) -> dict[DocumentId, str]:
        places = {name: self.home[name] for name in self.kept}
        for name, document in self.changes.items():
            if document is None:
                continue
            if not is_record(document):
                places[name] = self.home[name]
            elif is_tree(document):
                places[name] = tree_place(document)
            else:
                places[name] = record_path(document)
        return places


def _claims(record: Document) -> tuple[DocumentId, ...]:
    return (*record_roots(record), *record_extras(record))


def _joined(
    assigned: dict[str, FileDocuments], staying: Mapping[str, FileDocuments]
) -> dict[str, FileDocuments]:
    """Returns files that hold the documents of both."""
    for path, held in staying.items():
        first = assigned.get(path, FileDocuments(held.record, ()))
        assigned[path] = FileDocuments(first.record, (*first.documents, *held.documents))
    return assigned


def _same(one: Documents, other: Documents) -> bool:
    return one.keys() == other.keys() and all(
        document is other[name] or same_json(document.body, other[name].body)
        for name, document in one.items()
    )
