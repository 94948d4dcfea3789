"""Events over the real server: what one device pushes, another hears of at once and verified."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from sopor.account import devices, revoke_device
from sopor.crypto.invites import InviteCode
from sopor.errors import (
    NotFound,
    PermissionDenied,
    SessionExpired,
    SoporError,
    StateConflict,
)
from sopor.moments import now
from sopor.organization import managing
from sopor.repository import Repository
from sopor.repository.events import BranchMoved, Live, LiveState, MembersChanged, Pushed
from sopor_core.encoding import b64decode, b64encode
from sopor_core.ids import CommitId, ServerId
from sopor_core.membership import Role, Status
from sopor_server.auth import ServerIdentity
from tests.support.listener import Listener
from tests.support.server import RunningServer, start_server
from tests.support.world import PASSWORD, Device, World, request, v4_export, workspace, write_files


def edit(repository: Repository, count: int) -> CommitId:
    """Commits that there are so many requests, and pushes that."""
    files = {"a.json": v4_export(workspace(), *map(request, range(1, count + 1)))}
    write_files(repository.root, files)
    repository.commit(f"Have {count}")
    repository.push()
    return repository.resolve_revision("HEAD")


def published(device: Device, org: str | None = None) -> Repository:
    repository = device.start("shop", {"a.json": v4_export(workspace(), request(1))})
    repository.commit("Start")
    repository.push(org=org)
    return repository


@pytest.fixture
def laptop(world: World) -> Device:
    return world.device("ada")


@pytest.fixture
def shop(laptop: Device) -> Iterator[Repository]:
    with published(laptop) as repository:
        yield repository


@pytest.fixture
def desktop(world: World, shop: Repository) -> Device:
    """Another device of the same person, with a clone."""
    device = world.device("ada")
    device.clone("shop").close()
    return device


def seen(device: Device) -> tuple[dict[str, bytes], CommitId | None, CommitId | None]:
    """Returns the files, the local and the remote branch of a clone."""
    with device.open("shop") as repository:
        refs = repository.context.store.refs
        files = {path.name: path.read_bytes() for path in repository.root.glob("*.json")}
        return files, refs.head, refs.remotes().get("main")


def test_a_push_is_heard_of_verified_and_changes_no_file(
    shop: Repository, laptop: Device, desktop: Device
) -> None:
    files, head, before = seen(desktop)
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        commit = edit(shop, 2)
        pushed = listener.next(Pushed)
    assert pushed.seq == 2
    assert pushed.by == laptop.account().login
    assert pushed.account == laptop.account().identity.account
    assert pushed.moves == (BranchMoved("main", before, commit),)
    assert pushed.commits == (commit,)
    assert seen(desktop) == (files, head, commit)
    with desktop.open("shop") as clone:
        assert clone.fsck().clean
        clone.pull()
        assert clone.context.store.refs.head == commit


def test_branches_come_and_go_by_name(shop: Repository, desktop: Device) -> None:
    shop.create_branch("old")
    shop.push("old")
    with desktop.open("shop") as clone:
        clone.fetch()
    head = shop.resolve_revision("main")
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        shop.create_branch("new")
        shop.push("new")
        shop.delete_remote_branch("new")
        shop.delete_remote_branch("old")
        moves = [listener.next(Pushed).moves for _ in range(3)]
    assert moves == [
        (BranchMoved("new", None, head),),
        (BranchMoved("new", head, None),),
        (BranchMoved("old", head, None),),
    ]


def test_a_burst_is_heard_of_once_each_in_order_by_all(
    shop: Repository, world: World, desktop: Device
) -> None:
    tablet = world.device("ada")
    tablet.clone("shop").close()
    with Listener(desktop, "shop") as one, Listener(tablet, "shop") as other:
        one.until(LiveState.STREAMING)
        other.until(LiveState.STREAMING)
        for count in range(2, 12):
            edit(shop, count)
        for listener in (one, other):
            assert [listener.next(Pushed).seq for _ in range(10)] == list(range(2, 12))
            assert listener.ended() == []
    assert seen(desktop)[2] == seen(tablet)[2] == shop.resolve_revision("main")


def test_what_was_missed_is_told_first(shop: Repository, desktop: Device) -> None:
    for count in range(2, 5):
        edit(shop, count)
    with Listener(desktop, "shop") as listener:
        assert [listener.next(Pushed).seq for _ in range(3)] == [2, 3, 4]


def test_what_another_process_fetched_is_told_as_well_and_once(
    shop: Repository, desktop: Device
) -> None:
    with Listener(desktop, "shop") as listener, desktop.open("shop") as beside:
        listener.until(LiveState.STREAMING)
        for count in range(2, 6):
            edit(shop, count)
            beside.pull()
        assert [listener.next(Pushed).seq for _ in range(4)] == [2, 3, 4, 5]
        assert listener.ended() == []


def test_a_project_that_is_on_no_server_has_no_events(laptop: Device) -> None:
    with laptop.start("fresh", {}) as repository, pytest.raises(StateConflict, match="no server"):
        repository.events()


def test_pushing_and_pulling_import_nothing_of_it(shop: Repository, laptop: Device) -> None:
    shop.commit("More", allow_empty=True)
    script = f"""
import sys
from pathlib import Path
from sopor.keystore import FixedPassword
from sopor.repository import Repository
where = dict(home=Path({str(laptop.home)!r}), passwords=FixedPassword({PASSWORD!r}))
with Repository.open({str(shop.root)!r}, **where) as repository:
    assert repository.push().seq == 2
    repository.pull()
assert not [name for name in sys.modules if name.startswith("sopor.remote.events")]
assert "sopor.sync.overlap" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# ------------------------------------------------------------------------------------------ people


def team(world: World, role: Role = Role.EDITOR) -> tuple[Device, Device, Repository]:
    """Returns an owner, a member with a clone, and the owner's working copy."""
    ada, bob = world.device("ada"), world.device("bob")
    managing.create(ada.account(), "Acme")
    repository = published(ada, "Acme")
    code = managing.invite(ada.team(), role, {}, days=7).code
    managing.join(bob.account(), InviteCode.from_text(code))
    bob.clone("shop").close()
    return ada, bob, repository


def test_changes_of_the_members_are_told_and_known(world: World) -> None:
    ada, bob, repository = team(world)
    with Listener(bob, "shop") as listener:
        listener.until(LiveState.STREAMING)
        managing.set_role(ada.team(), bob.account().login, Role.VIEWER)
        changed = listener.next(MembersChanged)
        assert changed.first == changed.last
        commit = edit(repository, 2)
        assert listener.next(Pushed).commits == (commit,)
    with bob.open("shop") as clone, pytest.raises(PermissionDenied, match="you are viewer"):
        edit(clone, 3)


def test_new_keys_are_taken_in_on_the_way(world: World) -> None:
    ada, bob, repository = team(world)
    with Listener(bob, "shop") as listener, bob.open("shop") as beside:
        listener.until(LiveState.STREAMING)
        beside.fetch()
        managing.rotate(ada.team(), [])
        commit = edit(repository, 2)
        assert listener.next(Pushed).commits == (commit,)
        beside.pull()
        assert beside.context.store.refs.head == commit


def test_who_is_removed_hears_no_more_and_is_told_why(world: World) -> None:
    ada, bob, repository = team(world)
    with Listener(bob, "shop") as listener:
        listener.until(LiveState.STREAMING)
        managing.remove(ada.team(), bob.account().login)
        error = listener.error()
        assert isinstance(error, (NotFound, PermissionDenied))
        edit(repository, 2)
    assert seen(bob)[2] != repository.resolve_revision("main")


@pytest.mark.parametrize("what", ["project", "organization"])
def test_what_is_deleted_has_no_more_events(world: World, what: str) -> None:
    ada, bob, _ = team(world)
    with Listener(bob, "shop") as listener:
        listener.until(LiveState.STREAMING)
        if what == "project":
            managing.set_status(ada.team(), "shop", Status.DELETED)
        else:
            managing.delete(ada.team())
        error = listener.error()
    assert isinstance(error, SoporError)
    assert "deleted" in error.message


def test_a_revoked_device_hears_no_more(shop: Repository, laptop: Device, desktop: Device) -> None:
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        mine = laptop.account()
        (other,) = [found for found in devices(mine) if found.id == desktop.account().device]
        revoke_device(mine, other.id)
        assert isinstance(listener.error(), SessionExpired)
        edit(shop, 2)


# ------------------------------------------------------------------------------- breaks, and ends


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come so far")


def expire_soon(server: RunningServer, device: Device) -> None:
    """Leaves the device an access token that it takes for good, and that ends in a moment."""
    content = json.loads((server.data / "server.json").read_bytes())
    identity = ServerIdentity(ServerId.from_b64(content["id"]), b64decode(content["secret"]))
    account = device.account()
    body = account.identity.account + account.device + struct.pack(">I", int(time.time()) + 2)
    token = b64encode(body + identity.tag("sopor/1 access token", body))
    account.entry.tokens.save(token, now() + 900_000)


def test_a_token_that_expires_in_a_stream_is_renewed(
    server: RunningServer, shop: Repository, desktop: Device
) -> None:
    expire_soon(server, desktop)
    short = desktop.account().entry.tokens.load()
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        wait_until(lambda: desktop.account().entry.tokens.load() != short)
        edit(shop, 2)
        assert listener.next(Pushed).seq == 2


def test_it_ends_when_it_is_closed_by_whomever(shop: Repository, desktop: Device) -> None:
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        threads = [Thread(target=listener.events.close) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert listener.ended() == []
    with desktop.open("shop") as clone, clone.events() as events:
        for event in events:
            if isinstance(event, Live) and event.state is LiveState.STREAMING:
                break
        assert events.live.state is LiveState.STREAMING


class Own:
    """A server of a test's own, which is stopped and started."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = {"SOPOR_LOGIN_RATE": "100000", **settings}
        self.running = start_server(folder / "data", 0, **self._settings)
        self.url = self.running.url

    def restart(self) -> None:
        port = int(self.url.rpartition(":")[2])
        self.running = start_server(self._folder / "data", port, **self._settings)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as exits:
        yield exits


def own_world(folder: Path, stack: ExitStack, **settings: str) -> tuple[Own, World]:
    own = Own(folder, **settings)
    stack.callback(lambda: own.running.process.poll() is None and own.running.stop())
    return own, World(own, folder)


@pytest.mark.parametrize("killed", [False, True])
def test_a_server_that_stops_and_starts_is_come_back_to(
    tmp_path: Path, stack: ExitStack, killed: bool
) -> None:
    own, world = own_world(tmp_path, stack)
    shop = stack.enter_context(published(world.device("ada")))
    desktop = world.device("ada")
    desktop.clone("shop").close()
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        edit(shop, 2)
        assert listener.next(Pushed).seq == 2
        own.running.kill() if killed else own.running.stop()
        offline = listener.until(LiveState.OFFLINE)
        assert offline.reason
        own.restart()
        edit(shop, 3)
        edit(shop, 4)
        assert [listener.next(Pushed).seq for _ in range(2)] == [3, 4]
        assert listener.events.live.state is LiveState.STREAMING
        assert listener.ended() == []


def test_a_quiet_stream_gives_way_to_polls_until_somebody_works_here(
    tmp_path: Path, stack: ExitStack
) -> None:
    _, world = own_world(tmp_path, stack, SOPOR_EVENTS_QUIET="1")
    shop = stack.enter_context(published(world.device("ada")))
    desktop = world.device("ada")
    desktop.clone("shop").close()
    with Listener(desktop, "shop") as listener:
        listener.until(LiveState.STREAMING)
        polling = listener.until(LiveState.POLLING)
        assert polling.every
        listener.events.wake()
        listener.until(LiveState.STREAMING)
        edit(shop, 2)
        assert listener.next(Pushed).seq == 2
        listener.until(LiveState.POLLING)
        edit(shop, 3)
        assert listener.next(Pushed).seq == 3
        listener.until(LiveState.STREAMING)
