"""All formats: tells which one a file has, reads it and writes it."""

from __future__ import annotations

from collections.abc import Iterable

from sopor.formats.base import DEFAULT_LIMITS, FileContent, Format, Limits
from sopor.formats.documents_json import DocumentsJson
from sopor.formats.documents_yaml import DocumentsYaml
from sopor.formats.errors import FormatError
from sopor.formats.openapi_file import OpenApiFile
from sopor.formats.record import record_format
from sopor.formats.v4_json import V4Json
from sopor.formats.v4_yaml import V4Yaml
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Document

FORMATS: tuple[Format, ...] = (
    V5Yaml(),
    V4Yaml(),
    V4Json(),
    DocumentsJson(),
    DocumentsYaml(),
    OpenApiFile(),
)


def recognise(path: str, data: bytes) -> Format | None:
    """Returns the format that a file claims to have, None for a file that is not Insomnia's."""
    return next((known for known in FORMATS if known.recognises(path, data)), None)


def named(name: str) -> Format | None:
    """Returns the format of a name, None if there is none."""
    return next((known for known in FORMATS if known.name == name), None)


def format_of(record: Document) -> Format:
    """Returns the format of a file record.

    Raises:
        FormatError: this version of Sopor does not know it.
    """
    name = record_format(record)
    found = named(name)
    if found is None:
        raise FormatError(
            f"the format {name} is not known",
            path=str(record.body.get("path")),
            hint="update Sopor",
        )
    return found


def read(data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent | None:
    """Returns what a file says, None for a file that is not Insomnia's.

    Raises:
        FormatError: the file claims a format and breaks it; see `Format.read`.
    """
    found = recognise(path, data)
    return found.read(data, path, limits) if found else None


def write(
    record: Document,
    documents: Iterable[Document],
    local: Iterable[Document] = (),
    previous: bytes | None = None,
) -> bytes:
    """Returns the bytes of the file that a record describes; see `Format.write`."""
    return format_of(record).write(record, documents, local, previous)
