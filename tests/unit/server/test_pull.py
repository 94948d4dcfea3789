"""What a pull brings, in which pieces, and what it refuses to continue."""

from __future__ import annotations

import secrets

import pytest

from sopor_core.ids import EntryHash, ProjectId
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import PartKind
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.ports.blobs import pack_key
from sopor_server.service import pull as pulling
from sopor_server.service.context import Context
from sopor_server.service.packs import put_pack
from sopor_server.service.pull import News, Since, pull
from sopor_server.service.push import Push, push
from tests.support.stored import Household
from tests.support.story import Project, pack_id

START = Since(EMPTY_LOG, 0)


def kinds(news: News | None) -> str:
    """Names the parts of an answer: m membership entry, e push entry, p pack."""
    assert news is not None
    letters = {PartKind.MEMBERSHIP_ENTRY: "m", PartKind.PUSH_ENTRY: "e", PartKind.PACK: "p"}
    return "".join(letters[part.kind] for part in news.parts)


def push_packs(
    context: Context, caller: Caller, home: Household, project: Project, *packs: bytes
) -> None:
    for pack in packs:
        put_pack(context, caller, project.id, pack_id(pack), pack)
    entry = project.entry(home.keys, project.commit(), packs=packs)
    push(context, caller, Push(project.id, entry.encoded))
    project.took(entry)


def pull_all(context: Context, caller: Caller, project: Project) -> list[str]:
    """Pulls until nothing is left; returns what each answer held."""
    place, members, answers = EMPTY_LOG, 0, list[str]()
    while news := pull(context, caller, project.id, Since(place, members)):
        answers.append(kinds(news))
        members += answers[-1].count("m")
        seq = place.seq + answers[-1].count("e")
        if seq:
            (entry,) = context.store.push_entries(project.id, seq - 1, 1, 1)
            place = Citation(seq, _hash(entry))
        assert news.more == ((place, members) != (project.head, news.members.seq))
    return answers


def _hash(entry: bytes) -> EntryHash:
    from sopor_core.push_entry import PushEntry

    return PushEntry.parse(entry).hash


def test_a_pull_from_the_start_brings_everything(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    push_packs(context, caller, home, project, b"one")
    push_packs(context, caller, home, project)
    push_packs(context, caller, home, project, b"two", b"three")
    assert pull_all(context, caller, project) == ["mmepeepp"]


def test_a_pull_of_an_empty_project_brings_its_membership(
    context: Context, caller: Caller, project: Project
) -> None:
    assert pull_all(context, caller, project) == ["mm"]


def test_a_pull_brings_what_follows(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    first = home.push(project)
    second = home.push(project)
    news = pull(context, caller, project.id, Since(first.citation, home.org.head.seq))
    assert news is not None
    assert [part.data for part in news.parts] == [second.encoded]
    assert (news.head, news.members, news.more) == (second.citation, home.org.head, False)
    grown = home.grow()
    news = pull(context, caller, project.id, Since(second.citation, grown.previous.seq))
    assert news is not None
    assert [part.data for part in news.parts] == [grown.entry]


def test_an_answer_keeps_its_budget(
    context: Context,
    caller: Caller,
    home: Household,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulling, "BUDGET", 10_000)
    for size in (3000, 3000, 3000, 9000, 200, 20_000, 100):
        push_packs(context, caller, home, project, secrets.token_bytes(size))
    assert pull_all(context, caller, project) == ["mmepep", "ep", "ep", "epeep"]


def test_packs_that_do_not_fit_are_left_to_be_fetched(
    context: Context,
    caller: Caller,
    home: Household,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulling, "BUDGET", 10_000)
    push_packs(context, caller, home, project, *(secrets.token_bytes(3000) for _ in range(4)))
    push_packs(context, caller, home, project)
    assert pull_all(context, caller, project) == ["mmeppe"]


def test_a_long_membership_comes_in_pieces(
    context: Context,
    caller: Caller,
    home: Household,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulling, "BUDGET", 2000)
    for _ in range(6):
        home.grow()
    project.members = home.org.head
    home.push(project)
    answers = pull_all(context, caller, project)
    assert len(answers) > 2
    assert "".join(answers) == "m" * 8 + "e"


def test_many_entries_are_read_in_pages(
    context: Context,
    caller: Caller,
    home: Household,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulling, "_ENTRIES_A_READ", 3)
    for _ in range(8):
        home.push(project)
    assert pull_all(context, caller, project) == ["mm" + "e" * 8]


def test_a_lost_pack_does_not_hide_the_log(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    push_packs(context, caller, home, project, b"lost", b"kept")
    context.blobs.delete(pack_key(project.id, pack_id(b"lost")))
    assert pull_all(context, caller, project) == ["mmep"]


@pytest.mark.parametrize("seq", [1, 2])
def test_another_history_is_not_continued(
    context: Context, caller: Caller, home: Household, project: Project, seq: int
) -> None:
    home.push(project)
    home.push(project)
    with pytest.raises(Refused) as caught:
        pull(context, caller, project.id, Since(Citation(seq, EntryHash.random()), 0))
    assert caught.value.problem is Code.LOG_DIVERGED


def test_a_hash_before_the_first_entry_is_zeros(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            pull(context, caller, project.id, Since(Citation(0, EntryHash.random()), 0))
        assert caught.value.problem is Code.LOG_DIVERGED
        home.push(project)


@pytest.mark.parametrize(("seq", "members"), [(3, 0), (1, 9)])
def test_a_client_that_knows_more_is_told(
    context: Context, caller: Caller, home: Household, project: Project, seq: int, members: int
) -> None:
    first = home.push(project)
    place = Citation(seq, first.hash)
    with pytest.raises(Refused) as caught:
        pull(context, caller, project.id, Since(place, members))
    assert caught.value.problem is Code.LOG_SHORTER


def test_a_revoked_device_learns_at_most_that_nothing_is_new(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    home.push(project)
    context.store.revoke_device(home.keys.account, home.device.id)
    assert pull(context, caller, project.id, Since(project.head, home.org.head.seq)) is None
    for since in (START, Since(Citation(9, EntryHash.random()), 0)):
        with pytest.raises(Refused) as caught:
            pull(context, caller, project.id, since)
        assert caught.value.problem is Code.DEVICE_REVOKED


def test_a_stranger_learns_nothing(context: Context, project: Project) -> None:
    stranger = Household.found(context.store)
    caller = Caller(stranger.keys.account, stranger.device.id)
    for which in (project.id, ProjectId.random()):
        with pytest.raises(Refused) as caught:
            pull(context, caller, which, Since(EMPTY_LOG, 2))
        assert caught.value.problem is Code.NOT_FOUND
