"""How large an organization may become: never so large that nobody can be removed from it."""

from __future__ import annotations

import pytest

from sopor_core import canonical
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, EntryHash, InviteId, OrgId
from sopor_core.limits import MAX_MEMBERSHIP_ENTRY_BYTES, MAX_SEATS, MAX_TIME, MAX_WRAPS
from sopor_core.membership import (
    WRAP_BYTES,
    Epoch,
    MembershipEntry,
    MembershipLog,
    Remove,
    Scope,
    rules,
)
from sopor_core.push_entry import Citation
from tests.vectors.making.scenes import ADA, EVE, GUS, NEW, invitation, scene
from tests.vectors.making.team import Draft, Team


@pytest.fixture
def team() -> Team:
    """Four members, two open invites, two projects and the home."""
    return scene("team")


def _append(team: Team, draft: Draft) -> MembershipLog:
    log = MembershipLog.replay(OrgId(team.org), [text.encode() for text in team.texts])
    actor = EVE if draft.type == "join" else ADA
    entry = canonical.encode(team.entry(actor, draft.type, draft.body))
    log.append(MembershipEntry.parse(entry))
    return log


def _limit(patch: pytest.MonkeyPatch, *, seats: int = MAX_SEATS, wraps: int = MAX_WRAPS) -> None:
    patch.setattr(rules, "MAX_SEATS", seats)
    patch.setattr(rules, "MAX_WRAPS", wraps)


def test_the_last_seat_is_given(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    _limit(monkeypatch, seats=7)
    log = _append(team, team.invite(ADA, invitation(team, GUS), "viewer"))
    assert len(log.access.members) + len(log.access.invites) == 7


def test_no_seat_is_given_beyond_the_last(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = team.invite(ADA, invitation(team, GUS), "viewer")
    _limit(monkeypatch, seats=6)
    with pytest.raises(VerificationError) as refused:
        _append(team, draft)
    assert refused.value.layer is Layer.MEMBERSHIP


def test_who_was_invited_joins_when_all_seats_are_taken(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = team.join(EVE, invitation(team, EVE))
    _limit(monkeypatch, seats=6)
    assert len(_append(team, draft).access.members) == 5


@pytest.mark.parametrize(("wraps", "fits"), [(36, True), (35, False)])
def test_a_project_needs_room_for_all_seats(
    team: Team, monkeypatch: pytest.MonkeyPatch, wraps: int, fits: bool
) -> None:
    _limit(monkeypatch, wraps=wraps)
    if fits:
        assert NEW in _append(team, team.project_new(NEW)).projects()
        return
    with pytest.raises(VerificationError):
        _append(team, team.project_new(NEW))


@pytest.mark.parametrize("seats", [1, 10, 50, MAX_SEATS])
def test_a_removal_from_everything_fits_in_one_entry(seats: int) -> None:
    scopes = MAX_WRAPS // (seats + 3)
    wrap = bytes(WRAP_BYTES)
    members = {AccountId(n.to_bytes(16, "big")): wrap for n in range(seats // 2)}
    invites = {InviteId(n.to_bytes(16, "big")): wrap for n in range(seats - seats // 2)}
    cut = Citation(MAX_TIME, EntryHash(bytes(32)))
    epoch = Epoch(2**32 - 1, bytes(32), members, invites, bytes(60), cut)
    body = Remove(
        AccountId(bytes(16)), {Scope(n.to_bytes(16, "big")): epoch for n in range(scopes)}
    )
    entry = MembershipEntry(
        OrgId(bytes(32)), MAX_TIME, EntryHash(bytes(32)), AccountId(bytes(16)), MAX_TIME, body
    )
    assert len(entry.encoded) <= MAX_MEMBERSHIP_ENTRY_BYTES
