"""Handlers of who is present in a project: a sealed note in, all of them out."""

from __future__ import annotations

from collections.abc import Iterable

from werkzeug.wrappers import Response

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.ids import ProjectId
from sopor_server.app import answers
from sopor_server.app.call import Call
from sopor_server.app.endpoints import ENDPOINTS
from sopor_server.ports.records import Presence
from sopor_server.service import presence


def presence_put(call: Call) -> Response:
    """Keeps the note of the caller's device."""
    call.query(())
    sealed = call.body(ENDPOINTS[call.route.operation].limit)
    project = call.id("project", ProjectId)
    presence.put_presence(call.context, call.caller, project, sealed)
    return answers.empty(204)


def presence_get(call: Call) -> Response:
    """Answers who is present."""
    from sopor_core.wire.models import PresenceNote, Presences

    call.query(())
    found = presence.presences(call.context, call.caller, call.id("project", ProjectId))
    notes = [PresenceNote.model_validate(note) for note in to_json(found)]
    return answers.model(Presences(presence=notes))


def to_json(notes: Iterable[Presence]) -> list[dict[str, Json]]:
    """Returns notes as answers and events have them."""
    return [
        {
            "account": note.account.b64,
            "device": note.device.b64,
            "sealed": b64encode(note.sealed),
            "expires": note.expires,
        }
        for note in notes
    ]
