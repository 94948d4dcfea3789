"""The local store: opening, faults, transactions, packs, commits, states."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.pack import write_packs
from sopor.disk import exclusive
from sopor.errors import Busy, DamagedStore, DiskFull, InvalidInput, NotFound
from sopor.model.commit import Author, Commit
from sopor.model.document import DocumentId
from sopor.model.state import State
from sopor.store import NewCommit, Store
from sopor_core.ids import Cid, CommitId, PackId, ProjectId

KEYS = ProjectKeys(ProjectId(b"p" * 16), {1: EpochSecret(b"s" * 32)})
IDS = KEYS.content_ids


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path)
    store.objects.unlock(KEYS)
    return store


def chain(store: Store, length: int) -> list[CommitId]:
    """Adds commits that change one document each."""
    state, made = State(), list[CommitId]()
    for number in range(length):
        delta = {DocumentId(f"req_{number % 7}"): Cid(sha256(bytes([number])).digest())}
        state = state.apply(delta)
        commit = Commit(tuple(made[-1:]), state.root(IDS), delta, Author("Ada"), number, "x")
        new = NewCommit(IDS.commit_id(commit.encoded), commit)
        store.commits.add(new, (), None)
        store.commits.snapshot_if_due(new.id, IDS)
        made.append(new.id)
    return made


def test_a_missing_database_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is missing"):
        Store.open(tmp_path)


def test_a_damaged_database_is_not_opened(store: Store, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "sopor.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DamagedStore) as damaged:
        Store.open(tmp_path)
    assert damaged.value.hint is not None


def test_wrong_use_is_not_told_as_damage(store: Store) -> None:
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.refs.all()


def test_a_newer_format_asks_for_an_upgrade(store: Store, tmp_path: Path) -> None:
    store.database.connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(DamagedStore, match="format 99") as newer:
        Store.open(tmp_path)
    assert newer.value.hint == "upgrade sopor"


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def fail_halfway() -> None:
        with store.transaction():
            store.settings.set("one", "1")
            with store.transaction():
                store.settings.set("two", "2")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert store.settings.all() == {}


def test_a_locked_database_is_told_as_busy(store: Store, tmp_path: Path) -> None:
    store.database.connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "sopor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        store.settings.set("one", "1")
    other.close()
    store.settings.set("one", "1")


def test_a_full_database_is_told_as_full(store: Store) -> None:
    (pages,) = store.database.connection.execute("PRAGMA page_count").fetchone()
    store.database.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull) as full:
        store.settings.set("much", "x" * 1_000_000)
    assert "nothing is lost" in str(full.value.hint)
    assert store.settings.get("much") is None


def test_only_one_process_writes_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive(lock, "it"), pytest.raises(Busy), exclusive(lock, "it", 0.05):
        pass
    with exclusive(lock, "it"):
        pass


def test_states_are_folded_from_snapshots(store: Store, tmp_path: Path) -> None:
    made = chain(store, 100)
    (snapshots,) = store.database.connection.execute("SELECT count(*) FROM snapshots").fetchone()
    assert snapshots >= 2
    store.close()
    again = Store.open(tmp_path)
    for commit in (made[0], made[31], made[32], made[33], made[99]):
        assert again.commits.state(commit).root(IDS) == again.commits.get(commit).root
    assert dict(again.commits.state(None)) == {}


def test_a_commit_is_found_by_the_start_of_its_id(store: Store) -> None:
    made = chain(store, 40)
    for commit in made:
        assert store.commits.find(commit.hex()[:9]) == commit
        assert store.commits.find(commit.hex().upper()) == commit
    for text in ("abc", "xyz!", "", "0" * 64, "f" * 70):
        with pytest.raises(NotFound):
            store.commits.find(text)


def test_an_abbreviation_of_several_commits_is_refused(store: Store) -> None:
    commit = store.commits.get(chain(store, 1)[0])
    for last in (1, 2):
        store.commits.add(NewCommit(CommitId(b"\xab" * 31 + bytes([last])), commit), (), None)
    with pytest.raises(InvalidInput, match="several commits"):
        store.commits.find("abab")


def test_documents_read_back_from_their_packs(store: Store) -> None:
    documents = {IDS.cid(data): data for data in (b'{"a":1}', b'{"b":2}')}
    [pack] = write_packs(KEYS, 1, {}, documents)
    store.files.write(pack.id, pack.data)
    store.objects.add(
        store.objects.add_pack(pack.id, pack.size, None), pack.objects, published=False
    )
    assert {cid: store.objects.read(cid) for cid in documents} == documents
    unknown = Cid(bytes(32))
    assert store.objects.missing([*documents, unknown]) == {unknown}
    assert store.objects.unpublished(documents) == list(documents)
    store.objects.publish(documents)
    assert store.objects.unpublished(documents) == []
    with pytest.raises(DamagedStore, match=r"is not in \.sopor"):
        store.objects.read(unknown)


def test_a_document_keeps_its_first_place(store: Store) -> None:
    data = b'{"a":1}'
    cid = IDS.cid(data)
    numbers = []
    for _ in range(2):
        [pack] = write_packs(KEYS, 1, {}, {cid: data})
        store.files.write(pack.id, pack.data)
        numbers.append(store.objects.add_pack(pack.id, pack.size, 1))
        store.objects.add(numbers[-1], pack.objects, published=True)
    (place,) = store.database.connection.execute("SELECT pack FROM objects").fetchone()
    assert place == numbers[0]


def test_a_lost_pack_is_told_by_name(store: Store) -> None:
    cid = IDS.cid(b"{}")
    [pack] = write_packs(KEYS, 1, {}, {cid: b"{}"})
    store.objects.add(
        store.objects.add_pack(pack.id, pack.size, None), pack.objects, published=False
    )
    with pytest.raises(DamagedStore, match=pack.id.short):
        store.objects.read(cid)


def test_files_that_nothing_names_are_found(store: Store) -> None:
    named, forgotten = PackId(b"n" * 32), PackId(b"f" * 32)
    store.files.write(named, b"n")
    store.files.write(forgotten, b"f")
    assert store.files.unnamed({named}) == [store.files.path(forgotten)]


def test_branches_come_and_go(store: Store) -> None:
    one, two = chain(store, 2)
    assert (store.refs.current, store.refs.head) == ("main", None)
    store.refs.set("main", one)
    store.refs.set("side", two)
    assert store.refs.all() == {"main": one, "side": two}
    store.refs.switch("side")
    assert store.refs.head == two
    store.refs.delete("main")
    with pytest.raises(NotFound):
        store.refs.require("main")
