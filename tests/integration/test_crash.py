"""Killed at any moment, a device goes on as if nothing had been: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import sopor
from sopor.errors import DamagedStore, NotFound, ServerUnreachable, StateConflict
from sopor.repository import Repository
from tests.integration.crashing import begin, run
from tests.support.server import RunningServer
from tests.support.tampering import Exchange, TamperingProxy, tampering_proxy
from tests.support.world import Device, World, request, v4_export, workspace, write_files

FILE, OTHER = "project.json", "folder/other.json"
_FIRST_GUESS = 60
_DONE = ("nothing to", "a merge is under way", "no merge is under way")


def files() -> dict[str, bytes]:
    """Returns two files: requests 0 to 3 are in the one, 4 and 5 in the other."""
    other = {**workspace("Other"), "_id": "wrk_2"}
    return {
        FILE: v4_export(workspace(), *map(request, range(4))),
        OTHER: v4_export(other, request(4, parentId="wrk_2"), request(5, parentId="wrk_2")),
    }


def edit(repository: Repository, document: str, name: str) -> None:
    for file in (FILE, OTHER):
        path = repository.root / file
        export = json.loads(path.read_bytes())
        for resource in export["resources"]:
            if resource["_id"] == document:
                resource["name"] = name
                path.write_text(json.dumps(export, indent=2))


def name_of(repository: Repository, document: str) -> object:
    """Returns the name that a document has in the working files."""
    for file in (FILE, OTHER):
        for resource in json.loads((repository.root / file).read_bytes())["resources"]:
            if resource["_id"] == document:
                return resource["name"]
    raise AssertionError(f"{document} is in no file")


class Story:
    """Two devices on one project; what the laptop does is killed again and again."""

    def __init__(self, world: World, seed: int) -> None:
        self.random = random.Random(seed)
        self.laptop: Device = world.device("ada")
        self.first = self.laptop.start("shop", files())
        self.first.commit("Start")
        self.first.push()
        self.second = world.device("ada").clone("shop")
        self.made = ["Start"]
        self.numbers = count(1)
        self.killed: Counter[str] = Counter()
        self._calls: dict[str, int] = {}

    def kill(self, action: str, *arguments: Any) -> None:
        """Does something that is killed on the way, then does it again to its end."""
        last = self.random.randint(1, self._calls.get(action, _FIRST_GUESS))
        calls = run(self.laptop, "shop", action, arguments, last)
        if calls is not None:
            self._calls[action] = calls
            return
        self.killed[action] += 1
        try:
            calls = run(self.laptop, "shop", action, arguments, None)
        except StateConflict as conflict:
            if not conflict.message.startswith(_DONE):
                raise
        else:
            assert calls is not None
            self._calls[action] = max(calls, self._calls.get(action, 0))

    def commit(self, repository: Repository, document: str) -> None:
        """Commits an edit in peace."""
        message = self.message()
        edit(repository, document, message)
        repository.commit(message)

    def message(self) -> str:
        """Returns a message, and remembers that a commit has it."""
        message = f"commit {next(self.numbers)}"
        self.made.append(message)
        return message

    def check(self) -> None:
        """Asserts that the laptop is whole and its files say what it has committed."""
        assert self.first.fsck().clean
        assert self.first.status().clean
        assert self.first.status().merge is None

    def close(self) -> None:
        self.first.close()
        self.second.close()


def told(repository: Repository) -> Counter[str]:
    """Returns how often each commit message is told that is none of a merge's."""
    return Counter(commit.subject for commit in repository.log() if len(commit.parents) < 2)


@pytest.fixture(params=[1, 2])
def story(world: World, request: pytest.FixtureRequest) -> Iterator[Story]:
    story = Story(world, request.param)
    yield story
    story.close()


def commit(story: Story) -> None:
    message = story.message()
    edit(story.first, "req_0", message)
    story.kill("commit", message)


def push(story: Story) -> None:
    story.commit(story.first, "req_0")
    if story.random.random() < 0.5:
        story.commit(story.first, "req_1")
    story.kill("push")


def pull(story: Story) -> None:
    story.second.sync()
    story.commit(story.second, "req_2")
    story.second.sync()
    story.kill("pull")


def pull_and_merge(story: Story) -> None:
    story.second.sync()
    story.commit(story.second, "req_2")
    story.second.sync()
    story.commit(story.first, "req_0")
    story.kill("pull")
    assert story.first.log()[0].parents[1:] == (story.second.log()[0].id,)


def sync(story: Story) -> None:
    story.second.sync()
    story.commit(story.second, "req_2")
    story.second.sync()
    story.commit(story.first, "req_1")
    story.kill("sync")


def merge(story: Story) -> None:
    branch = f"branch-{next(story.numbers)}"
    story.first.switch(branch, create=True)
    edit(story.first, "req_4", branch)
    story.commit(story.first, "req_1")
    story.first.switch("main")
    story.commit(story.first, "req_0")
    story.kill("merge", branch)
    assert name_of(story.first, "req_4") == branch
    merged = story.first.log()[0]
    assert merged.parents[1] == story.first.resolve_revision(branch)
    assert len(story.first.log()[1].parents) == 1


def conflict(story: Story) -> tuple[str, str]:
    """Lets a branch and main conflict in one document; each changes another one as well."""
    branch = f"branch-{next(story.numbers)}"
    story.first.switch(branch, create=True)
    message = story.message()
    edit(story.first, "req_5", message)
    edit(story.first, "req_3", message)
    story.first.commit(message)
    story.first.switch("main")
    edit(story.first, "req_4", message)
    story.commit(story.first, "req_3")
    return branch, message


def merge_with_conflicts(story: Story) -> None:
    branch, theirs = conflict(story)
    story.kill("merge", branch)
    merge = story.first.merge_status()
    assert merge is not None
    assert [conflict.id for conflict in merge.conflicts] == ["req_3"]
    story.kill("resolve", ["req_3"], "theirs")
    story.kill("merge_continue")
    for document in ("req_3", "req_4", "req_5"):
        assert name_of(story.first, document) == theirs
    assert story.first.log()[0].parents[1] == story.first.resolve_revision(branch)


def merge_given_up(story: Story) -> None:
    branch, theirs = conflict(story)
    story.first.merge(branch)
    story.kill("merge_abort")
    assert name_of(story.first, "req_3") == story.made[-1]
    assert name_of(story.first, "req_4") == theirs
    assert name_of(story.first, "req_5") != theirs
    story.made.remove(theirs)


def switch(story: Story) -> None:
    branch = f"branch-{next(story.numbers)}"
    story.first.create_branch(branch)
    edit(story.first, "req_4", branch)
    story.commit(story.first, "req_1")
    story.kill("switch", branch)
    assert story.first.status().branch == branch
    story.check()
    story.kill("switch", "main")
    assert story.first.status().branch == "main"


def revert_to(story: Story) -> None:
    story.commit(story.first, "req_0")
    target = story.first.resolve_revision("HEAD~1").hex()
    story.kill("revert_to", target, story.message())


def revert(story: Story) -> None:
    story.commit(story.first, "req_0")
    wrong = story.first.resolve_revision("HEAD").hex()
    story.kill("revert", wrong, story.message())


def restore(story: Story) -> None:
    edit(story.first, "req_0", "not to be kept")
    edit(story.first, "req_5", "neither")
    story.kill("restore", ["."])


STEPS = (
    *(commit, push, pull, pull_and_merge, sync, switch, revert_to, revert, restore),
    *(merge, merge_with_conflicts, merge_given_up),
)


def test_killed_commands_are_done_again(story: Story) -> None:
    order = [*STEPS, *story.random.choices(STEPS, k=14)]
    story.random.shuffle(order)
    for step in order:
        step(story)
        story.check()
    assert sum(story.killed.values()) > len(order) // 2
    story.first.sync()
    story.second.sync()
    first, second = story.first.log(), story.second.log()
    assert first[0].id == second[0].id
    assert {commit.id for commit in first} == {commit.id for commit in second}
    assert told(story.second) == Counter(story.made)
    assert story.second.fsck().clean


# ------------------------------------------------------ a merge with conflicts, moment by moment


@pytest.fixture
def conflicting(tmp_path: Path) -> Device:
    """A project on no server, whose branch ``side`` conflicts with main in request 3."""
    device = Device(tmp_path / "home", tmp_path)
    with device.start("template", files()) as repository:
        repository.commit("Start")
        repository.switch("side", create=True)
        for document in ("req_2", "req_3", "req_5"):
            edit(repository, document, "theirs")
        repository.commit("Side")
        repository.switch("main")
        for document in ("req_3", "req_4"):
            edit(repository, document, "ours")
        repository.commit("Main")
    return device


def every_moment(
    device: Device, action: str, *arguments: Any, step: int = 1
) -> Iterator[Repository]:
    """Yields a copy of the project for each moment at which the action can be killed."""
    for moment in count(1, step):
        folder = f"{action}-{moment}"
        shutil.copytree(device.folder / "template", device.folder / folder)
        calls = run(device, folder, action, arguments, moment)
        with device.open(folder) as repository:
            yield repository
        if calls is not None:
            assert moment > 10
            return


def assert_merged(repository: Repository) -> None:
    """Asserts that the merge is committed and lacks nothing of either side."""
    named = {"req_2": "theirs", "req_3": "theirs", "req_4": "ours", "req_5": "theirs"}
    for document, name in named.items():
        assert name_of(repository, document) == name
        assert repository.document(document).body["name"] == name
    assert len(repository.log()[0].parents) == 2
    assert repository.status().clean
    assert repository.fsck().clean


def test_a_merge_killed_at_any_moment_loses_nothing_of_the_other_side(conflicting: Device) -> None:
    """A merge that is told to be under way can be finished: its files are all written."""
    for repository in every_moment(conflicting, "merge", "side"):
        if repository.merge_status() is None:
            repository.merge("side")
        repository.resolve(["req_3"], "theirs")
        repository.merge_continue()
        assert_merged(repository)


def test_a_merge_that_was_half_given_up_is_not_finished(conflicting: Device) -> None:
    with conflicting.open("template") as repository:
        assert repository.merge("side").kind == "conflicts"
    outcomes = Counter[str]()
    for repository in every_moment(conflicting, "merge_abort"):
        if repository.merge_status() is not None:
            try:
                repository.resolve(["req_3"], "theirs")
            except StateConflict as refused:
                outcomes[refused.message] += 1
            else:
                outcomes["finished"] += 1
                repository.merge_continue()
                assert_merged(repository)
                continue
        assert repository.merge_status() is None
        assert repository.status().clean
        assert name_of(repository, "req_3") == "ours"
        assert name_of(repository, "req_5") != "theirs"
    assert set(outcomes) == {"finished", "no merge is under way"}


# ------------------------------------------------- what comes after a killed command is its own


@pytest.fixture
def diverged(tmp_path: Path) -> Device:
    """A project whose branches ``side`` and main merge; ``ahead`` is where main forwards to."""
    device = Device(tmp_path / "home", tmp_path)
    with device.start("template", files()) as repository:
        repository.commit("Start")
        repository.switch("side", create=True)
        for document in ("req_2", "req_5"):
            edit(repository, document, "side")
        repository.commit("Side")
        repository.switch("main")
        edit(repository, "req_0", "main")
        repository.commit("Main")
        repository.switch("ahead", create=True)
        for document in ("req_3", "req_4"):
            edit(repository, document, "ahead")
        repository.commit("Ahead")
        repository.switch("main")
    return device


@pytest.mark.parametrize(
    ("action", "branch", "edited"),
    [
        ("switch", "side", "req_1"),
        ("merge", "side", "req_1"),
        ("merge", "ahead", "req_1"),
        ("merge", "side", "req_2"),
    ],
)
def test_a_commit_after_a_killed_command_holds_only_what_was_edited(
    diverged: Device, action: str, branch: str, edited: str
) -> None:
    ends = set()
    for repository in every_moment(diverged, action, branch, step=7):
        target = repository.resolve_revision(branch)
        path = repository.root / FILE
        # Edits another field than the branch, so that the edit merges with what is written.
        export = json.loads(path.read_bytes())
        next(r for r in export["resources"] if r["_id"] == edited)["url"] = "https://mine"
        path.write_text(json.dumps(export, indent=2))
        made = repository.commit("Mine")
        assert [change.id for change in made.changes] == [edited]
        assert repository.status().clean
        assert repository.fsck().clean
        parent = made.commit.parents[0]
        moved = target in {parent, *repository.show(parent.hex()).commit.parents}
        ends.add(moved)
        shown = repository.document("req_2").body["name"]
        assert (shown == "side") == (moved and branch == "side")
    assert ends == {True, False}


def test_status_ends_what_was_interrupted_and_says_so(diverged: Device) -> None:
    told = Counter[str]()
    for repository in every_moment(diverged, "switch", "side", step=7):
        first, second = repository.status(), repository.status()
        assert first.clean
        assert not second.warnings
        told[first.branch + "".join(first.warnings)[:10]] += 1
    assert {"main", "side", "sidewent on to"} >= set(told)
    assert told["sidewent on to"]


def test_a_merge_that_does_not_read_back_is_given_up(conflicting: Device) -> None:
    with conflicting.open("template") as repository:
        assert repository.merge("side").kind == "conflicts"
        repository.context.store.settings.set("merge", "{")
        with pytest.raises(DamagedStore) as damaged:
            repository.commit("Merge")
        assert "sopor merge --abort" in str(damaged.value.hint)
        repository.merge_abort()
        assert repository.status().clean
        assert name_of(repository, "req_3") == "ours"


# --------------------------------------------------------- first steps, first pushes, lost answers


def test_an_init_killed_at_any_moment_is_done_again(tmp_path: Path) -> None:
    device = Device(tmp_path / "home", tmp_path)
    for moment in count(1):
        folder = f"project-{moment}"
        write_files(tmp_path / folder, files())
        calls = begin(device, "init", folder, moment)
        if calls is None and not _is_open(device, folder):
            assert begin(device, "init", folder, None) is not None
        with device.open(folder) as repository:
            assert len(repository.commit("Start").changes) == 10
            assert repository.fsck().clean
        assert {path.name for path in (tmp_path / folder / ".sopor").iterdir()} >= {"project.key"}
        if calls is not None:
            assert moment > 5
            return


def _is_open(device: Device, folder: str) -> bool:
    """Tells whether a folder is a working copy; half of one says what to do."""
    if not (device.folder / folder / ".sopor").exists():
        return False
    try:
        device.open(folder).close()
    except (DamagedStore, NotFound) as error:
        hint = str(error.hint)
    else:
        return True
    assert "again" in hint
    return False


def test_a_clone_killed_at_any_moment_is_done_again(world: World) -> None:
    with world.device("ada").start("shop", files()) as first:
        first.commit("Start")
        first.push()
        device = world.device("ada")
        calls = begin(device, "clone", "whole", None)
        assert calls is not None
        drawn = random.Random(3)
        for moment in drawn.sample(range(calls * 4 // 5, calls), 10):
            folder = f"shop-{moment}"
            if begin(device, "clone", folder, moment) is None and not _is_open(device, folder):
                assert begin(device, "clone", folder, None) is not None
            with device.open(folder) as second:
                assert [c.id for c in second.log()] == [c.id for c in first.log()]
                assert second.status().clean
                assert second.fsck().clean
                assert name_of(second, "req_5") == "Request 5"


def test_a_first_push_killed_at_any_moment_publishes_one_project(world: World) -> None:
    laptop, desktop = world.device("ada"), world.device("ada")
    drawn = random.Random(7)
    for number, moment in enumerate(sorted(drawn.sample(range(1, 45), 10))):
        name = f"project-{number}"
        with laptop.start(name, files()) as repository:
            repository.commit("Start")
        if run(laptop, name, "push", (), moment) is None:
            run(laptop, name, "push", (), None)
        with laptop.open(name) as first, desktop.clone(name) as second:
            assert first.context.store.log.pin == second.context.store.log.pin
            assert second.context.store.log.pin.seq == 1
            assert [c.id for c in second.log()] == [c.id for c in first.log()]
            assert first.fsck().clean
            first.sync()
    published = sopor.projects(home=desktop.home, passwords=desktop.passwords)
    assert [info.name for info in published] == [f"project-{number}" for number in range(10)]


class Losing:
    """Loses the answers to some requests, after the server has done what they ask."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, exchange: Exchange) -> Exchange | None:
        if exchange.method == "POST" and self.left:
            self.left -= 1
            return None
        return exchange


@pytest.fixture
def lossy(server: RunningServer, tmp_path: Path) -> Iterator[tuple[TamperingProxy, World]]:
    """A world in which answers get lost on the way."""
    with tampering_proxy(server.url) as proxy:
        yield proxy, World(proxy, tmp_path)


def test_a_lost_answer_is_asked_for_again(lossy: tuple[TamperingProxy, World]) -> None:
    proxy, world = lossy
    with world.device("ada").start("shop", files()) as repository:
        repository.commit("Start")
        proxy.tamper = Losing(1)
        repository.push()
        for message in ("One", "Two"):
            edit(repository, "req_0", message)
            repository.commit(message)
            proxy.tamper = Losing(1)
            repository.push()
        proxy.honest()
        assert repository.context.store.log.pin.seq == 3
        with world.device("ada").clone("shop") as second:
            assert second.context.store.log.pin == repository.context.store.log.pin
            assert told(second) == Counter(["Start", "One", "Two"])


def test_a_push_whose_answers_are_all_lost_is_found_by_the_next(
    lossy: tuple[TamperingProxy, World],
) -> None:
    proxy, world = lossy
    with world.device("ada").start("shop", files()) as repository:
        repository.commit("Start")
        repository.push()
        edit(repository, "req_0", "Once")
        repository.commit("Once")
        proxy.tamper = Losing(100)
        with pytest.raises(ServerUnreachable):
            repository.push()
        proxy.honest()
        repository.push()
        assert repository.context.store.log.pin.seq == 2
        assert repository.fsck().clean
        edit(repository, "req_0", "Again")
        repository.commit("Again")
        repository.push()
        with world.device("ada").clone("shop") as second:
            assert second.context.store.log.pin.seq == 3
            assert told(second) == Counter(["Start", "Once", "Again"])
