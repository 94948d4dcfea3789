"""Reads Insomnia's own data folder: files ``insomnia.TYPE.db``, one JSON object a line.

Each line replaces an earlier one with the same ``_id``; ``$$deleted`` removes it; lines about
indexes say nothing. A last line without an end was being written when the program stopped: what
it would have replaced stands. Settings, responses, sessions, tokens and the like stay where they
are: they are that machine's own. Source: the persistence layer of NeDB 1.8.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from sopor.formats.base import DEFAULT_LIMITS, Limits
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, gather
from sopor.formats.imports.base import Imported
from sopor.formats.json_text import JsonText
from sopor.formats.one_document import from_file
from sopor.formats.text import decode_text
from sopor.formats.types import ID_PREFIXES
from sopor.model.document import Body, Json

_NAME = re.compile(r"insomnia\.[A-Za-z0-9]+\.db")
_NO_DOCUMENTS = ("$$indexCreated", "$$indexRemoved")


def is_data_file(name: str) -> bool:
    """Tells whether a file of this name is one of Insomnia's data folder."""
    return bool(_NAME.fullmatch(name))


def import_data_folder(files: Mapping[str, bytes], limits: Limits = DEFAULT_LIMITS) -> Imported:
    """Returns all resources that the files of one data folder hold.

    Args:
        files: the bytes of each file by its path.
        limits: what to refuse.

    Raises:
        FormatError: a line is no JSON object, or the documents can't be one project's.
    """
    found: list[Found] = []
    notes: list[str] = []
    left: Counter[str] = Counter()
    for path, data in sorted(files.items()):
        for number, body in _current(path, data, limits, notes):
            document = from_file(body)
            kind = document.get("_type")
            if kind not in ID_PREFIXES:
                left[str(body.get("type"))] += 1
                continue
            if kind == "workspace":
                document = {**document, "parentId": None}
            found.append(Found(document, f"{path}:{number}", partial(int, number)))
    notes += [
        f"{count} of type {kind} left where they are: they belong to that machine"
        for kind, count in sorted(left.items())
    ]
    documents = gather(found, "the data folder")
    return Imported("Insomnia data folder", documents, tuple(notes))


def _current(
    path: str, data: bytes, limits: Limits, notes: list[str]
) -> Iterator[tuple[int, Body]]:
    """Yields what is in force at the end of a file, each with its line."""
    current: dict[str, tuple[int, Body]] = {}
    lines = decode_text(data, path, limits).split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = JsonText(line, path).whole()
        except FormatError as error:
            if number == len(lines):
                notes.append(f"{path}:{number}: the last line was cut off and is left out")
                continue
            raise FormatError(error.reason, path=path, line=number, column=error.column) from None
        _take(current, value, path, number)
    yield from current.values()


def _take(current: dict[str, tuple[int, Body]], value: Json, path: str, number: int) -> None:
    if isinstance(value, dict) and any(key in value for key in _NO_DOCUMENTS):
        return
    identity = value.get("_id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(identity, str):
        raise FormatError("expected an object with an _id", path=path, line=number)
    current.pop(identity, None)
    if value.get("$$deleted") is not True:
        current[identity] = (number, {key: _plain(item) for key, item in value.items()})


def _plain(value: Json) -> Json:
    """Returns a value with dates as numbers."""
    if isinstance(value, dict):
        if list(value) == ["$$date"]:
            return value["$$date"]
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
