"""The housekeeping as stories that every pair of storages must tell alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

import pytest

from sopor_core.ids import ProjectId
from sopor_core.membership import Body, Status
from sopor_core.push_entry import ListedPack
from sopor_server.ports.blobs import BlobStore, pack_key, upload_key
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.ports.metadata import MetadataStore
from sopor_server.service.grouping import DAY
from sopor_server.service.housekeeping import Housekeeping, Report
from tests.support.stored import Household
from tests.support.story import TIME, Project, pack_id

KEEP_DAYS = 8


@dataclass
class House:
    """Two storages with a project, and a clock that starts now."""

    store: MetadataStore
    blobs: BlobStore
    begun: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def __post_init__(self) -> None:
        self.home = Household.found(self.store)
        self.project: Project = self.home.new_project()

    def put(self, pack: bytes) -> str:
        key = pack_key(self.project.id, pack_id(pack))
        self.blobs.put(key, pack)
        return key

    def push(self, *packs: bytes) -> None:
        entry = self.project.entry(self.home.keys, self.project.commit(), packs=list(packs))
        self.home.push(self.project, entry)

    def keep(self, days: float, *, everything: bool = False) -> Report:
        """Runs the housekeeping so many days after the start."""
        now = self.begun + int(days * DAY)
        return Housekeeping(self.store, self.blobs, now, KEEP_DAYS, everything).run()

    @property
    def counted(self) -> int:
        """How many bytes count to the project."""
        found = self.store.project(self.project.id)
        assert found is not None
        return found.bytes

    def delete_project(self, project: ProjectId) -> None:
        """Deletes a project now."""
        self._now(self.home.team.status(project, Status.DELETED))

    def delete_organization(self) -> None:
        """Deletes the organization now."""
        self._now(self.home.team.delete())

    def _now(self, body: Body) -> None:
        append = self.home.append_of(self.home.team.entry(self.home.keys, body))
        self.home.grow(replace(append, time=self.begun))

    def has(self, pack: bytes) -> bool:
        return self.blobs.size(pack_key(self.project.id, pack_id(pack))) is not None


class HousekeepingStories:
    """Subclasses give the fixture `house`."""

    def test_nothing_to_do(self, house: House) -> None:
        assert house.keep(2) == Report()

    def test_a_pack_that_a_push_left_behind_goes_in_two_steps(self, house: House) -> None:
        house.put(b"listed")
        house.push(b"listed")
        house.put(b"left behind")
        assert house.keep(0.9) == Report()
        assert house.keep(1.1) == Report(looked_at=2, marked=1)
        for day in (2, 5, 7.9):
            assert house.keep(day) == Report(looked_at=2)
            assert house.has(b"left behind")
        assert house.keep(8.5) == Report(looked_at=2, removed=1, freed=11)
        assert not house.has(b"left behind")
        assert house.has(b"listed")
        assert house.keep(9) == Report(looked_at=1)
        assert list(house.blobs.list("orphans")) == []

    def test_a_pack_that_is_listed_at_last_stays(self, house: House) -> None:
        house.put(b"resumed")
        assert house.keep(2).marked == 1
        house.push(b"resumed")
        assert house.keep(8.5) == Report(looked_at=1)
        assert list(house.blobs.list("orphans")) == []
        assert house.has(b"resumed")
        assert house.keep(30) == Report()

    def test_what_a_restore_took_from_the_log_can_be_published_again(self, house: House) -> None:
        """A log restored to an older point does not list the packs of the entries that it lost."""
        house.put(b"lost entry's")
        for day in (2, 4, 7, 7.9):
            house.keep(day)
        house.push(b"lost entry's")
        assert house.keep(20) == Report(looked_at=1)
        assert house.has(b"lost entry's")

    def test_every_pack_of_a_project_that_a_restore_took_away_waits(self, house: House) -> None:
        lost = ProjectId.random()
        house.blobs.put(pack_key(lost, pack_id(b"p")), b"p")
        assert house.keep(2).marked == 1
        assert house.blobs.size(pack_key(lost, pack_id(b"p"))) == 1
        assert house.keep(9).removed == 1

    def test_a_removed_pack_that_was_staged_counts_no_more(self, house: House) -> None:
        house.put(b"staged")
        house.store.stage_pack(house.project.id, ListedPack(pack_id(b"staged"), 6), TIME)
        house.keep(2)
        assert house.keep(9).removed == 1
        found = house.store.project(house.project.id)
        assert found is not None
        assert found.bytes == 0
        # It may be put and listed again as if it had never been.
        house.put(b"staged")
        house.push(b"staged")
        assert house.has(b"staged")

    def test_a_pack_that_was_to_come_and_never_came_counts_no_more(self, house: House) -> None:
        never, came = (ListedPack(pack_id(data), len(data)) for data in (b"never", b"came"))
        for pack in (never, came):
            house.blobs.put(upload_key(house.project.id, pack), b"")
            house.store.stage_pack(house.project.id, pack, TIME)
        house.put(b"came")
        house.keep(0.9)
        assert house.counted == 9
        assert len(list(house.blobs.list("uploads"))) == 2
        for _ in range(2):
            house.keep(1.1)
            assert house.counted == 4
            assert list(house.blobs.list("uploads")) == []
        house.push(b"came")
        assert house.keep(9).removed == 0
        assert house.has(b"came")

    def test_old_packs_are_looked_at_on_request_only(self, house: House) -> None:
        house.put(b"forgotten")
        assert house.keep(15) == Report()
        assert house.keep(15, everything=True) == Report(looked_at=1, marked=1)
        assert house.keep(16) == Report(looked_at=1, removed=1, freed=9)

    def test_the_packs_of_a_deleted_project_are_kept_as_long_as_a_restore_may_go_back(
        self, house: House
    ) -> None:
        other = house.home.new_project()
        for project in (house.project, other):
            project.members = house.home.org.head
            pack = project.id + b"pack"
            house.blobs.put(pack_key(project.id, pack_id(pack)), pack)
            house.home.push(project, project.entry(house.home.keys, project.commit(), packs=[pack]))
        house.put(b"left behind")
        house.delete_project(house.project.id)
        assert house.keep(KEEP_DAYS - 0.1).removed == 0
        assert house.has(house.project.id + b"pack")
        report = house.keep(KEEP_DAYS + 0.1)
        assert (report.removed, report.freed) == (2, 20 + len(b"left behind"))
        assert not house.has(house.project.id + b"pack")
        assert not house.has(b"left behind")
        assert house.blobs.size(pack_key(other.id, pack_id(other.id + b"pack"))) == 20
        assert house.project.id not in house.store.deleted_projects(2**52)
        house.keep(KEEP_DAYS + 1)
        assert [
            mark for mark in house.blobs.list("orphans") if house.project.id.hex() in mark.key
        ] == []

    def test_the_packs_of_a_deleted_organization_go_alike(self, house: House) -> None:
        house.put(b"pack")
        house.push(b"pack")
        house.delete_organization()
        assert house.keep(KEEP_DAYS - 0.1).removed == 0
        assert house.keep(KEEP_DAYS + 0.1).removed == 1
        assert not house.has(b"pack")

    def test_an_erasure_that_was_broken_off_is_done_by_the_next(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.put(b"pack")
        house.push(b"pack")
        house.delete_project(house.project.id)
        with monkeypatch.context() as broken:
            broken.setattr(house.store, "erased", _fail)
            with pytest.raises(StoreUnavailable):
                house.keep(KEEP_DAYS + 0.1)
        assert not house.has(b"pack")
        house.keep(KEEP_DAYS + 0.1)
        assert house.project.id not in house.store.deleted_projects(2**52)

    def test_a_run_that_was_broken_off_is_done_by_the_next(self, house: House) -> None:
        key = house.put(b"gone")
        house.keep(2)
        house.blobs.delete(key)
        assert house.keep(9) == Report()
        assert list(house.blobs.list("orphans")) == []

    def test_an_entry_that_comes_in_this_moment_keeps_its_pack(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.put(b"pack")
        house.keep(2)
        delete: Callable[[str], None] = house.blobs.delete

        def delete_and_push(key: str) -> None:
            delete(key)
            if key.startswith("packs/"):
                house.push(b"pack")

        monkeypatch.setattr(house.blobs, "delete", delete_and_push)
        assert house.keep(9) == Report(looked_at=1)
        assert house.has(b"pack")


def _fail(_: object) -> NoReturn:
    raise StoreUnavailable("broken off")
