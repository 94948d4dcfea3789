"""Changes of a team cost a few requests, whatever the size of the team."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sopor.crypto.invites import InviteCode
from sopor.organization import managing
from sopor_core.membership import Role
from tests.support.server import RunningServer
from tests.support.wire import RecordingProxy, recording_proxy
from tests.support.world import Device, World

_REQUEST = re.compile(rb"(GET|POST|PUT|DELETE) /v1/([^ \r\n]*) HTTP/1\.1\r\n")
_IDS = re.compile(rb"/[A-Za-z0-9_-]{22,}(?=/|$)")


@dataclass
class Meter:
    """A world behind a proxy that sees each request."""

    wire: RecordingProxy
    world: World

    def asked(self, act: Callable[[], object]) -> list[str]:
        """Returns the requests of an act, but those about the session: method and path."""
        before = len(self.wire.sent)
        act()
        found = _REQUEST.findall(bytes(self.wire.sent[before:]))
        paths = [(how, _IDS.sub(b"", path.partition(b"?")[0])) for how, path in found]
        return [f"{how.decode()} {path.decode()}" for how, path in paths if b"login" not in path]

    def team(self, members: int, projects: int) -> tuple[Device, list[Device]]:
        """Founds a team; returns its owner's device and those of the members that joined."""
        owner = self.world.device("owner")
        team = managing.create(owner.account(), "Acme")
        for number in range(projects):
            managing.create_project(team, f"project {number}")
        others = [self.world.device(f"member{number}") for number in range(members - 1)]
        for other in others:
            managing.join(other.account(), code(owner))
        owner.team()
        return owner, others


def code(owner: Device) -> InviteCode:
    return InviteCode.from_text(managing.invite(owner.team(), Role.EDITOR, {}, 7).code)


@pytest.fixture
def meter(server: RunningServer, tmp_path: Path) -> Iterator[Meter]:
    """A meter of a world that is empty."""
    with recording_proxy(server.url) as wire:
        yield Meter(wire, World(wire, tmp_path))


@pytest.mark.parametrize(("members", "projects"), [(2, 1), (4, 5)])
def test_a_removal_is_one_request_after_two_questions(
    meter: Meter, members: int, projects: int
) -> None:
    owner, others = meter.team(members, projects)
    login = others[0].account().login
    assert meter.asked(lambda: managing.remove(owner.team(), login)) == [
        "GET organizations",
        "GET organizations/heads",
        "POST organizations/entries",
    ]


def test_a_removal_after_others_changed_something_asks_for_that_too(meter: Meter) -> None:
    owner, others = meter.team(2, 1)
    elsewhere = meter.world.device("owner")
    managing.rename(elsewhere.team(), "Acme Inc")
    login = others[0].account().login
    assert meter.asked(lambda: managing.remove(owner.team(), login)) == [
        "GET organizations",
        "GET organizations/entries",
        "GET organizations/heads",
        "POST organizations/entries",
    ]


def test_a_join_is_one_request_after_reading_the_log(meter: Meter) -> None:
    owner, _ = meter.team(1, 5)
    invite, account = code(owner), meter.world.device("late").account()
    assert meter.asked(lambda: managing.join(account, invite)) == [
        "GET organizations/entries",
        "GET organizations/entries",
        "POST organizations/entries",
    ]
