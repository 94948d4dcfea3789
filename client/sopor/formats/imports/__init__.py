"""Reads what other tools keep, once: Postman, OpenAPI, Insomnia's own data folder; does no I/O.

Unlike a `sopor.formats.base.Format` an importer only reads. The same file gives the same ids each
time. What has no place in Insomnia's resources is listed, and kept in the field ``_imported`` of
the document that it belongs to.
"""

from __future__ import annotations

from sopor.formats.base import DEFAULT_LIMITS, Limits
from sopor.formats.imports.base import Imported
from sopor.formats.imports.openapi import import_openapi, is_openapi
from sopor.formats.imports.postman import import_postman, is_postman
from sopor.formats.imports.values import parse_any

__all__ = ["Imported", "import_file"]


def import_file(data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> Imported | None:
    """Returns what a file of another tool says, None if no importer knows it.

    Files of Insomnia's own data folder come in sets: see `sopor.formats.imports.nedb`.

    Raises:
        FormatError: the file is broken, or exceeds a limit.
    """
    value = parse_any(data, path, limits)
    if is_postman(value):
        return import_postman(value, path)
    if is_openapi(value):
        return import_openapi(value, path, data)
    return None
