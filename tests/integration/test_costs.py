"""A push costs what changed: requests, bytes and storage operations, in small and large projects.

What is measured is printed (`pytest -rP`) and stands in the properties of the test's report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sopor.repository import Repository
from tests.support.inside import Operations, ServerInside, server_inside
from tests.support.wire import Crossed, RecordingProxy, recording_proxy
from tests.support.workload import workload
from tests.support.world import World

_WORKLOAD = workload()
SMALL, LARGE = 100, 10_000
MOST_PUSH_BYTES = 20_000
MOST_PULL_BYTES = 600


@dataclass(frozen=True)
class Cost:
    """What something cost: on the wire, by the client's own count, in the server's storages."""

    crossed: Crossed
    requests: int
    operations: Operations


@dataclass(frozen=True)
class Costs:
    """What a project of some size cost on its way."""

    documents: int
    edit: Cost
    second_edit: Cost
    nothing_new: Cost


@dataclass(frozen=True)
class _Meter:
    server: ServerInside
    wire: RecordingProxy
    repository: Repository

    def measure(self, act: Callable[[], object]) -> Cost:
        context = self.repository.context
        traffic = context.accounts.of(context.store).remote.transport.traffic
        before, requests = self.server.operations, traffic.requests
        with self.wire.measured() as crossed:
            act()
        return Cost(crossed[0], traffic.requests - requests, self.server.operations - before)


def _costs(folder: Path, documents: int) -> Costs:
    with (
        server_inside(folder / "data") as server,
        recording_proxy(server.url) as wire,
    ):
        laptop = World(wire, folder).device("ada")
        root = laptop.folder / "project"
        _WORKLOAD.write(root, documents)
        with laptop.start("project", {}) as repository:
            repository.commit("Import")
            repository.push()
            # A cookie jar stays on its machine; a tree of files has one record.
            jars = sum(1 for _ in root.glob("CookieJar/*/*.json"))
            held = repository.context.store.commits.state(repository.resolve_revision("HEAD"))
            assert len(held) == documents - jars + 1
            meter = _Meter(server, wire, repository)
            return Costs(
                documents,
                meter.measure(lambda: _edit_and_push(repository, 1)),
                meter.measure(lambda: _edit_and_push(repository, 2)),
                meter.measure(repository.pull),
            )


def _edit_and_push(repository: Repository, number: int) -> None:
    edited = _WORKLOAD.edit_one(repository.root, number)
    assert [change.id for change in repository.commit("Edit one").changes] == [edited]
    assert repository.push().seq is not None


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Costs:
    return _costs(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Costs:
    return _costs(tmp_path_factory.mktemp("large"), LARGE)


@pytest.fixture(params=["small", "large"])
def costs(request: pytest.FixtureRequest) -> Iterator[Costs]:
    found: Costs = request.getfixturevalue(request.param)
    yield found
    for name in ("edit", "second_edit", "nothing_new"):
        cost: Cost = getattr(found, name)
        told = f"{found.documents} documents, {name}: {cost}"
        request.node.user_properties.append((name, str(cost)))
        print(told)


def test_a_push_of_one_document_is_one_small_request(costs: Costs) -> None:
    for cost in (costs.edit, costs.second_edit):
        assert cost.requests == cost.crossed.requests == 1
        assert 0 < cost.crossed.up < MOST_PUSH_BYTES
        assert 0 < cost.crossed.down < MOST_PULL_BYTES


def test_a_pull_that_finds_nothing_is_one_tiny_request(costs: Costs) -> None:
    cost = costs.nothing_new
    assert cost.requests == cost.crossed.requests == 1
    assert 0 < cost.crossed.up + cost.crossed.down <= MOST_PULL_BYTES


def test_storage_operations_do_not_grow_with_the_project(small: Costs, large: Costs) -> None:
    assert large.edit.operations == small.edit.operations
    assert large.second_edit.operations == small.second_edit.operations
    assert large.nothing_new.operations == small.nothing_new.operations
    assert large.edit.operations == large.second_edit.operations


def test_storage_operations_keep_to_the_budget(large: Costs) -> None:
    assert large.edit.operations == Operations(reads=3, writes=3, blob_reads=0, blob_writes=1)
    assert large.nothing_new.operations == Operations(2, 0, 0, 0)
