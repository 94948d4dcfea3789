"""Seats, projects and bytes: by the server's settings, or by a license."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from sopor_core.errors import Layer
from sopor_core.ids import OrgId
from sopor_core.membership import Role, Status
from sopor_core.wire.problems import Code as Problem
from sopor_server.errors import Refused
from sopor_server.service.context import Context
from sopor_server.service.packs import put_pack
from sopor_server.service.push import Push, push
from tests.support.stored import Household
from tests.support.story import DAY, TIME, Key, pack_id
from tests.support.teams import Code
from tests.unit.server.conftest import Clock
from tests.unit.server.team import Office, caller_of, refused, unverified

SELLER = Key()


def office_with(context: Context, home: Household, **limits: Any) -> Office:
    return Office(replace(context, license_key=SELLER.public, **limits), home)


def over(error: Refused, *told: str) -> None:
    """Makes sure that the error names the limit, the use, and what to do."""
    assert error.problem is Problem.QUOTA_EXCEEDED
    for text in told:
        assert text in f"{error.message} {error.hint}", error


class TestSettings:
    def test_members_and_open_invites_take_seats(self, context: Context, home: Household) -> None:
        office = office_with(context, home, quota_seats=3)
        office.person(Role.EDITOR)
        code = Code()
        office.send(home, office.team.invite(code))
        error = refused(partial(office.try_, home, office.team.invite(Code())))
        over(error, "3 seats", "2 members", "1 open invites", "SOPOR_QUOTA_SEATS", "cancel")
        guest = office.person()
        office.send(guest, office.team.join(code, guest.keys))
        assert refused(partial(office.try_, home, office.team.invite(Code()))).hint == error.hint
        office.send(home, office.team.remove(guest.keys.account))
        office.send(home, office.team.invite(Code()))

    def test_deleted_projects_make_room(self, context: Context, home: Household) -> None:
        office = office_with(context, home, quota_projects=2)
        first, _ = office.project(), office.project()
        error = refused(partial(office.try_, home, office.team.project_new()))
        over(error, "2 projects", "has 2", "SOPOR_QUOTA_PROJECTS", "delete")
        office.send(home, office.team.status(first.id, Status.ARCHIVED))
        refused(partial(office.try_, home, office.team.project_new()))
        office.send(home, office.team.status(first.id, Status.DELETED))
        office.project()

    def test_deleted_projects_give_back_their_bytes(
        self, context: Context, home: Household
    ) -> None:
        office = office_with(context, home, quota_bytes=9000)
        full, next_ = office.project(), office.project()
        pack = secrets.token_bytes(5000)
        put = partial(put_pack, office.context, caller_of(home))
        assert put(full.id, pack_id(pack), pack)
        over(refused(partial(put, next_.id, pack_id(pack), pack)), "9000", "5000", "delete")
        office.send(home, office.team.status(full.id, Status.DELETED))
        assert put(next_.id, pack_id(pack), pack)

    def test_what_is_over_a_limit_stays_and_may_shrink(
        self, context: Context, home: Household
    ) -> None:
        office = office_with(context, home)
        people = [office.person(Role.EDITOR) for _ in range(3)]
        project = office.project()
        office.project()
        small = replace(office.context, quota_seats=2, quota_projects=1)
        office = Office(small, home)
        office.send(home, office.team.set_role(people[0].keys.account, Role.ADMIN))
        office.send(home, office.team.status(project.id, Status.ARCHIVED))
        office.send(home, office.team.remove(people[1].keys.account))
        over(refused(partial(office.try_, home, office.team.invite(Code()))), "2 seats")
        over(refused(partial(office.try_, home, office.team.project_new())), "1 projects")


class TestLicenses:
    def test_a_license_lifts_the_limits_until_it_ends(
        self, context: Context, home: Household, clock: Clock
    ) -> None:
        office = office_with(context, home, quota_seats=1, quota_projects=1, quota_bytes=100)
        plan = office.team.plan(SELLER, seats=2, projects=2, storage=9000, expires=TIME + DAY)
        office.send(home, plan)
        office.send(home, office.team.invite(Code()))
        over(refused(partial(office.try_, home, office.team.invite(Code()))), "2 seats", "'team'")
        project = office.project()
        office.project()
        over(refused(partial(office.try_, home, office.team.project_new())), "2 projects", "'team'")
        office.push(home, project)
        clock.time = TIME + DAY + 1
        entry = project.entry(home.keys, project.commit(), members=office.team.head)
        call = partial(push, office.context, caller_of(home), Push(project.id, entry.encoded))
        over(refused(call), "100 bytes", "SOPOR_QUOTA_BYTES")
        over(refused(partial(office.try_, home, office.team.invite(Code()))), "SOPOR_QUOTA_SEATS")

    def test_bytes_are_those_of_the_license(self, context: Context, home: Household) -> None:
        office = office_with(context, home)
        project = office.project()
        office.send(home, office.team.plan(SELLER, storage=100))
        entry = project.entry(home.keys, project.commit(), members=office.team.head)
        call = partial(push, office.context, caller_of(home), Push(project.id, entry.encoded))
        over(refused(call), "100 bytes", "uses 0", "'team'")
        office.send(home, office.team.plan(SELLER, storage=0))
        office.push(home, project)

    def test_the_newest_license_counts(self, context: Context, home: Household) -> None:
        office = office_with(context, home, quota_seats=1)
        office.send(home, office.team.plan(SELLER, seats=5))
        office.person(Role.EDITOR)
        office.send(home, office.team.plan(SELLER, seats=1, plan="free"))
        over(refused(partial(office.try_, home, office.team.invite(Code()))), "1 seats", "'free'")

    def test_only_an_owner_installs_one(self, context: Context, home: Household) -> None:
        office = office_with(context, home)
        admin = office.person(Role.ADMIN)
        error = refused(partial(office.try_, admin, office.team.plan(SELLER)))
        assert error.problem is Problem.FORBIDDEN

    def test_what_is_no_license_of_this_server_is_refused(
        self, context: Context, home: Household
    ) -> None:
        office = office_with(context, home, quota_seats=1)
        team = office.team
        for plan, layer in (
            (team.plan(Key(), seats=9), Layer.SIGNATURE),
            (team.plan(SELLER, org=OrgId.random()), Layer.MEMBERSHIP),
            (team.plan(SELLER, expires=TIME - 1), Layer.MEMBERSHIP),
            (
                replace(team.plan(SELLER), license=replace(team.plan(SELLER).license, seats=9)),
                Layer.SIGNATURE,
            ),
        ):
            assert unverified(partial(office.try_, home, plan)) is layer
        without = Office(replace(office.context, license_key=None), home)
        error = refused(partial(without.try_, home, team.plan(SELLER)))
        assert error.problem is Problem.FORBIDDEN
        assert "SOPOR_LICENSE_KEY" in (error.hint or "")

    @pytest.mark.parametrize("key", [None, Key().public], ids=["none", "another"])
    def test_licenses_of_another_key_count_no_more(
        self, context: Context, home: Household, key: Any
    ) -> None:
        office = office_with(context, home, quota_seats=1)
        office.send(home, office.team.plan(SELLER, seats=5))
        later = Office(replace(office.context, license_key=key), home)
        error = refused(partial(later.try_, home, office.team.invite(Code())))
        over(error, "SOPOR_QUOTA_SEATS")
