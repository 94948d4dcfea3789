"""The file that holds who a server is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sopor_server.adapters.identity import load_or_create
from sopor_server.auth import ServerIdentity
from sopor_server.errors import InvalidConfig
from tests.contract.racing import in_processes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.json"


def test_it_is_made_once_and_read_by_its_owner_alone(path: Path) -> None:
    made = load_or_create(path)
    assert load_or_create(path) == made
    assert len(made.secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_its_repr_hides_the_secret(path: Path) -> None:
    made = load_or_create(path)
    assert repr(made.secret) not in repr(made)


def test_processes_that_start_at_once_agree(path: Path) -> None:
    found: list[ServerIdentity] = in_processes([(load_or_create, path)] * 8)
    assert len(set(found)) == 1
    assert list(path.parent.iterdir()) == [path]


def test_it_is_not_read_when_others_can(path: Path) -> None:
    load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(InvalidConfig, match="can be read by others") as caught:
        load_or_create(path)
    assert "chmod 600" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "not JSON",
        '{"id": 1, "secret": 2}',
        json.dumps({"id": "A" * 22, "secret": "A" * 42}),
        json.dumps({"id": "A" * 21, "secret": "A" * 43}),
    ],
)
def test_a_damaged_one_is_not_replaced(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InvalidConfig, match="damaged"):
        load_or_create(path)
    assert path.read_text() == content
