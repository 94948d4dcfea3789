"""The working copy: Insomnia's own files in the project folder, and their baseline.

It knows nothing of commits, packs or the network. Its three steps are to `scan` what differs from
the baseline, to `write` changes into the files, and to `rebase`: to move the baseline to what was
committed or checked out. They are separate so that the caller can journal them; each can be
repeated.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.errors import StateConflict
from sopor.formats.base import DEFAULT_LIMITS, Limits
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
from sopor.worktree.disk import Disk
from sopor.worktree.index import Entry, FileState, SqliteFileIndex
from sopor.worktree.look import Look, Looker
from sopor.worktree.reader import CidOf, Reader, Seen
from sopor.worktree.scan import Comparison, Scan, dirty_row, label
from sopor_core.ids import Cid

if TYPE_CHECKING:
    from sopor.worktree.current import Changes, CurrentFiles, Rest
    from sopor.worktree.plan import Plan
    from sopor.worktree.write import Written

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Options:
    """How a working copy behaves.

    Attributes:
        limits: what is read.
        scratch: a folder on the same disk, such as ``.sopor``, for the file that tells the disk's
            time; the project folder itself if None.
        replace: what renames a file over another one.
    """

    limits: Limits = DEFAULT_LIMITS
    scratch: Path | None = None
    replace: Callable[[str, str], None] = os.replace


class WorkingCopy:
    """The files of one project folder next to the baseline of the checked-out commit."""

    def __init__(
        self, root: Path, index: SqliteFileIndex, cid_of: CidOf, options: Options | None = None
    ) -> None:
        """Takes the folder, its index, what computes content ids, and options."""
        chosen = options or Options()
        self._index = index
        self._disk = Disk(root.resolve(), chosen.scratch, chosen.replace)
        self._reader = Reader(cid_of, chosen.limits)
        self._looker = Looker(self._disk, index, self._reader)
        self._seen: dict[str, Seen] = {}
        self._places: dict[DocumentId, str] = {}
        self._last: Scan | None = None

    @property
    def root(self) -> Path:
        """The project folder."""
        return self._disk.root

    @property
    def files_parsed(self) -> int:
        """How many files were parsed so far; tests hold scans to it."""
        return self._reader.parsed

    @property
    def dirty_paths(self) -> frozenset[str]:
        """The files that were not equal to the baseline when they were last seen."""
        return self._index.dirty()

    def baseline(self) -> Mapping[DocumentId, Cid]:
        """Returns the content ids of all documents of the checked-out commit."""
        return self._index.baseline()

    def path_of(self, document_id: DocumentId) -> str | None:
        """Returns the file in which a document of the baseline was last seen.

        For the record of a tree of files that is the tree's folder, with a slash at its end.
        """
        entry = self._index.entries([document_id]).get(document_id)
        return entry.path if entry else None

    def baseline_in(self, path: str) -> Mapping[DocumentId, Cid]:
        """Returns the content ids of the baseline's documents that were last seen in a file."""
        return {name: entry.cid for name, entry in self._index.entries_in([path]).items()}

    def scan(self, *, refresh: bool = True) -> Scan:
        """Returns how the folder differs from the baseline.

        Args:
            refresh: whether to remember in the index what was seen. Without it nothing is written,
                and the next scan reads again what this one read.

        Raises:
            InvalidInput: a file of the project can't be read or used, a document is in two files,
                or two files have one name for some disks.
            FormatError: a file of Insomnia's is broken; it says where.
            StateConflict: files keep changing while they are read.
        """
        look = self._looker.look()
        comparison = self._comparison(look)
        scan = comparison.scan()
        self._seen = {path: parsed.seen for path, parsed in look.parsed.items()}
        self._places.update(comparison.places)
        self._last = scan
        if refresh:
            rows, stale = comparison.rows()
            self._index.put_files(rows)
            self._index.forget_files(stale)
            self._index.put_local({path: seen.local for path, seen in self._seen.items()})
            self._index.move_entries(comparison.moved)
        return scan

    def write(self, changes: Changes, rest: Rest) -> Written:
        """Makes the files hold these documents, and no longer those that are None.

        Everything else in the files stays: edits that were not committed, and local documents. Only
        files that change are written, each as a whole. After a crash or an error the same call,
        repeated, leads to the same end (see `sopor.worktree.write`). The baseline stays: `rebase`
        moves it.

        Args:
            changes: documents to put into the files, their records among them; None drops one.
            rest: returns the baseline's documents of a file, its record included, by its path. It
                is asked for files that are missing on disk and that a change goes to.

        Raises:
            DiskFull, StorageFault: a file can't be written.
            DocumentError: a record has no usable path.
            FormatError: a file is broken, or can't hold its documents.
            InvalidInput: a path is not one for a project file.
            StateConflict: a changed document was edited since the last scan, another program saves
                files meanwhile, or something that is none of the project's is in the way.
        """
        from sopor.worktree.plan import Planner

        current = self._current(rest)
        self._require_unedited(changes, current.comparison)
        return self._carry_out(Planner(current, changes).plan(), current)

    def write_all(self, documents: Iterable[Document], *, overwrite: bool = False) -> Written:
        """Makes the files hold exactly these documents, as for a clone into an empty folder.

        Files that no document goes to stay as they are. Local documents stay in theirs.

        Args:
            documents: all documents of a commit, file records among them.
            overwrite: whether to replace files that are there and hold something else.

        Raises:
            StateConflict: files are there that hold something else; nothing was changed. Also as
                for `write`, as are the other errors.
        """
        from sopor.worktree.plan import Planner

        current = self._current(lambda _: ())
        current.overwrite = overwrite
        changes = {document.id: document for document in documents}
        plan = Planner(current, changes, fresh=True).plan()
        others = [item.path for item in plan.files if item.before.parsed and not item.same]
        if others and not overwrite:
            shown = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
            raise StateConflict(
                f"files with other contents are there already: {shown}",
                hint="choose an empty folder, or move them away",
            )
        return self._carry_out(plan, current)

    def rebase(
        self,
        changes: Mapping[DocumentId, Cid | None],
        paths: Mapping[DocumentId, str] | None = None,
    ) -> None:
        """Moves the baseline after a commit or a checkout; call it in the caller's transaction.

        Files that equal the new baseline, as they were seen by the last scan or write, are
        remembered as clean. All others that the change touches are read by the next scan.

        Args:
            changes: the content id of each document that the baseline has from now on, None for
                those that it has no more.
            paths: the file of each one; where it is None or silent, the last scan and the writes
                since are asked, then the baseline, then the folder.

        Raises:
            ValueError: a new document is in no file.
        """
        self._last = None
        old = self._index.entries(changes)
        kept = {name: cid for name, cid in changes.items() if cid is not None}
        places = {name: old[name].path for name in kept if name in old}
        places.update({name: path for name, path in self._places.items() if name in kept})
        places.update({name: path for name, path in (paths or {}).items() if name in kept})
        if kept.keys() - places.keys():
            found = self._comparison(self._looker.look()).places
            places.update(
                {name: found[name] for name in kept if name in found and name not in places}
            )
        if kept.keys() - places.keys():
            raise ValueError(f"in no file: {min(kept.keys() - places.keys())}")
        self._index.drop_entries(changes.keys() - kept.keys())
        self._index.put_entries({name: Entry(cid, places[name]) for name, cid in kept.items()})
        affected = {*(entry.path for entry in old.values()), *places.values()}
        for tree in changes:
            if tree in old and old[tree].path.endswith("/"):
                affected |= self._index.files_of_tree(tree)
        self._remember({path for path in affected if not path.endswith("/")} | self._seen.keys())

    def _remember(self, paths: Iterable[str]) -> None:
        """Writes the rows of files anew, from what was seen of them and the baseline."""
        touched = sorted(paths)
        here: dict[str, dict[DocumentId, Cid]] = {path: {} for path in touched}
        for name, entry in self._index.entries_in(touched).items():
            here[entry.path][name] = entry.cid
        rows, stale = [], []
        trees = self._index.trees()
        for path in touched:
            seen = self._seen.get(path)
            if seen and seen.equals(here[path], trees):
                rows.append(seen.row(FileState.CLEAN))
            elif seen or here[path]:
                rows.append(dirty_row(path, seen.format if seen else ""))
            else:
                stale.append(path)
        self._index.put_files(rows)
        self._index.forget_files(stale)
        self._index.put_local({path: seen.local for path, seen in self._seen.items()})

    def _current(self, rest: Rest) -> CurrentFiles:
        from sopor.worktree.current import CurrentFiles

        moment = self._disk.clock()
        look = self._looker.look()
        comparison = self._comparison(look)
        return CurrentFiles(look, comparison, self._disk, self._index, self._reader, rest, moment)

    def _comparison(self, look: Look) -> Comparison:
        return Comparison.of(look, self._index, self._reader)

    def _require_unedited(self, changes: Changes, comparison: Comparison) -> None:
        """Refuses to write over what was edited after the caller saw it."""
        last, self._last = self._last, None
        if last is None:
            return
        for name in changes:
            before = last.cids.get(name, last.changes.get(name, Comparison.SAME))
            if before != comparison.now(name):
                document = comparison.documents.get(name) or changes[name]
                what = label(document) if document else name
                raise StateConflict(
                    f"the {what} was edited meanwhile", hint="run the command again"
                )

    def _carry_out(self, plan: Plan, current: CurrentFiles) -> Written:
        from sopor.worktree.write import Writer

        self._last = None
        writer = Writer(self._disk, self._reader, current.look, current.moment)
        written = writer.carry_out(plan)
        self._seen = {path: parsed.seen for path, parsed in writer.look.parsed.items()}
        for path in written.removed:
            self._seen.pop(path, None)
        self._seen.update(writer.seen)
        self._places.update(written.paths)
        return written
