"""What a server tells of events, typed; nothing about it is verified (SPEC section 10.1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from sopor.remote.answers import MAX_ANSWER_BYTES, PullAnswer, parse_answer
from sopor.remote.events.sse import Told
from sopor.remote.presence import RemoteNote, notes_of
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import ProjectId
from sopor_core.limits import MAX_ENTRY_BYTES, MAX_MEMBERSHIP_ENTRY_BYTES
from sopor_core.wire.events import MAX_EVENT_BYTES, MAX_PROJECTS, Bye, Cursor, EventName

MAX_PARTS_BYTES = MAX_EVENT_BYTES + MAX_MEMBERSHIP_ENTRY_BYTES + MAX_ENTRY_BYTES
"""The most bytes of parts in an event of a stream: its budget, and one entry over it."""
MAX_LINE_BYTES = MAX_PARTS_BYTES * 4 // 3 + 64 * 1024
MAX_POLL_BYTES = MAX_ANSWER_BYTES * 4 // 3 + 64 * 1024
MAX_WAIT_SECONDS = 3600
_MAX_CURSOR_BYTES = MAX_PROJECTS * 64


@dataclass(frozen=True, slots=True)
class News:
    """What a pull of a project would answer."""

    project: ProjectId
    answer: PullAnswer


@dataclass(frozen=True, slots=True)
class Notes:
    """What all who are present in a project say."""

    project: ProjectId
    notes: tuple[RemoteNote, ...]


@dataclass(frozen=True, slots=True)
class Farewell:
    """The end of a stream; ``reason`` None is one that this version does not know."""

    reason: Bye | None
    wait: float


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life that says nothing else."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many seconds a server wants between two connections, at least."""

    seconds: float


Message: TypeAlias = News | Notes | Farewell | Beat | Pace


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """The answer to a poll.

    Attributes:
        news: what is new, by project.
        more: whether there is more, for another poll at once.
        wait: the seconds to wait before another poll else, at least.
        etag: to be sent with the next poll after the same cursor.
    """

    news: tuple[News, ...] = ()
    more: bool = False
    wait: float = 0.0
    etag: str = ""


def parse_told(told: Told, projects: Collection[ProjectId]) -> Message:
    """Parses an event of a stream; what this version does not know is a mere sign of life.

    Raises:
        VerificationError: layer ``wire``: it is out of shape, or about another project.
    """
    try:
        if told.name == EventName.NEWS:
            Cursor.parse(told.id)
            return _news(canonical.parse_json(told.data), projects, MAX_PARTS_BYTES)
        if told.name == EventName.PRESENCE:
            return _notes(canonical.parse_json(told.data), projects)
        if told.name == EventName.BYE:
            return _farewell(canonical.parse_json(told.data))
    except VerificationError as error:
        raise _refused(error) from None
    return Beat()


def parse_poll(body: bytes, projects: Collection[ProjectId], etag: str) -> PollAnswer:
    """Parses the answer to a poll; raises VerificationError (``wire``)."""
    try:
        fields = Fields(canonical.parse_json(body), "an answer of events", Layer.WIRE)
        Cursor.parse(fields.text("cursor", _MAX_CURSOR_BYTES))
        items = fields.items("events", high=MAX_PROJECTS)
        news = [
            _news(item, projects, MAX_ANSWER_BYTES)
            for item in items
            if isinstance(item, dict) and item.get("event") == EventName.NEWS
        ]
        return PollAnswer(tuple(news), fields.boolean("more"), _wait(fields), etag)
    except VerificationError as error:
        raise _refused(error) from None


def _news(value: Json, projects: Collection[ProjectId], limit: int) -> News:
    fields = Fields(value, "an event", Layer.WIRE)
    project = _project(fields, projects)
    fields.integer("seq")
    fields.integer("members")
    return News(project, parse_answer(fields.data("parts", max_size=limit), limit))


def _notes(value: Json, projects: Collection[ProjectId]) -> Notes:
    fields = Fields(value, "an event", Layer.WIRE)
    return Notes(_project(fields, projects), tuple(notes_of(fields)))


def _project(fields: Fields, projects: Collection[ProjectId]) -> ProjectId:
    project = fields.id("project", ProjectId)
    if project not in projects:
        raise VerificationError(Layer.WIRE, "an event is about a project that was not asked for")
    return project


def _farewell(value: Json) -> Farewell:
    fields = Fields(value, "an event", Layer.WIRE)
    reason = fields.text("reason")
    known = next((bye for bye in Bye if bye == reason), None)
    return Farewell(known, _wait(fields))


def _wait(fields: Fields) -> float:
    return float(min(fields.integer("wait") if fields.has("wait") else 0, MAX_WAIT_SECONDS))


def _refused(error: VerificationError) -> VerificationError:
    return VerificationError(Layer.WIRE, error.detail, hint=error.hint)
