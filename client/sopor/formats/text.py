"""Turns the bytes of a file into text and back, keeping its byte order mark and its line breaks."""

from __future__ import annotations

import re

from sopor.formats.base import Limits
from sopor.formats.errors import FormatError
from sopor.records import dataclass

_BOM = "\ufeff"
_MERGE_MARKER = re.compile(rb"^(?:<{7}|>{7}|\|{7}|={7})(?:[ \r\n]|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a file's text lies in its bytes."""

    bom: bool = False
    crlf: bool = False

    @classmethod
    def of(cls, data: bytes | None) -> TextStyle:
        """Returns the style of existing bytes."""
        if not data:
            return cls()
        return cls(bom=data.startswith(_BOM.encode()), crlf=b"\r\n" in data[:4096])

    def text(self, data: bytes) -> str:
        """Returns the text of bytes of this style, its lines ending in line feeds."""
        text = data.decode().removeprefix(_BOM)
        return text.replace("\r\n", "\n") if self.crlf else text

    def encode(self, text: str) -> bytes:
        """Returns the bytes of a text whose lines end in line feeds."""
        if self.crlf:
            text = text.replace("\n", "\r\n")
        return ((_BOM if self.bom else "") + text).encode()


def decode_text(data: bytes, path: str, limits: Limits) -> str:
    """Returns a file's text without its byte order mark.

    Raises:
        FormatError: the file is too large, is not UTF-8, or holds the markers of a merge.
    """
    if len(data) > limits.file_bytes:
        raise FormatError(
            f"the file has {len(data)} bytes, at most {limits.file_bytes} are allowed",
            path=path,
            hint="split the workspace, or move large payloads into files of their own",
        )
    marker = _MERGE_MARKER.search(data)
    if marker:
        raise FormatError(
            "the file holds merge markers",
            path=path,
            line=data.count(b"\n", 0, marker.start()) + 1,
            hint="settle the merge by removing the marked lines, or restore the file",
        )
    try:
        return data.decode().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise FormatError(
            "the file is not UTF-8",
            path=path,
            line=data.count(b"\n", 0, error.start) + 1,
            hint="save it as UTF-8",
        ) from None
