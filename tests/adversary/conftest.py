"""The scene of all stories here; none of them changes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopor.repository import Repository
from tests.adversary.company import Company, found
from tests.adversary.scene import (
    Held,
    Scene,
    asleep,
    edit,
    push_edits,
    start,
)
from tests.support.evil import (
    EvilServer,
)
from tests.support.world import Device, World


@pytest.fixture(scope="session")
def scene_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("evil")
    evil = EvilServer(folder)
    world = World(evil, folder)
    laptop, desktop, tablet = (world.device("ada") for _ in range(3))
    author = start(laptop, "shop")
    push_edits(author, "Two", "Three")
    newcomer = asleep(desktop, "fresh")
    desktop.clone("shop", "behind").close()
    sleeping = asleep(desktop, "asleep")
    push_edits(author, "Four")
    edit(author, "req_2", name="Five")
    author.switch("feature", create=True)
    author.commit("Five")
    author.push()
    author.revert_to("HEAD~1")
    author.push()
    newest = tablet.clone("shop", "newest")
    other = start(laptop, "other")
    push_edits(other, "Two", "Three", "Four", "Five", "Six")
    bobs = start(world.device("bob"), "his")
    yield Scene(
        evil, desktop, sleeping, newcomer, newest, Held.of(author), Held.of(other), Held.of(bobs)
    )
    for repository in (author, newest, other, bobs):
        assert repository.fsck().clean
        repository.close()
    evil.close()


@pytest.fixture(scope="module")
def company_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One for each module: people leave it, and keys change."""
    folder = tmp_path_factory.mktemp("company")
    evil = EvilServer(folder)
    yield found(World(evil, folder), evil)
    evil.close()


@pytest.fixture
def company(company_of_all: Company) -> Iterator[Company]:
    """A team one of whose members was removed; its server is honest at first."""
    yield company_of_all
    company_of_all.evil.honest()


@pytest.fixture
def scene(scene_of_all: Scene) -> Iterator[Scene]:
    """Ada's projects; their server is honest at first."""
    yield scene_of_all
    scene_of_all.evil.honest()


@pytest.fixture
def behind(scene: Scene) -> Iterator[Repository]:
    """A clone of the time when there were 3 entries; each test has its own."""
    with asleep(scene.asleep, random.randbytes(4).hex()).open("behind") as repository:
        yield repository


@pytest.fixture
def fresh(scene: Scene) -> Device:
    """A device that was logged in, and asked for nothing so far; each test has its own."""
    return asleep(scene.fresh, random.randbytes(4).hex())


@pytest.fixture
def story(tmp_path: Path) -> Iterator[tuple[EvilServer, World]]:
    """A server of its own, whose data the test rolls back."""
    evil = EvilServer(tmp_path)
    yield evil, World(evil, tmp_path)
    evil.close()
