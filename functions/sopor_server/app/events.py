"""Answers polls of events, and reads what streams are asked for (SPEC section 10.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from sopor_core.encoding import b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import ProjectId
from sopor_core.wire.deflated import join_answer
from sopor_core.wire.events import LAST_EVENT_ID, MAX_PROJECTS, Cursor, Place
from sopor_server.app import answers
from sopor_server.app.call import Call
from sopor_server.errors import malformed
from sopor_server.service.pull import News

if TYPE_CHECKING:
    from sopor_core.wire.models import NewsEvent


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for: ``projects`` None for all, and what the client has of them.

    ``presence`` tells whether a stream is to say who is present.
    """

    projects: Sequence[ProjectId] | None
    after: Cursor
    presence: bool = False


def poll(call: Call) -> Response:
    """Answers what followed projects bring, or 304."""
    from sopor_core.wire.models import Events
    from sopor_server.service import events as use_events

    wanted = read_wanted(call)
    found = use_events.standings(call.context, call.caller, wanted.projects)
    tag = _tag({standing.project: standing.place for standing in found}, wanted.after)
    if call.request.if_none_match.contains_weak(tag):
        response = answers.empty(304)
    else:
        polled = use_events.poll(call.context, call.caller, found, wanted.after)
        wait = 0 if polled.more else use_events.POLL_SECONDS
        news = [_event(project, brought) for project, brought in polled.news.items()]
        response = answers.model(
            Events(cursor=str(polled.cursor), events=news, more=polled.more, wait=wait)
        )
    response.set_etag(tag)
    return response


def read_wanted(call: Call) -> Wanted:
    """Reads the query and the header; raises Refused or VerificationError (``wire``)."""
    query = call.query(("projects", "after", "presence"))
    after = call.request.headers.get(LAST_EVENT_ID, query.get("after", ""))
    if query.get("presence", "1") != "1":
        raise malformed("presence: not 1")
    presence = "presence" in query
    if "projects" not in query:
        return Wanted(None, Cursor.parse(after), presence)
    names = query["projects"].split(",")
    try:
        projects = [ProjectId.from_b64(name) for name in names]
    except VerificationError:
        raise malformed("projects: not ids with commas between them") from None
    if len(set(projects)) != len(names) or len(names) > MAX_PROJECTS:
        raise malformed(f"projects: an id comes twice, or there are more than {MAX_PROJECTS}")
    return Wanted(projects, Cursor.parse(after), presence)


def parts_of(news: News) -> bytes:
    """Returns the body that a pull would answer."""
    return join_answer([answers.control(news.head, news.members, news.more), *news.parts])


def _event(project: ProjectId, news: News) -> NewsEvent:
    from sopor_core.wire.models import NewsEvent

    return NewsEvent(
        project=project.b64,
        seq=news.reached.push,
        members=news.reached.members,
        parts=b64encode(parts_of(news)),
    )


def _tag(present: Mapping[ProjectId, Place], after: Cursor) -> str:
    text = f"{Cursor(present)} {after}"
    return b64encode(sha256(text.encode("ascii")).digest()[:16])
