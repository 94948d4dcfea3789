"""The part of the contract of metadata that concerns groups of packs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from sopor_core.ids import ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.ports.groups import PackGroup
from sopor_server.ports.metadata import MetadataStore
from tests.contract.racing import in_threads
from tests.support.stored import Household
from tests.support.story import TIME, Project, pack_id


def group(project: Project, first: int, last: int, name: str = "") -> PackGroup:
    """Makes a group of one pack for each entry."""
    packs = tuple(
        ListedPack(pack_id(f"{name}{seq}".encode()), 10 + seq) for seq in range(first, last + 1)
    )
    return PackGroup(project.id, first, last, packs, TIME)


class GroupContract:
    """Groups of packs."""

    @pytest.fixture
    def grouped(self, store: MetadataStore) -> tuple[Household, Project]:
        home = Household.found(store)
        return home, home.new_project()

    def test_there_are_no_groups_at_first(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        _, project = grouped
        found = store.project(project.id)
        assert found is not None
        assert (found.grouped, found.cleared) == (0, 0)
        assert list(store.groups(project.id, 0, 9)) == []
        assert store.group_of(project.id, pack_id(b"1")) is None

    def test_a_project_that_is_not_there_has_no_groups(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        lost = replace(group(grouped[1], 1, 2), project=ProjectId.random())
        assert store.add_group(lost) is False
        store.clear_groups(lost.project, 2)
        assert list(store.groups(lost.project, 0, 9)) == []
        assert store.group_of(lost.project, pack_id(b"1")) is None

    def test_groups_follow_each_other_without_a_gap(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        _, project = grouped
        first, second = group(project, 1, 32), group(project, 33, 40)
        assert store.add_group(second) is False
        assert store.add_group(first) is True
        assert store.add_group(second) is True
        assert store.add_group(group(project, 40, 50)) is False
        assert store.add_group(group(project, 42, 50)) is False
        assert store.add_group(group(project, 33, 40, "other")) is False
        assert list(store.groups(project.id, 0, 9)) == [first, second]
        found = store.project(project.id)
        assert found is not None
        assert (found.grouped, found.cleared) == (40, 0)

    def test_a_group_that_is_added_again_stays_as_it_was(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        _, project = grouped
        first = group(project, 1, 4)
        assert store.add_group(first) is True
        assert store.add_group(replace(first, time=TIME + 1000)) is True
        assert list(store.groups(project.id, 0, 9)) == [first]

    def test_groups_are_found_by_entry_and_by_pack(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        home, project = grouped
        groups = [group(project, first, first + 9) for first in (1, 11, 21)]
        for each in groups:
            assert store.add_group(each) is True
        for after, limit, expected in (
            (0, 9, groups),
            (0, 2, groups[:2]),
            (9, 9, groups),
            (10, 9, groups[1:]),
            (29, 1, groups[2:]),
            (30, 9, []),
        ):
            assert list(store.groups(project.id, after, limit)) == expected
        for seq in (1, 10, 11, 30):
            found = store.group_of(project.id, pack_id(str(seq).encode()))
            assert found == groups[(seq - 1) // 10]
        assert store.group_of(project.id, pack_id(b"31")) is None
        assert store.group_of(home.new_project().id, pack_id(b"1")) is None

    def test_clearing_moves_forward_only(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        _, project = grouped
        store.add_group(group(project, 1, 9))
        for through, expected in ((5, 5), (9, 9), (5, 9)):
            store.clear_groups(project.id, through)
            found = store.project(project.id)
            assert found is not None
            assert (found.grouped, found.cleared) == (9, expected)

    def test_of_many_groups_at_once_one_is_added(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        _, project = grouped
        calls: list[Callable[[], bool]] = [
            partial(store.add_group, group(project, 1, 5, str(number))) for number in range(6)
        ]
        assert sorted(map(bool, in_threads(calls))) == [False] * 5 + [True]
        assert len(store.groups(project.id, 0, 9)) == 1

    def test_pushes_and_groups_do_not_disturb_each_other(
        self, store: MetadataStore, grouped: tuple[Household, Project]
    ) -> None:
        home, project = grouped
        home.push(project)
        store.project(project.id)
        store.organization(home.org.id)
        store.add_group(group(project, 1, 1))
        home.push(project)
        store.clear_groups(project.id, 1)
        home.push(project)
        found = store.project(project.id)
        assert found is not None
        assert (found.head, found.grouped, found.cleared) == (project.head, 1, 1)
