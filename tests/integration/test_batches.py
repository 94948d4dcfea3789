"""Many commits in one push: what they cost, and that everybody ends with the same packs."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from sopor.repository import Repository
from sopor_core.ids import Cid
from tests.support.server import running_server
from tests.support.world import World, request, v4_export, workspace

COMMITS = 10
_LINES = [Random(number).randbytes(30).hex() for number in range(4_500)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server, and people who come to it."""
    folder = tmp_path_factory.mktemp("batches")
    with running_server(folder / "data") as server:
        yield World(server, folder)


def project(edits: int, note: str = "") -> bytes:
    """A project whose one document is large, after some edits."""
    lines = list(_LINES)
    for edit in range(edits):
        lines[edit * 100] += f" edit {edit}"
    return v4_export(workspace(), request(1, description="\n".join(lines), url=note))


def edit(repository: Repository, number: int) -> None:
    """Edits a line of the document and commits that."""
    (repository.root / "a.json").write_bytes(project(number))
    repository.commit(f"Edit {number}")


def packed(repository: Repository, after: int) -> int:
    """The bytes of packs and entries after one entry of the log."""
    log = repository.context.store.log
    size = 0
    for seq in range(after + 1, log.pin.seq + 1):
        entry = log.entry(seq)
        assert entry is not None
        size += len(entry.encoded) + sum(pack.size for pack in entry.packs)
    return size


def places(repository: Repository) -> dict[Cid, tuple[int, int]]:
    """Of each published document the entry that brought it, and the chain of bases under it."""
    rows = repository.context.store.database.connection.execute(
        "SELECT cid, seq, depth FROM objects JOIN packs ON number = pack WHERE published"
    )
    return {Cid(cid): (seq, depth) for cid, seq, depth in rows}


def test_a_push_of_many_commits_costs_what_they_cost_one_by_one(world: World) -> None:
    laptop = world.device("ada")
    sizes = []
    for name in ("single", "batch"):
        with laptop.start(name, {"a.json": project(0)}) as repository:
            repository.commit("Import")
            repository.push()
            for number in range(1, COMMITS + 1):
                edit(repository, number)
                if name == "single":
                    repository.push()
            repository.push()
            sizes.append(packed(repository, 1))
            assert repository.fsck().clean
    single, batch = sizes
    assert single < COMMITS * 1_600
    assert batch <= single
    with world.device("ada").clone("batch") as clone, laptop.open("batch") as repository:
        assert places(clone) == places(repository)
        assert clone.fsck().clean


def test_batches_build_on_what_was_stored_as_a_difference(world: World) -> None:
    """Until a chain ends, which happens once in sixteen times."""
    laptop = world.device("ada")
    with laptop.start("chained", {"a.json": project(0)}) as repository:
        repository.commit("Import")
        repository.push()
        costs = []
        for round_ in range(9):
            before = repository.context.store.log.pin.seq
            for number in (2 * round_ + 1, 2 * round_ + 2):
                edit(repository, number)
            repository.push()
            costs.append(packed(repository, before))
        assert max(costs) < 3_500
        chains = {depth for _, depth in places(repository).values()}
        assert max(chains) == 9
    with world.device("ada").clone("chained") as clone, laptop.open("chained") as repository:
        assert places(clone) == places(repository)
        assert clone.fsck().clean


def test_the_longest_chain_is_never_passed(world: World) -> None:
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("deep", {"a.json": project(0)}) as repository:
        repository.commit("Import")
        repository.push()
        with desktop.clone("deep") as other:
            for number in range(1, 20):
                edit(repository, number)
                repository.push()
                other.pull()
            assert max(depth for _, depth in places(repository).values()) == 16
            assert places(other) == places(repository)
            assert other.fsck().clean
    with world.device("ada").clone("deep") as clone:
        assert clone.fsck().clean


def test_what_both_made_lies_where_the_log_brings_it(world: World) -> None:
    """Two people come to the same content; theirs comes first, by a chain of another length."""
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("both", {"a.json": project(0)}) as here:
        here.commit("Import")
        here.push()
        with desktop.clone("both") as there:
            edit(here, 1)
            here.push()
            edit(here, 3)
            here.push()
            # The other one has the newest content by one step, then goes on from it.
            (path,) = [path for path in there.root.iterdir() if path.suffix == ".json"]
            for number in (3, 4, 5):
                path.write_bytes(project(number))
                there.commit(f"Mine {number}")
            local = there.context.store.commits.get(there.context.store.refs.require("main"))
            (cid,) = filter(None, local.changes.values())
            with pytest.raises(LookupError):
                there.context.store.objects.known_base(cid)
            there.sync()
            assert there.fsck().clean
            assert there.context.store.objects.known_base(cid).depth > 0
            here.pull()
            assert places(here) == places(there)
            assert here.fsck().clean
    with world.device("ada").clone("both") as clone, desktop.open("both") as there:
        assert places(clone) == places(there)
