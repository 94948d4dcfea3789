"""The projects that an account may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sopor_core.membership import Status
from sopor_server.auth import Caller
from sopor_server.ports.records import ProjectSummary
from sopor_server.service import state
from sopor_server.service.context import Context
from sopor_server.service.state import State


@dataclass(frozen=True, slots=True)
class Listed:
    """A project that is not deleted, and its status."""

    summary: ProjectSummary
    status: Status


def projects(context: Context, caller: Caller) -> Sequence[Listed]:
    """Returns the projects of the caller's organizations that it has a role in; raises Refused."""
    context.check_device(caller)
    found = context.store.projects(caller.account)
    orgs = {summary.organization for summary in found}
    stored = {org: context.store.organization(org) for org in orgs}
    states = {org: state.of(organization) for org, organization in stored.items() if organization}
    return [
        Listed(summary, states[summary.organization].projects[summary.id].status)
        for summary in found
        if _is_shown(summary, caller, states.get(summary.organization))
    ]


def _is_shown(summary: ProjectSummary, caller: Caller, found: State | None) -> bool:
    """Tells it by the newest state: the organization is read after the list."""
    return (
        found is not None
        and not found.deleted
        and summary.id in found.projects
        and found.role(caller.account, summary.id) is not None
    )
