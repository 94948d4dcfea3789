"""Imports files of Insomnia's and of other tools into a folder, as files of one format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sopor.errors import NotFound, StateConflict
from sopor.formats import DEFAULT_LIMITS, read
from sopor.formats.assign import slug
from sopor.formats.converting import Target, convert
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
from sopor.repository.context import find_root
from sopor.repository.converted import ConvertedFile, files_of, present, write_files
from sopor.repository.sources import owners, read_sources
from sopor.worktree.disk import Disk
from sopor.worktree.walk import walk

V4_NAME = "insomnia.json"


@dataclass(frozen=True, slots=True)
class ImportedSource:
    """One source of an import: where it was, what it was, how many documents it had."""

    path: str
    kind: str
    documents: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did.

    Attributes:
        folder: where the files are.
        sources: what was read.
        files: what was written, or was there already just so.
        notes: what could not be taken over, or has no place in the format.
    """

    folder: Path
    sources: tuple[ImportedSource, ...]
    files: tuple[ConvertedFile, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {
            "folder": str(self.folder),
            "sources": [
                {"path": each.path, "kind": each.kind, "documents": each.documents}
                for each in self.sources
            ],
            "files": [{"path": each.path, "documents": each.documents} for each in self.files],
            "notes": list(self.notes),
        }


def import_files(
    given: Sequence[Path], folder: Path, target: Target = Target.V5, *, overwrite: bool = False
) -> ImportResult:
    """Reads files and folders, and writes what they hold into files of one format.

    Ids stay as they are; those of other tools' files depend on the files alone.

    Args:
        given: files, folders with files, ``.insomnia`` folders, Insomnia's data folder.
        folder: where to write; inside of a working copy or not.
        target: the format to write.
        overwrite: whether to replace files that are there with other contents.

    Raises:
        StateConflict: files are in the way, or the folder's working copy has a document already in
            another file; nothing was written.
        NotFound, InvalidInput, FormatError: see `read_sources`.
    """
    sources = read_sources(given)
    found = owners(sources)
    here = _documents_here(folder)
    originals = {path: data for source in sources for path, data in source.originals.items()}
    read_present = present(folder) if folder.is_dir() else lambda _: None
    documents = [
        document for source in sources for document in (*source.documents, *source.records)
    ]
    name = _v4_name(documents) if target is Target.V4 else ""
    conversion = convert(
        documents, target, name, lambda path: read_present(path) or originals.get(path)
    )
    written = {(folder / path).resolve() for path in conversion.files}
    for document_id, path in here.items():
        if document_id in found and path not in written:
            raise StateConflict(
                f"the document {document_id} of {found[document_id]} is in {path} already",
                hint="edit that file, or take it out of the folder before the import",
            )
    write_files(folder, conversion.files, overwrite=overwrite)
    notes = [note for source in sources for note in source.notes]
    return ImportResult(
        folder,
        tuple(ImportedSource(each.label, each.kind, len(each.documents)) for each in sources),
        files_of(conversion),
        (*notes, *conversion.notes),
    )


def _v4_name(documents: Sequence[Document]) -> str:
    """Returns the name of a v4 file: after its workspace, if it has only one."""
    names = [document.body.get("name") for document in documents if document.type == "workspace"]
    return f"{slug(names[0])}.{V4_NAME}" if len(names) == 1 else V4_NAME


def _documents_here(folder: Path) -> Mapping[DocumentId, Path]:
    """Returns the file of each document of the working copy that a folder is in, if it is in one.

    Elsewhere nothing has to be unique, and the folder may be as large as a disk.
    """
    try:
        root = find_root(folder)
    except NotFound:
        return {}
    disk, files = Disk(root), walk(root)
    found: dict[DocumentId, Path] = {}
    for path in files.files:
        name = files.name(path)
        content = read(disk.read(name, DEFAULT_LIMITS.file_bytes).data, path)
        for document in content.everything if content else ():
            found[document.id] = root / name
    return found
