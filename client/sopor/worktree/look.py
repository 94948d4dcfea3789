"""Looks at the folder, opening only the files that may differ from the baseline.

A file that is remembered as clean and still has the same stat is not opened. One with another stat
is read, and parsed only if its bytes changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from sopor.errors import InvalidInput, SoporError, StateConflict
from sopor.formats.errors import FormatError
from sopor.records import dataclass
from sopor.worktree import faults
from sopor.worktree.disk import Disk, check_size
from sopor.worktree.index import FileRow, FileState, SqliteFileIndex
from sopor.worktree.paths import folded
from sopor.worktree.reader import Parsed, Reader
from sopor.worktree.walk import Walk, walk

_ATTEMPTS = 4


@dataclass(slots=True)
class Look:
    """What one look at the folder found, before it is compared with the baseline.

    Attributes:
        walk: the folder's files.
        clean: the files that equal the baseline, by their stat or their bytes.
        parsed: the files that were parsed.
        missing: the rows of files of Insomnia's that were remembered and are not there.
        foreign: the files that are none of Insomnia's.
        unreadable: files without documents in the baseline that can't be read, with the reason.
        rows: rows to remember.
        stale: paths whose rows are to be forgotten.
    """

    walk: Walk
    clean: set[str] = field(default_factory=set)
    parsed: dict[str, Parsed] = field(default_factory=dict)
    missing: dict[str, FileRow] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    unreadable: dict[str, SoporError] = field(default_factory=dict)
    rows: list[FileRow] = field(default_factory=list)
    stale: set[str] = field(default_factory=set)


class _ChangedMeanwhile(Exception):
    """A file came or went between the listing of the folder and the reading of the file."""


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at one folder with the help of its index."""

    disk: Disk
    index: SqliteFileIndex
    reader: Reader

    def look(self) -> Look:
        """Reads every file that may differ from the baseline; the index stays as it is.

        Raises:
            InvalidInput: a file of the baseline can't be read, or two files have one name for
                some file systems.
            FormatError: a file claims to be Insomnia's and is broken.
            StateConflict: the folder keeps changing.
        """
        for _ in range(_ATTEMPTS):
            self.disk.look_again()
            try:
                return self._look_once()
            except _ChangedMeanwhile:
                continue
        raise StateConflict(
            "files keep coming and going while the folder is read",
            hint="wait until the other program is done, then run the command again",
        )

    def _look_once(self) -> Look:
        try:
            look = Look(walk(self.disk.root))
        except OSError as error:
            raise faults.reading(error, str(self.disk.root)) from error
        clean = self.index.trusted(FileState.CLEAN)
        foreign = self.index.trusted(FileState.FOREIGN, self.reader.names)
        files = look.walk.files
        look.clean = {path for path, stat in clean.items() if files.get(path) == stat}
        look.foreign = {path for path, stat in foreign.items() if files.get(path) == stat}
        settled = look.clean | look.foreign
        rows = self.index.rows_besides(settled, clean.keys() - settled)
        self._note_missing(look, rows)
        unsettled = sorted(files.keys() - settled)
        if unsettled:
            self._read_files(look, rows, unsettled)
            _check_clashes(look)
        return look

    def _note_missing(self, look: Look, rows: Mapping[str, FileRow]) -> None:
        for path in sorted(rows.keys() - look.walk.files.keys()):
            if rows[path].state is FileState.FOREIGN:
                look.stale.add(path)
                continue
            for folder, error in look.walk.unreadable.items():
                if path.startswith(f"{folder}/"):
                    raise faults.reading(error, folder) from error
            if self.disk.stat(path) is not None and not has_twin(look, self.disk, path):
                raise _ChangedMeanwhile
            look.missing[path] = rows[path]

    def _read_files(self, look: Look, rows: Mapping[str, FileRow], names: list[str]) -> None:
        tracked = {entry.path for entry in self.index.entries_in(names).values()}
        moment = self.disk.clock()
        for path in names:
            try:
                self._read_file(look, path, rows.get(path), moment)
                if path in tracked and path in look.foreign:
                    raise _no_longer(path)
            except FileNotFoundError:
                raise _ChangedMeanwhile from None
            except InvalidInput as error:
                if path in tracked or isinstance(error, FormatError):
                    raise
                look.unreadable[path] = error

    def _read_file(self, look: Look, path: str, row: FileRow | None, moment: int) -> None:
        limit = self.reader.limits.file_bytes
        check_size(path, look.walk.files[path].size, limit)
        content = self.disk.read(look.walk.name(path), limit)
        if row and row.state is FileState.CLEAN and row.digest == content.digest:
            look.clean.add(path)
            look.rows.append(row._replace(stat=content.stat, moment=moment))
            return
        known = row.format if row and row.state is not FileState.FOREIGN else ""
        parsed = self.reader.parse(path, content, moment, known)
        if parsed:
            look.parsed[path] = parsed
            return
        look.foreign.add(path)
        tried = self.reader.names
        look.rows.append(FileRow(path, content.stat, moment, "", FileState.FOREIGN, tried))


def has_twin(look: Look, disk: Disk, path: str) -> bool:
    """Tells whether a file was found under other letters, on a disk that ignores case."""
    wanted = folded(path)
    return any(
        folded(other) == wanted and disk.same_file(path, other)
        for other in look.walk.files
        if other != path
    )


def _check_clashes(look: Look) -> None:
    seen: dict[str, str] = {}
    for path in sorted(look.clean.union(look.parsed)):
        other = seen.setdefault(folded(path), path)
        if other != path:
            raise clash(other, path)
    for one, other in look.walk.clashes:
        if one in look.clean or one in look.parsed:
            raise clash(ascii(one), ascii(other))


def _no_longer(path: str) -> InvalidInput:
    return InvalidInput(
        f"{path} is not a file of Insomnia's any more",
        hint="delete it; then `sopor restore` brings it back, or the next commit takes its"
        " documents out of the project",
    )


def clash(one: str, other: str) -> InvalidInput:
    """Returns the error for two paths that some file systems take for one."""
    return InvalidInput(
        f"{one} and {other} are one file on some disks",
        hint="rename one of the two, so that they differ in more than case or accents' form",
    )
