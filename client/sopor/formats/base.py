"""What every file format offers, and what they exchange with the working copy.

Formats are pure: bytes in, bytes out. They never see a folder; whoever does calls them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sopor.model.document import Document
from sopor.records import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader accepts.

    ``file_bytes`` counts the file, ``expanded_chars`` the characters of its values after aliases
    are expanded, ``depth`` the levels of nesting of the whole file.
    """

    file_bytes: int = 64 * MIB
    expanded_chars: int = 128 * MIB
    depth: int = 400


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class FileContent:
    """What one file says.

    Attributes:
        record: the record that says how its documents lie in it.
        documents: those to share, in the file's order.
        local: those that stay on this machine.
        in_tree: whether the record is that of a tree of files with one document each. Every file of
            the tree then gives the same record; it belongs to the project once.
    """

    record: Document
    documents: tuple[Document, ...]
    local: tuple[Document, ...]
    in_tree: bool = False

    @property
    def everything(self) -> tuple[Document, ...]:
        """All documents of the file, the local ones last, without the record."""
        return self.documents + self.local


class Format(Protocol):
    """One way in which documents lie in a file.

    Reading what was written gives the same documents and the same record: nothing is lost, added or
    renamed, whatever types and fields the documents have.
    """

    @property
    def name(self) -> str:
        """The name that file records carry, such as ``insomnia.v5.yaml``."""

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells from the path and a look at the bytes whether the file claims to be of this format.

        It never raises; a file that claims the format and breaks it is for `read` to refuse.
        """

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns everything that a file says; calling it again gives the same.

        Args:
            data: the whole file.
            path: its path below the root of the working copy, with forward slashes. Ids that the
                file lacks are derived from it.
            limits: what to refuse.

        Raises:
            FormatError: the file breaks the format, has merge markers, double ids, a cycle of
                parents, or exceeds a limit.
        """

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file that holds exactly these documents.

        Args:
            record: the file's record.
            documents: the documents of the file, in any order.
            local: documents of this machine only that belong into the file.
            previous: what the file holds now. Where it already says the same, the very same bytes
                come back; else its order, style and local documents are kept. A previous file that
                can't be read is ignored.

        Raises:
            FormatError: the file can't hold the documents, such as a v5 file without its workspace.
        """
