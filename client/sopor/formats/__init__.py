"""Reads and writes the file formats of Insomnia, from text to text; does no I/O.

Add a format by writing a module with a class that is a `Format` and naming it in `known.FORMATS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.formats.base import DEFAULT_LIMITS, FileContent, Format, Limits
    from sopor.formats.errors import FormatError
    from sopor.formats.known import FORMATS, format_of, read, recognise, write
else:
    __getattr__ = lazy_names(
        __name__,
        base=["DEFAULT_LIMITS", "FileContent", "Format", "Limits"],
        errors=["FormatError"],
        known=["FORMATS", "format_of", "read", "recognise", "write"],
    )

__all__ = [
    "DEFAULT_LIMITS",
    "FORMATS",
    "FileContent",
    "Format",
    "FormatError",
    "Limits",
    "format_of",
    "read",
    "recognise",
    "write",
]
