"""Turns the bytes of one file into documents with their content ids, and counts how often."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from sopor.errors import InvalidInput
from sopor.formats.base import FileContent, Format, Limits
from sopor.formats.errors import FormatError
from sopor.formats.names import FORMAT_NAMES
from sopor.lazy import lazy_module
from sopor.model.document import Document, DocumentId, Json, split_modified
from sopor.records import dataclass
from sopor.worktree.disk import Content
from sopor.worktree.index import FileRow, FileState, Stat
from sopor_core import canonical
from sopor_core.ids import Cid
from sopor_core.limits import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from sopor.formats import known
else:
    known = lazy_module("sopor.formats.known")

CidOf: TypeAlias = Callable[[Document], Cid]
_LONGEST_GROWTH = 8
"""No JSON text grows more than this in its canonical form: ``1e20`` has 21 digits."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file of Insomnia's as it was read or written, without its documents' content.

    Attributes:
        path: its path.
        stat: its stat then.
        moment: the file system's clock before.
        digest: the SHA-256 of its bytes, in hexadecimal.
        format: the name of its format.
        cids: the content ids of the documents in it, and of its record unless that stands for a
            whole tree of files. A file without any document to share has no record either.
        local: the ids of the documents in it that stay on this machine.
        tree: the id of the record of its tree, if it is in one.
    """

    path: str
    stat: Stat
    moment: int
    digest: str
    format: str
    cids: Mapping[DocumentId, Cid]
    local: frozenset[DocumentId]
    tree: str = ""

    def equals(self, cids: Mapping[DocumentId, Cid], trees: Container[str]) -> bool:
        """Tells whether the file holds what the baseline has in it.

        Args:
            cids: the baseline's documents of the file.
            trees: ids that are in the baseline, those of the records of trees among them. The file
                of a tree without its record is not as in the baseline.
        """
        return self.cids == cids and (not cids or not self.tree or self.tree in trees)

    def row(self, state: FileState) -> FileRow:
        """Returns the row to remember the file by."""
        return FileRow(
            self.path, self.stat, self.moment, self.digest, state, self.format, self.tree
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file of Insomnia's with all that it says.

    The documents to share have no ``modified``: ``times`` has it, for when the file is written.
    """

    seen: Seen
    content: FileContent
    data: bytes
    times: Mapping[DocumentId, Json]


def own_documents(content: FileContent) -> tuple[Document, ...]:
    """Returns what a file shares: its record, unless that is a tree's, and its documents."""
    if not content.documents or content.in_tree:
        return content.documents
    return (content.record, *content.documents)


def _apart(content: FileContent) -> tuple[FileContent, dict[DocumentId, Json]]:
    """Takes the times of the last edits out of the documents to share."""
    split = [split_modified(document) for document in content.documents]
    times: dict[DocumentId, Json] = {
        document.id: time for document, time in split if time is not None
    }
    if not times:
        return content, times
    return replace(content, documents=tuple(document for document, _ in split)), times


@dataclass(slots=True)
class Reader:
    """Reads files in all formats; ``parsed`` counts the files that it parsed so far."""

    cid_of: CidOf
    limits: Limits
    parsed: int = 0

    @property
    def names(self) -> str:
        """The names of all formats, as one text."""
        return " ".join(FORMAT_NAMES)

    def format(self, name: str) -> Format | None:
        """Returns the format of a name, if there is one."""
        return known.named(name)

    def parse(self, path: str, content: Content, moment: int, expected: str = "") -> Parsed | None:
        """Returns what a file says, None if it is none of Insomnia's.

        Args:
            path: the file's path.
            content: its bytes.
            moment: the file system's clock before they were read.
            expected: the name of the format that it had when it was last seen. Such a file is never
                taken for a foreign one: if no format recognises it, it is broken.

        Raises:
            FormatError: the file breaks its format, or holds a document that is too large.
        """
        chosen = known.recognise(path, content.data) or known.named(expected)
        if chosen is None:
            return None
        self.parsed += 1
        read, times = _apart(chosen.read(content.data, path, self.limits))
        self._check_sizes(path, content.data, read)
        seen = Seen(
            path,
            content.stat,
            moment,
            content.digest,
            chosen.name,
            self.cids(path, own_documents(read)),
            frozenset(document.id for document in read.local),
            read.record.id if read.in_tree else "",
        )
        return Parsed(seen, read, content.data, times)

    def cids(self, path: str, documents: Iterable[Document]) -> dict[DocumentId, Cid]:
        """Returns the content ids of documents; raises FormatError for one that can't have any."""
        return {document.id: self._cid(path, document) for document in documents}

    def _cid(self, path: str, document: Document) -> Cid:
        try:
            return self.cid_of(document)
        except InvalidInput as error:
            raise FormatError(
                error.message, path=path, document=document.id, hint=error.hint
            ) from error

    def _check_sizes(self, path: str, data: bytes, read: FileContent) -> None:
        aliases = b"*" in data and not path.lower().endswith(".json")
        if len(data) * _LONGEST_GROWTH <= MAX_DOCUMENT_BYTES and not aliases:
            return
        for document in read.documents:
            size = len(canonical.encode(document.body))
            if size > MAX_DOCUMENT_BYTES:
                raise FormatError(
                    f"the document has {size} bytes, at most {MAX_DOCUMENT_BYTES} are allowed",
                    path=path,
                    document=f"{document.type} {document.id}",
                    hint="move large payloads into files of their own",
                )
