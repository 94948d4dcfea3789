"""Finds and reads what an import is given: files, folders, Insomnia's own data folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from sopor.errors import InvalidInput, NotFound
from sopor.formats import DEFAULT_LIMITS, recognise
from sopor.formats.imports import import_file
from sopor.formats.imports.nedb import import_data_folder, is_data_file
from sopor.formats.openapi_file import OPENAPI_FORMAT
from sopor.formats.trees import GIT_SYNC_FOLDER
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
from sopor.worktree import faults
from sopor.worktree.disk import check_size
from sopor.worktree.paths import ENDINGS
from sopor.worktree.walk import walk


@dataclass(frozen=True, slots=True)
class Source:
    """What was read from one file, or from one data folder.

    Attributes:
        label: its path as it was given.
        kind: what it is, such as ``insomnia.v5.yaml`` or ``Postman collection``.
        documents: all documents, local ones too, without file records.
        records: the file's record, or none.
        notes: what could not be taken over.
        originals: the bytes by the path in the record, for a file that may be copied as it is.
    """

    label: str
    kind: str
    documents: tuple[Document, ...]
    records: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()
    originals: Mapping[str, bytes] = field(default_factory=dict)


def read_sources(given: Sequence[Path]) -> tuple[Source, ...]:
    """Returns everything in the given files and folders.

    Raises:
        NotFound: there is no such file, or a folder has nothing to import.
        InvalidInput: a file can't be read, or nothing here knows its kind.
        FormatError: a file is broken.
    """
    sources: list[Source] = []
    data_files: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in given:
        if path.is_dir():
            found = list(_folder(path, data_files))
            if not found and not any(name.parent == path for name in _all(data_files)):
                raise NotFound(
                    f"{path} has no files of Insomnia's", hint="name the files themselves"
                )
            sources += found
        elif is_data_file(path.name):
            data_files[path.parent].append(path)
        else:
            sources.append(_file(path, path.name))
    for folder, files in data_files.items():
        imported = import_data_folder({str(file): _bytes(file) for file in files})
        sources.append(Source(str(folder), imported.source, imported.documents, (), imported.notes))
    return tuple(sources)


def _all(files: Mapping[Path, Sequence[Path]]) -> Iterator[Path]:
    for listed in files.values():
        yield from listed


def _folder(path: Path, data_files: dict[Path, list[Path]]) -> Iterator[Source]:
    """Yields the files of a folder that are Insomnia's; others are passed over."""
    databases = sorted(file.name for file in path.iterdir() if is_data_file(file.name))
    if databases:
        data_files[path] = [path / name for name in databases]
        return
    root, prefix = (
        (path.parent, f"{GIT_SYNC_FOLDER}/") if path.name == GIT_SYNC_FOLDER else (path, "")
    )
    for name in sorted(walk(path).files):
        found = _known(root / (prefix + name), prefix + name, _bytes(path / name))
        if found:
            yield found


def _file(path: Path, name: str) -> Source:
    found = _known(path, name, _bytes(path))
    if found is None:
        raise InvalidInput(
            f"{path} is of no kind that can be imported",
            hint="Insomnia, Postman and OpenAPI files can, as JSON or YAML, and Insomnia's folders",
        )
    return found


def _known(path: Path, name: str, data: bytes) -> Source | None:
    """Returns what a file says, None where nothing knows its kind."""
    known = recognise(name, data)
    if known is not None and known.name != OPENAPI_FORMAT:
        content = known.read(data, name)
        documents, records = content.everything, (content.record,)
        return Source(str(path), known.name, documents, records, originals={name: data})
    if not name.lower().endswith(ENDINGS) and data.lstrip()[:1] != b"{":
        return None
    imported = import_file(data, name)
    if imported is None:
        return None
    return Source(str(path), imported.source, imported.documents, (), imported.notes)


def _bytes(path: Path) -> bytes:
    try:
        check_size(str(path), path.stat().st_size, DEFAULT_LIMITS.file_bytes)
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", hint="check its path") from None
    except OSError as error:
        raise faults.reading(error, str(path)) from error


def owners(sources: Iterable[Source]) -> dict[DocumentId, str]:
    """Returns which source has which document; raises InvalidInput for one in two of them."""
    found: dict[DocumentId, str] = {}
    for source in sources:
        for document in source.documents:
            other = found.setdefault(document.id, source.label)
            if other != source.label:
                raise InvalidInput(
                    f"the document {document.id} is in {other} and in {source.label}",
                    hint="import one of the two",
                )
    return found
