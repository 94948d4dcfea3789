"""Folders for the stories."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.worktree.folder import Project


@pytest.fixture(autouse=True)
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves flushing to the test that is about it: elsewhere it only takes time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(os, "sync", lambda: None)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes project folders by name."""
    made: dict[str, Project] = {}

    def make_one(name: str) -> Project:
        made[name] = Project(tmp_path / name)
        return made[name]

    yield make_one
    for project in made.values():
        project.close()


@pytest.fixture
def project(make: Callable[[str], Project]) -> Project:
    return make("project")
