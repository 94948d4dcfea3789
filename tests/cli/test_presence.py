"""Who is present: two people who watch a project, and what each is shown of the other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sopor.crypto.invites import InviteCode
from sopor.organization import managing
from sopor_core.membership import Role
from tests.support.server import RunningServer
from tests.support.terminal import Terminal
from tests.support.watching import watching
from tests.support.world import Device, World, request, v4_export, workspace


def terminal_of(device: Device, name: str) -> Terminal:
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"HOME": str(device.folder), "SOPOR_HOME": str(device.home), "TZ": "UTC"}
    return Terminal(device.folder / name, environment)


@pytest.fixture
def world(server: RunningServer, tmp_path: Path) -> World:
    return World(server, tmp_path)


@pytest.fixture
def ada(world: World) -> Device:
    """Who has published a project in a team of her own."""
    device = world.device("ada")
    managing.create(device.account(), "Acme")
    with device.start("shop", {"a.json": v4_export(workspace(), request(1))}) as repository:
        repository.commit("Start")
        repository.push(org="Acme")
    return device


@pytest.fixture
def bob(world: World, ada: Device) -> Device:
    """Who looks on."""
    device = world.device("bob")
    made = managing.invite(ada.team(), Role.VIEWER, {}, days=7)
    managing.join(device.account(), InviteCode.from_text(made.code))
    device.clone("shop").close()
    return device


def test_two_who_watch_see_each_other(ada: Device, bob: Device) -> None:
    first, second = terminal_of(ada, "shop"), terminal_of(bob, "shop")
    for terminal in (first, second):
        assert terminal("sopor who --json").json == []
    first("sopor config presence on")
    with watching(first) as hers, watching(second) as his:
        assert hers.wait("presence")["branch"] == "main"
        (seen,) = second("sopor who --json").json
        assert (seen["by"], seen["branch"]) == (ada.account().login, "main")
        assert (seen["here"], seen["device"]) == (False, ada.account().device.hex())
        assert seen["since"] <= seen["told"]
        # He has not asked for it, and is told nothing of.
        assert not his.all("presence")
        assert [one["here"] for one in first("sopor who --json").json] == [True]

        second("sopor config presence on")
        his.wait("presence", told=True)
        first("sopor switch -c checkout")
        hers.wait("presence", branch="checkout")
        both = second("sopor who --json").json
        assert [(one["branch"], one["here"]) for one in both] == [
            ("checkout", False),
            ("main", True),
        ]
        shown = second("sopor who").out.splitlines()
        assert shown[0].startswith(f"  {ada.account().login}  checkout  since ")
        assert shown[1].startswith(f"* {bob.account().login}  main      since ")

        # It ends with the setting, and with the watch.
        second("sopor config presence off")
        his.wait("presence", told=False)
        assert [one["branch"] for one in first("sopor who --json").json] == ["checkout"]
        assert hers.stop() == 0
        assert second("sopor who --json").json == []


def test_the_setting_is_on_or_off(ada: Device) -> None:
    terminal = terminal_of(ada, "shop")
    error = terminal("sopor config presence yes --json", code=9).error
    assert "on or off" in error["message"]
    assert "sees" in terminal("sopor who --help").out
