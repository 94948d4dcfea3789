"""A team that sends its entries to the use cases, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import ProjectId
from sopor_core.membership import Body, MembershipEntry, Role
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.service import state
from sopor_server.service.context import Context
from sopor_server.service.organizations import append
from sopor_server.service.push import Push, push
from sopor_server.service.state import State
from tests.support.stored import Household
from tests.support.story import Project
from tests.support.teams import Code, Team, token_for


def caller_of(household: Household) -> Caller:
    return Caller(household.keys.account, household.device.id)


def refused(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def unverified(call: Callable[[], object]) -> Layer:
    with pytest.raises(VerificationError) as caught:
        call()
    return caught.value.layer


@dataclass
class Office:
    """The organization of ``owner``, to whose log others append as well."""

    context: Context
    owner: Household

    @property
    def team(self) -> Team:
        return self.owner.team

    @property
    def state(self) -> State:
        """What the server has stored."""
        found = self.context.store.organization(self.team.org)
        assert found is not None
        return state.of(found)

    def try_(self, who: Household, body: Body, **changes: Any) -> MembershipEntry:
        """Sends an entry; nobody takes it in."""
        entry = self.team.entry(who.keys, body, **changes)
        token = token_for(entry.encoded)
        append(self.context, caller_of(who), self.team.org, entry.encoded, token)
        return entry

    def send(self, who: Household, body: Body) -> MembershipEntry:
        """Sends an entry, which must land."""
        return self.team.take(self.try_(who, body))

    def person(self, role: Role | None = None, **projects: Any) -> Household:
        """Registers somebody, who is invited and joins if there is a role."""
        somebody = Household.found(self.context.store)
        if role is not None:
            code = Code()
            self.send(self.owner, self.team.invite(code, role, **projects))
            self.send(somebody, self.team.join(code, somebody.keys))
        return somebody

    def project(self) -> Project:
        """Adds a project."""
        entry = self.send(self.owner, self.team.project_new())
        return self.known(entry.body.project)  # type: ignore[attr-defined]

    def known(self, project: ProjectId) -> Project:
        """Returns an empty project as it is known now."""
        return Project(project, self.team.org, self.team.head)

    def push(self, who: Household, project: Project) -> None:
        """Pushes a commit, which must land."""
        project.members = self.team.head
        epoch = self.team.log.keys(project.id).epoch
        entry = project.entry(who.keys, project.commit(), epoch=epoch)
        push(self.context, caller_of(who), Push(project.id, entry.encoded))
        project.took(entry)
