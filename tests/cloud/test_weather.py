"""Answers that get lost, contention and outages: nothing is lost, doubled or made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sopor_core.push_entry import ListedPack
from sopor_server.adapters.firestore import FirestoreMetadataStore
from sopor_server.adapters.firestore.connection import Connection
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.google import retries
from sopor_server.ports.errors import (
    AccountExists,
    ChallengeUsed,
    LogMoved,
    MembershipMoved,
    StoreUnavailable,
)
from tests.support.emulators import PROJECT
from tests.support.stored import Household, account_of, device_of, genesis_of, new_keys
from tests.support.story import TIME, Project, pack_id
from tests.support.watched import WatchedCloud
from tests.support.weather import Fault

ONCE = [(Fault.BEFORE,), (Fault.AFTER,), (Fault.LOST,), (Fault.ABORTED,), (Fault.EXHAUSTED,)]
WEATHER = [*ONCE, (Fault.ABORTED, Fault.LOST), (Fault.BEFORE, Fault.AFTER), (Fault.ABORTED,) * 4]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize("faults", WEATHER)
def test_a_push_lands_once_whatever_happens_to_its_commit(
    cloud: WatchedCloud, home: Household, project: Project, faults: tuple[Fault, ...]
) -> None:
    before = home.push(project)
    cloud.documents.plan("Commit", *faults)
    entry = home.push(project, project.entry(home.keys, project.commit(), packs=[b"pack"]))
    assert cloud.documents.is_done
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == [
        before.encoded,
        entry.encoded,
    ]
    found = cloud.store.project(project.id)
    assert found is not None
    assert found.head == entry.citation
    assert found.bytes == len(before.encoded) + len(entry.encoded) + len(b"pack")
    home.push(project)


def test_a_push_that_may_have_landed_is_found_when_it_comes_again(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    """The commit is carried out, then nothing answers any more: the caller can only try again."""
    entry = project.entry(home.keys, project.commit())
    append = home.appending(project, entry)
    cloud.store.project(project.id)
    cloud.store.organization(home.org.id)
    cloud.documents.plan("Commit", Fault.LOST)
    cloud.documents.plan("BatchGetDocuments", *[Fault.BEFORE] * retries.ATTEMPTS)
    with pytest.raises(StoreUnavailable):
        cloud.store.append_push(append)
    assert cloud.documents.is_done
    project.took(entry)
    home.push(project)
    cloud.store.append_push(append)
    assert len(cloud.store.push_entries(project.id, 0, 9, 2**30)) == 2


def test_an_outage_is_told_and_changes_nothing(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    entry = project.entry(home.keys, project.commit())
    append = home.appending(project, entry)
    cloud.documents.plan("Commit", *[Fault.BEFORE] * retries.ATTEMPTS)
    with pytest.raises(StoreUnavailable):
        cloud.store.append_push(append)
    assert cloud.documents.is_done
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == []
    cloud.store.append_push(append)
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == [entry.encoded]


@pytest.mark.parametrize("faults", ONCE)
def test_who_lost_a_race_is_told_so_in_any_weather(
    cloud: WatchedCloud, home: Household, project: Project, faults: tuple[Fault, ...]
) -> None:
    late = home.appending(project, project.entry(home.keys, project.commit()))
    cloud.store.project(project.id)
    cloud.store.organization(home.org.id)
    other = replace(home, store=cloud.another_store())
    other.push(project)
    cloud.documents.plan("Commit", *faults)
    with pytest.raises(LogMoved):
        cloud.store.append_push(late)
    assert cloud.documents.is_done
    assert len(cloud.store.push_entries(project.id, 0, 9, 2**30)) == 1


def test_a_role_taken_away_elsewhere_counts_although_this_process_remembers(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    append = home.appending(project, project.entry(home.keys, project.commit()))
    cloud.store.project(project.id)
    cloud.store.organization(home.org.id)
    cloud.another_store().append_membership(home.entry())
    with pytest.raises(MembershipMoved):
        cloud.store.append_push(append)
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == []


def test_a_size_written_elsewhere_does_not_refuse_a_push(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    """The organization's document changed, its membership did not."""
    other_project = home.new_project()
    project.members = other_project.members
    cloud.store.project(project.id)
    cloud.store.organization(home.org.id)
    other = replace(home, store=cloud.another_store())
    big = bytes(1024 * 1024)
    other.push(other_project, other_project.entry(home.keys, other_project.commit(), packs=[big]))
    entry = home.push(project)
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == [entry.encoded]


def test_what_is_remembered_from_before_a_restore_is_read_again(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    """An update time later than the document's is refused as an invalid argument."""
    found = cloud.store._projects._read(project.id)
    assert found is not None
    later = replace(found, changed=found.changed + 10**18)
    cloud.store._projects._found.note(found.path, later)
    cloud.store.organization(home.org.id)
    entry = home.push(project)
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == [entry.encoded]


@pytest.mark.parametrize("faults", ONCE)
def test_registering_happens_once_in_any_weather(
    cloud: WatchedCloud, faults: tuple[Fault, ...]
) -> None:
    keys = new_keys()
    account, genesis, device = account_of(keys), genesis_of(keys), device_of(keys)
    cloud.documents.plan("Commit", *faults)
    cloud.store.create_account(account, genesis, device)
    assert cloud.documents.is_done
    assert cloud.store.device(device.id) == device
    with pytest.raises(AccountExists):
        cloud.store.create_account(account, genesis, device)


@pytest.mark.parametrize("faults", ONCE)
def test_a_challenge_counts_for_who_answered_it_in_any_weather(
    cloud: WatchedCloud, faults: tuple[Fault, ...]
) -> None:
    cloud.documents.plan("Commit", *faults)
    cloud.store.use_challenge(bytes(32), TIME + 100, TIME)
    assert cloud.documents.is_done
    with pytest.raises(ChallengeUsed):
        cloud.store.use_challenge(bytes(32), TIME + 100, TIME)


@pytest.mark.parametrize("faults", ONCE)
def test_other_writes_happen_once_in_any_weather(
    cloud: WatchedCloud, home: Household, project: Project, faults: tuple[Fault, ...]
) -> None:
    store = cloud.store

    def weather() -> None:
        assert cloud.documents.is_done
        cloud.documents.plan("Commit", *faults)

    weather()
    home.grow()
    weather()
    store.replace_credentials(home.keys.account, 2, b"second")
    weather()
    store.stage_pack(project.id, ListedPack(pack_id(b"pack"), 100), TIME)
    weather()
    store.put_device(replace(home.device, name="other"))
    weather()
    store.touch_device(home.device.id, TIME + 5)
    weather()
    assert store.revoke_device(home.keys.account, home.device.id) is True
    assert cloud.documents.is_done
    found, account = store.project(project.id), store.account(home.keys.account)
    assert found is not None
    assert account is not None
    assert (found.bytes, account.n) == (100, 2)
    changed = replace(home.device, name="other", last_used=TIME + 5, revoked=True)
    assert store.device(home.device.id) == changed
    assert store.organization(home.org.id) == replace(home.org, bytes=100)


def test_who_waited_in_vain_finds_what_was_carried_out(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    """The answer does not come in time: the deadline is the call's own, and passes."""
    append = home.appending(project, project.entry(home.keys, project.commit()))
    database = Database(PROJECT, cloud.database, Connection(cloud.documents.address), 2.0)
    impatient = FirestoreMetadataStore(database)
    cloud.documents.plan("Commit", Fault.HELD)
    impatient.append_push(append)
    assert cloud.documents.is_done
    assert cloud.documents.calls["Commit"] > 1
    cloud.documents.plan("BatchGetDocuments", Fault.HELD)
    impatient.check()
    impatient.close()
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == [append.entry.encoded]


def test_a_connection_that_is_cut_is_made_again(
    cloud: WatchedCloud, home: Household, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    append = home.appending(project, project.entry(home.keys, project.commit()))
    cloud.documents.plan("Commit", Fault.CUT)
    cloud.store.append_push(append)
    assert cloud.documents.is_done
    cloud.documents.plan("RunQuery", Fault.CUT)
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == [append.entry.encoded]
    assert cloud.documents.is_done


def test_a_stream_that_breaks_off_is_read_from_its_start(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    log = [home.push(project).encoded for _ in range(4)]
    cloud.documents.plan("RunQuery", Fault.BROKEN, Fault.BROKEN)
    assert list(cloud.store.push_entries(project.id, 0, 9, 2**30)) == log
    assert cloud.documents.is_done


def test_what_is_refused_for_good_is_not_tried_again(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    append = home.appending(project, project.entry(home.keys, project.commit()))
    cloud.documents.calls.clear()
    cloud.documents.plan("Commit", Fault.REFUSED)
    with pytest.raises(StoreUnavailable, match="refused a commit: PERMISSION_DENIED"):
        cloud.store.append_push(append)
    assert cloud.documents.calls["Commit"] == 1
    cloud.documents.calls.clear()
    cloud.documents.plan("BatchGetDocuments", Fault.REFUSED)
    with pytest.raises(StoreUnavailable, match="refused a read: PERMISSION_DENIED"):
        cloud.store.check()
    assert cloud.documents.calls == {"BatchGetDocuments": 1}


def test_reads_come_through_weather(cloud: WatchedCloud, home: Household) -> None:
    cloud.documents.plan("BatchGetDocuments", Fault.BEFORE, Fault.LOST, Fault.ABORTED)
    assert cloud.store.organization(home.org.id) == home.org
    cloud.documents.plan("BatchGetDocuments", *[Fault.LOST] * retries.ATTEMPTS)
    with pytest.raises(StoreUnavailable):
        cloud.store.check()
    assert cloud.documents.is_done


def test_what_nobody_listens_to_is_unavailable() -> None:
    store = FirestoreMetadataStore.open(PROJECT, "none", "127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.check()
