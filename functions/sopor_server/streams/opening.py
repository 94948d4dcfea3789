"""Admits a stream, as far as that asks the storage; in a thread, where a request is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from sopor_core.ids import OrgId, ProjectId
from sopor_core.wire.events import STREAM_TYPE, Cursor, Place
from sopor_server.app.call import Call
from sopor_server.app.endpoints import Endpoint
from sopor_server.app.events import poll, read_wanted
from sopor_server.auth import Caller
from sopor_server.service.context import Context
from sopor_server.service.events import places_after, standings
from sopor_server.streams.seats import Seat, Seats


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a stream begins with.

    ``places`` are the client's and ``present`` those of the server, by project, ``owners`` their
    organizations; ``orgs`` are followed for new projects, where all are wanted. ``expires`` is in
    milliseconds. ``presence`` tells whether it says who is present.
    """

    caller: Caller
    expires: int
    places: Mapping[ProjectId, Place]
    present: Mapping[ProjectId, Place]
    owners: Mapping[ProjectId, OrgId]
    orgs: frozenset[OrgId]
    seat: Seat
    presence: bool = False


class StreamAnswer(Response):
    """The answer to an admitted request for a stream; what follows is not for WSGI."""

    def __init__(self, admitted: Admitted) -> None:
        super().__init__(content_type=STREAM_TYPE)
        self.admitted = admitted
        # Neither caches nor proxies may hold back what is sent (nginx obeys the second).
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"


@dataclass(frozen=True, slots=True)
class EventsEndpoint(Endpoint):
    """Answers polls as elsewhere, and admits streams."""

    seats: Seats = field(default_factory=lambda: Seats(0))

    def load(self) -> Callable[[Call], Response]:
        """Returns the handler."""
        return self._answer

    def _answer(self, call: Call) -> Response:
        return self._open(call) if _wants_stream(call) else poll(call)

    def _open(self, call: Call) -> Response:
        wanted = read_wanted(call)
        call.context.check_device(call.caller)
        found = standings(call.context, call.caller, wanted.projects)
        orgs = _orgs(call.context, call.caller) if wanted.projects is None else frozenset()
        seat = self.seats.take(call.caller.account)
        return StreamAnswer(
            Admitted(
                caller=call.caller,
                expires=call.expires,
                places=places_after(found, wanted.after),
                present=places_after(found, Cursor({})),
                owners={standing.project: standing.org.id for standing in found},
                orgs=orgs,
                seat=seat,
                presence=wanted.presence,
            )
        )


def _wants_stream(call: Call) -> bool:
    """Tells whether a stream is accepted by name, not by ``*/*``."""
    accepted = call.request.accept_mimetypes
    named = any(kind == STREAM_TYPE and quality > 0 for kind, quality in accepted)
    return named and call.request.method == "GET"


def _orgs(context: Context, caller: Caller) -> frozenset[OrgId]:
    account = context.store.account(caller.account)
    return frozenset(account.organizations if account else ())
