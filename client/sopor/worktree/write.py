"""Carries out a plan: makes the files hold what it says.

The order keeps every document on disk at each moment, so that after a crash at any point the same
write, repeated, leads to the same end:

1. All new contents are written to temporary files and flushed. A full disk ends here, with no file
   changed.
2. Files that lose no document to another file are put in place; so every document that moves is in
   its new file now. A file that both gains and loses documents is put in place with those that
   leave still in it, as a v4 file where its own format can't hold both.
3. Files that lose documents are put in place: a document that moves was in two files until now.
4. Files that shall not be there any more are removed.

Documents that a change brings or drops are not at risk: the caller repeats the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from hashlib import sha256

from sopor.errors import StateConflict
from sopor.formats.trees import is_tree
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
from sopor.worktree.disk import Disk, Staged
from sopor.worktree.index import Stat
from sopor.worktree.look import Look, clash, has_twin
from sopor.worktree.paths import check_path, folded
from sopor.worktree.plan import Plan, PlannedFile
from sopor.worktree.reader import Reader, Seen
from sopor.worktree.render import Rendered, render
from sopor_core.ids import Cid


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did.

    Attributes:
        paths: the file of each changed document that was not dropped.
        written: the files that were written, in order.
        removed: the files that were removed, in order.
        warnings: what the user should know, one sentence each.
    """

    paths: Mapping[DocumentId, str]
    written: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Writer:
    """Carries out one plan.

    ``moment`` is the file system's clock before the plan was made. ``seen`` says afterwards how the
    touched files are now, those that are gone left out.
    """

    disk: Disk
    reader: Reader
    look: Look
    moment: int
    seen: dict[str, Seen] = field(default_factory=dict)
    _expected: dict[str, Stat | None] = field(default_factory=dict)
    _staged: dict[str, Staged] = field(default_factory=dict)

    def carry_out(self, plan: Plan) -> Written:
        """Makes the files hold what the plan says.

        Raises:
            DiskFull, StorageFault: a file can't be written; repeating the write goes on from there.
            FormatError: a file's format can't hold its documents; nothing was changed.
            InvalidInput: a path is not one for a project file; nothing was changed.
            StateConflict: another program saved a file meanwhile, or something is in the way.
        """
        rendered = [render(planned) for planned in plan.files]
        changing = [item for item in rendered if item.changes]
        self._check(changing)
        self._note_seen(item for item in rendered if not item.changes)
        try:
            self._carry_out(changing)
        finally:
            self.disk.discard(self._staged.values())
            self.disk.settle()
        written = tuple(item.planned.path for item in changing if item.final is not None)
        removed = tuple(item.planned.path for item in changing if item.final is None)
        return Written(plan.places, written, removed, plan.warnings)

    def _check(self, changing: list[Rendered]) -> None:
        gone = {item.planned.path for item in changing if item.final is None}
        here = {folded(path): path for path in self.look.clean.union(self.look.parsed) - gone}
        for item in changing:
            path = item.planned.path
            self._expected[path] = self.look.walk.files.get(path)
            if item.planned.before.parsed:
                self._expected[path] = item.planned.before.parsed.seen.stat
            if item.final is not None:
                check_path(path)
                other = here.setdefault(folded(path), path)
                if other != path:
                    raise clash(*sorted((other, path)))

    def _carry_out(self, changing: list[Rendered]) -> None:
        self.disk.clean_up(self.look.walk.leftovers)
        interims = [self._stage(item, item.interim) for item in changing if item.interim]
        finals = [(item, self._stage(item, item.final)) for item in changing if item.final]
        self.disk.flush(self._staged.values())
        for item in changing:
            self._require_unchanged(item.planned.path)
        early = [pair for pair in finals if not pair[0].planned.leaving]
        late = [pair for pair in finals if pair[0].planned.leaving]
        for staged in interims:
            self._put(staged)
        for item, staged in (*early, *late):
            self._note(item, self._put(staged))
        kept = [staged.name for _, staged in finals]
        for item in changing:
            if item.final is None:
                self._remove(item.planned.path, kept)

    def _stage(self, item: Rendered, data: bytes | None) -> Staged:
        path = item.planned.path
        staged = self.disk.stage(path, self.look.walk.name(path), data or b"")
        self._staged[staged.temporary] = staged
        return staged

    def _put(self, staged: Staged) -> Stat:
        self._require_unchanged(staged.path)
        stat = self.disk.put(staged)
        del self._staged[staged.temporary]
        self._expected[staged.path] = stat
        return stat

    def _remove(self, path: str, kept: list[str]) -> None:
        name = self.look.walk.name(path)
        twins = [other for other in kept if folded(other) == folded(name)]
        if any(self.disk.same_file(name, twin) for twin in twins):
            return  # it was renamed in case alone, on a disk that ignores case
        self._require_unchanged(path)
        self.disk.remove(path, name)

    def _require_unchanged(self, path: str) -> None:
        expected = self._expected[path]
        found = self.disk.stat(self.look.walk.name(path))
        if found == expected or (expected is None and has_twin(self.look, self.disk, path)):
            return
        raise StateConflict(
            f"{path} was saved by another program meanwhile",
            hint="run the command again; it goes on with what the file holds now",
        )

    def _note_seen(self, items: Iterable[Rendered]) -> None:
        for item in items:
            parsed = item.planned.before.parsed
            if parsed:
                self.seen[item.planned.path] = parsed.seen

    def _note(self, item: Rendered, stat: Stat) -> None:
        planned = item.planned
        record = planned.record
        tree = record is not None and is_tree(record)
        own = [*planned.documents.values(), *([record] if record and not tree else [])]
        self.seen[planned.path] = Seen(
            planned.path,
            stat,
            self.moment,
            sha256(item.final or b"").hexdigest(),
            str(record.body.get("format")) if record else "",
            self._cids(planned, own),
            frozenset(planned.local),
            record.id if record and tree else "",
        )

    def _cids(self, planned: PlannedFile, own: Iterable[Document]) -> dict[DocumentId, Cid]:
        before = planned.before
        known = before.parsed.seen.cids if before.parsed else {}
        old = {name: cid for name, cid in known.items() if name in before.documents}
        cids: dict[DocumentId, Cid] = {}
        for document in own:
            if before.documents.get(document.id) is document and document.id in old:
                cids[document.id] = old[document.id]
            else:
                cids.update(self.reader.cids(planned.path, [document]))
        return cids
