"""What a watch tells while it runs, and the messages of the commits that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field

from sopor.model.document import RECORD_TYPE
from sopor.records import dataclass
from sopor.repository.results import ChangeKind, DocumentChange

_LONGEST_NAME = 60
_MOST_PARTS = 3
_VERBS = {ChangeKind.MODIFIED: "edit", ChangeKind.ADDED: "add", ChangeKind.DELETED: "delete"}
_NOUNS = {
    "request": "request",
    "grpc_request": "request",
    "websocket_request": "request",
    "socketio_request": "request",
    "request_group": "folder",
    "environment": "environment",
    "workspace": "collection",
    "api_spec": "design document",
    "cookie_jar": "cookie jar",
    "unit_test": "test",
    "unit_test_suite": "test suite",
    "mock_route": "mock route",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that happened: its name for programs, a sentence for people, what it is about.

    ``warning`` says that somebody has to do something.
    """

    event: str
    text: str
    details: Mapping[str, object] = field(default_factory=dict)
    warning: bool = False


def message_of(changes: Iterable[DocumentChange], project: str) -> str:
    """Returns the message of a commit: ``Edit 2 requests and add 1 folder in Shop``."""
    every = list(changes)
    shown = [change for change in every if change.type != RECORD_TYPE] or every
    where = f" in {_short(project)}"
    if len(shown) == 1:
        (only,) = shown
        return f'{_VERBS[only.kind].capitalize()} "{_short(only.name)}"{where}'
    counts = Counter((change.kind, _NOUNS.get(change.type, "document")) for change in shown)
    if len(counts) > _MOST_PARTS:
        return f"Edit {len(shown)} documents{where}"
    order = sorted(counts.items(), key=lambda item: (list(_VERBS).index(item[0][0]), item[0][1]))
    parts = [
        f"{_VERBS[kind]} {count} {noun}{'' if count == 1 else 's'}" for (kind, noun), count in order
    ]
    *first, last = parts
    text = f"{', '.join(first)} and {last}" if first else last
    return f"{text[0].upper()}{text[1:]}{where}"


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"
