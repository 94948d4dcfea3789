"""Terminals for the stories of the command, and one server for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import RunningServer, running_server
from tests.support.terminal import Terminal

PETSTORE = Path(__file__).resolve().parents[2] / "examples" / "petstore" / "petstore.yaml"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal in an empty folder of somebody who never used sopor before."""
    return Terminal.create(tmp_path)


@pytest.fixture
def pets(terminal: Terminal) -> Terminal:
    """A terminal in a working copy of the pet store, with one commit on main."""
    shutil.copy(PETSTORE, terminal.folder / "petstore.yaml")
    terminal("sopor init --name petstore")
    terminal("sopor commit -m 'Import the pet store'")
    return terminal


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on the loopback interface."""
    with running_server(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
def pets_yaml() -> str:
    """The pet store's file."""
    return PETSTORE.read_text(encoding="utf-8")
