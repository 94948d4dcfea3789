"""Exports a commit's documents as files of one format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from sopor.errors import InvalidInput, StateConflict
from sopor.formats.converting import Conversion, Target, convert
from sopor.records import dataclass
from sopor.repository.context import Context
from sopor.repository.converted import ConvertedFile, files_of, write_files
from sopor.repository.revisions import HEAD, resolve
from sopor_core.ids import CommitId

_NAMES: Mapping[Target, str] = {Target.V4: "insomnia.json", Target.JSON: "documents.json"}


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export did.

    Attributes:
        commit: the commit that was exported.
        place: the folder of the files; None if they were not written.
        files: the files.
        notes: what the format has no place for.
        contents: the bytes of each file, by its path.
    """

    commit: CommitId
    place: Path | None
    files: tuple[ConvertedFile, ...]
    notes: tuple[str, ...]
    contents: Mapping[str, bytes] = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form, which leaves the contents out."""
        return {
            "commit": self.commit.hex(),
            "folder": str(self.place) if self.place else None,
            "files": [{"path": each.path, "documents": each.documents} for each in self.files],
            "notes": list(self.notes),
        }


def export(
    context: Context,
    target: Target,
    revision: str | None = None,
    place: Path | None = None,
    *,
    overwrite: bool = False,
) -> ExportResult:
    """Exports all documents of a commit; nothing that stays on this machine is among them.

    Args:
        context: the working copy.
        target: the format.
        revision: the commit, the present one by default.
        place: a folder, or the path of a file with the ending of the format; None writes nothing.
        overwrite: whether to replace files that are there with other contents.

    Raises:
        NotFound: there is no such commit.
        StateConflict: files are in the way, or the place is in the working copy, where the files
            would have documents twice; nothing was written.
        InvalidInput: several files can't go into one.
        FormatError: the format can't hold the documents.
    """
    commit = resolve(context.store, revision or HEAD)
    file = place if place and _is_file(place, target) else None
    folder = file.parent if file else place
    if place is not None and target is not Target.JSON:
        _check_outside(context, place)
    documents = context.load_all(context.store.commits.state(commit).values())
    made = convert(documents, target, file.name if file else _NAMES.get(target, ""))
    if file is not None:
        made = _as_one_file(made, file)
    if folder is not None:
        write_files(folder, made.files, overwrite=overwrite)
    return ExportResult(commit, folder, files_of(made), made.notes, made.files)


def _as_one_file(made: Conversion, file: Path) -> Conversion:
    if len(made.files) != 1:
        raise InvalidInput(
            f"the export has {len(made.files)} files, {file} would be one",
            hint="name a folder with -o, or take the format v4, which is one file",
        )
    (data,), (count,) = made.files.values(), made.holds.values()
    return Conversion({file.name: data}, {file.name: count}, made.notes)


def _is_file(place: Path, target: Target) -> bool:
    return target is not Target.TREE and not place.is_dir() and bool(place.suffix)


def _check_outside(context: Context, place: Path) -> None:
    target = place.resolve()
    if target == context.root or target.is_relative_to(context.root):
        raise StateConflict(
            f"{place} is in the working copy, which has these documents already",
            hint="choose a place outside of it",
        )
