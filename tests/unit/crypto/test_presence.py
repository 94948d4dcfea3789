"""Notes of presence, as they are written; the vectors say what readers refuse."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.presence import Desk, Note, open_note, seal_note
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.ids import DeviceId, ProjectId
from sopor_core.membership import MembershipLog
from tests.support.story import TIME, Keys
from tests.support.teams import Team

NOTE = Note("main", "laptop", TIME - 1000, TIME)


@dataclass(frozen=True)
class Office:
    """A project, and somebody who is present in it."""

    log: MembershipLog
    keys: ProjectKeys
    desk: Desk
    person: Keys

    @classmethod
    def found(cls) -> Office:
        person, project = Keys("ada@example.com"), ProjectId.random()
        team = Team.found(person)
        team.take(team.entry(person, team.project_new(project)))
        keys = ProjectKeys(project, {1: EpochSecret.random()})
        return cls(team.log, keys, Desk(project, person.account, DeviceId.random()), person)

    def seal(self, note: Note) -> bytes:
        return seal_note(self.keys, 1, self.desk, note, self.person.signing)

    def open(self, sealed: bytes, now: int = TIME) -> Note:
        return open_note(self.keys, self.log, self.desk, sealed, now)


OFFICE = Office.found()


def test_what_is_sealed_is_read() -> None:
    assert OFFICE.open(OFFICE.seal(NOTE)) == NOTE
    assert OFFICE.seal(NOTE) != OFFICE.seal(NOTE)


@given(st.text(max_size=80), st.text('ab"\u00fc\u4e00', min_size=1, max_size=83))
def test_every_note_is_of_one_length_and_keeps_its_branch(name: str, branch: str) -> None:
    note = replace(NOTE, branch=branch, name=f"l{name}")
    sealed = OFFICE.seal(note)
    assert len(sealed) == 4 + 12 + 512 + 16
    found = OFFICE.open(sealed)
    assert found.branch == branch
    assert "".join(filter(str.isprintable, note.name)).startswith(
        "".join(filter(str.isprintable, found.name))
    )


def test_the_name_of_the_device_gives_way() -> None:
    longest = replace(NOTE, branch='"' * 139, name="n" * 64)
    assert OFFICE.open(OFFICE.seal(longest)).branch == longest.branch
    crowded = OFFICE.open(OFFICE.seal(replace(NOTE, branch='"' * 150, name="n" * 64)))
    assert 0 < len(crowded.name) < 64
    for note in (replace(NOTE, branch='"' * 250), replace(NOTE, name=""), replace(NOTE, branch="")):
        with pytest.raises(InvalidValue):
            OFFICE.seal(note)


def test_a_note_is_of_its_time() -> None:
    sealed = OFFICE.seal(NOTE)
    for now in (TIME - 300_001, TIME + 300_001):
        with pytest.raises(VerificationError) as refused:
            OFFICE.open(sealed, now)
        assert refused.value.layer is Layer.PRESENCE
