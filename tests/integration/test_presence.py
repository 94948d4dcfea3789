"""Presence over the real server, as the library tells it: asked for, and as an event."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest

from sopor.crypto.invites import InviteCode
from sopor.errors import NotFound, StateConflict
from sopor.organization import managing
from sopor.repository import Repository
from sopor.repository.events import MembersChanged, Presence
from sopor.repository.presence import Teller
from sopor.watch.announcing import Announcer
from sopor.watch.reports import Report
from sopor_core.membership import Role, Status
from tests.support.listener import Listener
from tests.support.world import Device, World, request, v4_export, workspace


@pytest.fixture
def ada(world: World) -> Device:
    device = world.device("ada")
    managing.create(device.account(), "Acme")
    return device


@pytest.fixture
def shop(ada: Device) -> Iterator[Repository]:
    files = {"a.json": v4_export(workspace(), request(1))}
    with ada.start("shop", files) as repository:
        repository.commit("Start")
        repository.push(org="Acme")
        yield repository


def admit(owner: Device, device: Device) -> None:
    made = managing.invite(owner.team(), Role.VIEWER, {}, days=7)
    managing.join(device.account(), InviteCode.from_text(made.code))


def branches(event: Presence) -> list[tuple[str, str]]:
    return [(one.by.partition("-")[0], one.branch) for one in event.present]


def test_who_comes_moves_and_goes_is_told_once(world: World, ada: Device, shop: Repository) -> None:
    bob = world.device("bob")
    admit(ada, bob)
    with bob.clone("shop") as his, Listener(ada, "shop", presence=True) as listener:
        assert branches(listener.next(Presence)) == []
        teller = Teller(his.context)
        for _ in range(3):
            teller.tell("main")
        (one,) = listener.next(Presence).present
        assert (one.by, one.branch, one.here) == (bob.account().login, "main", False)
        assert one.since.milliseconds <= one.told.milliseconds
        teller.tell("next")
        assert branches(listener.next(Presence)) == [("bob", "next")]
        mine = Teller(shop.context)
        mine.tell("main")
        assert branches(listener.next(Presence)) == [("ada", "main"), ("bob", "next")]
        assert [one.here for one in shop.presence()] == [True, False]
        teller.end()
        assert branches(listener.next(Presence)) == [("ada", "main")]
        told = [event for event in listener.passed if isinstance(event, Presence)]
        assert len(told) == 5


def test_who_is_removed_is_gone_from_those_who_are_told(
    world: World, ada: Device, shop: Repository
) -> None:
    bob = world.device("bob")
    admit(ada, bob)
    with bob.clone("shop") as his, Listener(ada, "shop", presence=True) as listener:
        assert branches(listener.next(Presence)) == []
        Teller(his.context).tell("main")
        assert branches(listener.next(Presence)) == [("bob", "main")]
        managing.remove(ada.team(), bob.account().login)
        listener.next(MembersChanged)
        assert branches(listener.next(Presence)) == []
        assert shop.presence() == ()
        with pytest.raises(NotFound):
            his.presence()


def test_who_joins_is_shown_though_the_note_comes_first(
    world: World, ada: Device, shop: Repository
) -> None:
    """A device that is behind asks for what is new when it meets a note that it cannot judge."""
    desktop = world.device("ada")
    with desktop.clone("shop") as behind:
        bob = world.device("bob")
        admit(ada, bob)
        with bob.clone("shop") as his:
            Teller(his.context).tell("main")
        assert [one.by for one in behind.presence()] == [bob.account().login]


def test_a_project_of_ones_own_has_nobody_to_tell(ada: Device) -> None:
    with (
        ada.start("alone", {"a.json": v4_export(workspace())}) as alone,
        pytest.raises(StateConflict),
    ):
        alone.presence()


def test_a_watch_says_once_why_it_tells_nobody(ada: Device, shop: Repository) -> None:
    shop.config_set("presence", "on")
    managing.set_status(ada.team(), "shop", Status.ARCHIVED)
    shop.pull()
    told: list[Report] = []
    announcer = Announcer(lambda: ada.open("shop"), told.append)
    thread = Thread(target=announcer.run)
    thread.start()
    while not told:
        thread.join(0.01)
    announcer.close()
    thread.join()
    (report,) = told
    assert (report.event, report.details["told"]) == ("presence", False)
    assert "archived" in report.text
    assert shop.presence() == ()
