"""The error of reading and writing files: where it is, which document, and what to do."""

from __future__ import annotations

from typing import ClassVar

from sopor.errors import InvalidInput


class FormatError(InvalidInput):
    """Says that a file can't be read or written; nothing of it was taken.

    ``line`` and ``column`` count from 1 and are None where they are not known. ``document`` is the
    id, or the position and name, of the document that is at fault.
    """

    code: ClassVar[str] = "invalid-file"

    def __init__(
        self,
        reason: str,
        *,
        path: str,
        line: int | None = None,
        column: int | None = None,
        document: str | None = None,
        hint: str | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        of = f"{document}: " if document else ""
        super().__init__(f"{place}: {of}{reason}", hint=hint)
        self.reason = reason
        self.path = path
        self.line = line
        self.column = column
        self.document = document
