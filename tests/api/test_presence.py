"""Presence over HTTP."""

from __future__ import annotations

import pytest

from sopor_core.encoding import b64decode
from sopor_core.wire.events import MAX_PRESENCE_BYTES
from sopor_core.wire.models import PresenceNote, Presences
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.support.story import Person, Project

OCTETS = {"Content-Type": "application/octet-stream"}


def names(project: Project) -> dict[str, str]:
    return {"project": project.id.b64}


def put(who: Person, project: Project, sealed: bytes) -> None:
    answer = who.send(Operation.PRESENCE_PUT, names(project), data=sealed, headers=OCTETS)
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def present(who: Person, project: Project) -> list[PresenceNote]:
    answer = who.send(Operation.PRESENCE_GET, names(project))
    assert answer.status_code == 200, answer.text
    return Presences.model_validate(answer.json()).presence


def test_each_device_has_its_place(alice: Person) -> None:
    project, other = alice.new_project(), alice.login()
    assert present(alice, project) == []
    put(alice, project, b"one")
    put(other, project, b"two")
    put(alice, project, b"\x00" * MAX_PRESENCE_BYTES)
    found = {note.device: note for note in present(other, project)}
    assert {device: b64decode(note.sealed) for device, note in found.items()} == {
        alice.device.b64: b"\x00" * MAX_PRESENCE_BYTES,
        other.device.b64: b"two",
    }
    assert {note.account for note in found.values()} == {alice.keys.account.b64}
    put(alice, project, b"")
    put(alice, project, b"")
    assert [note.device for note in present(alice, project)] == [other.device.b64]


def test_what_is_too_long_or_of_another_type_is_refused(alice: Person) -> None:
    project = alice.new_project()
    send = alice.send
    long = send(Operation.PRESENCE_PUT, names(project), data=b"x" * 1025, headers=OCTETS)
    problem(long, 413, "too-large")
    json = {"Content-Type": "application/json"}
    problem(
        send(Operation.PRESENCE_PUT, names(project), data=b"{}", headers=json),
        415,
        "unsupported-media-type",
    )
    problem(send(Operation.PRESENCE_GET, names(project), params={"all": "1"}), 400, "malformed")
    assert present(alice, project) == []


def test_strangers_and_revoked_devices_are_refused(alice: Person, bob: Person) -> None:
    project, other = alice.new_project(), alice.login()
    alice.send(Operation.DEVICE_REVOKE, {"device": other.device.b64})
    for who, status, code in ((bob, 404, "not-found"), (other, 401, "device-revoked")):
        problem(who.send(Operation.PRESENCE_GET, names(project)), status, code)
        answer = who.send(Operation.PRESENCE_PUT, names(project), data=b"x", headers=OCTETS)
        problem(answer, status, code)


@pytest.mark.parametrize("value", ["0", "true", ""])
def test_a_stream_is_asked_for_presence_by_one_word(alice: Person, value: str) -> None:
    query = {"projects": alice.new_project().id.b64, "presence": value}
    problem(alice.send(Operation.EVENTS, params=query), 400, "malformed")
    query["presence"] = "1"
    assert alice.send(Operation.EVENTS, params=query).status_code == 200
