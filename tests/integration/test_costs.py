"""A push costs what changed: requests, bytes and storage operations, in small and large projects.

What is measured is printed (`pytest -rP`) and stands in the properties of the test's report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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


def _costs(parent: Path, documents: int) -> Costs:
    folder = parent / str(documents)
    folder.mkdir()
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


def _is_one_small_request(cost: Cost) -> None:
    assert cost.requests == cost.crossed.requests == 1
    assert 0 < cost.crossed.up < MOST_PUSH_BYTES
    assert 0 < cost.crossed.down < MOST_PULL_BYTES
    assert cost.operations == Operations(reads=3, writes=3, blob_reads=0, blob_writes=1)


def _is_one_tiny_request(cost: Cost) -> None:
    assert cost.requests == cost.crossed.requests == 1
    assert 0 < cost.crossed.up + cost.crossed.down <= MOST_PULL_BYTES
    assert cost.operations == Operations(reads=2, writes=0, blob_reads=0, blob_writes=0)


def test_costs_do_not_grow_with_the_project(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    small, large = (_costs(tmp_path, documents) for documents in (SMALL, LARGE))
    for costs in (small, large):
        for name in ("edit", "second_edit", "nothing_new"):
            record_property(f"{costs.documents} documents, {name}", str(getattr(costs, name)))
            print(f"{costs.documents} documents, {name}: {getattr(costs, name)}")
        _is_one_small_request(costs.edit)
        _is_one_small_request(costs.second_edit)
        _is_one_tiny_request(costs.nothing_new)
    for one, other in (
        (small.edit, large.edit),
        (small.second_edit, large.second_edit),
        (small.nothing_new, large.nothing_new),
    ):
        assert one.operations == other.operations
