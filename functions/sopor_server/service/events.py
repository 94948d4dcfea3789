"""What followed projects bring: where they stand, and what a client lacks of them (SPEC 10.1).

Nothing is kept between two calls: a cursor says all that there is to know about a client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sopor_core.ids import OrgId, ProjectId
from sopor_core.limits import MAX_INLINE_BYTES
from sopor_core.push_entry import Citation
from sopor_core.wire.events import MAX_PROJECTS, Cursor, Place
from sopor_server.auth import Caller
from sopor_server.errors import malformed, not_found
from sopor_server.ports.records import Organization, Project
from sopor_server.service import state
from sopor_server.service.context import Context
from sopor_server.service.membership import check_reads
from sopor_server.service.pull import News, following

POLL_SECONDS = 5
"""How long a client waits at least before it polls again."""
BUDGET = MAX_INLINE_BYTES
_LEAST_BUDGET = 1024 * 1024
"""With less left of an answer, the next project waits for the next one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a project that the caller may read stands now; ``found`` is there if it was read."""

    project: ProjectId
    head: Citation
    org: Organization
    found: Project | None = None

    @property
    def place(self) -> Place:
        """The numbers of the newest entries."""
        return Place(self.head.seq, self.org.head.seq)


@dataclass(frozen=True, slots=True)
class Poll:
    """What is new, by project; ``cursor`` is after it, ``more`` tells that more follows at once."""

    cursor: Cursor
    news: Mapping[ProjectId, News]
    more: bool


def standings(
    context: Context, caller: Caller, projects: Sequence[ProjectId] | None
) -> Sequence[Standing]:
    """Returns where projects stand, in the order of their ids; None stands for all of the caller's.

    One read for each project and organization. Projects are read first: an organization is then at
    least as new as what its projects cite.

    Raises:
        Refused: as `project_of_member` does for those that are named; ``malformed``: more than 200.
    """
    found = _named(context, projects) if projects is not None else _all(context, caller)
    orgs = {org: context.store.organization(org) for org in {org for _, _, org, _ in found}}
    result = []
    for project, head, owner, whole in found:
        org = orgs[owner]
        if org is None:
            raise not_found("project")
        if projects is not None:
            check_reads(org, caller, project)
        elif not is_read(org, caller, project):
            continue
        result.append(Standing(project, head, org, whole))
    if len(result) > MAX_PROJECTS:
        raise malformed(
            f"the account has {len(result)} projects, {MAX_PROJECTS} can be followed at once",
            "name those that you need with `projects`",
        )
    return sorted(result, key=lambda standing: standing.project)


def is_read(org: Organization, caller: Caller, project: ProjectId) -> bool:
    """Tells whether the caller has a role in a project of an organization that is there."""
    newest = state.of(org)
    there = project in newest.projects and not newest.deleted
    return there and newest.role(caller.account, project) is not None


def places_after(found: Sequence[Standing], cursor: Cursor) -> dict[ProjectId, Place]:
    """Returns the client's places: those of the cursor, and the present ones of what it lacks."""
    return {
        standing.project: cursor.places.get(standing.project, standing.place) for standing in found
    }


def poll(context: Context, caller: Caller, found: Sequence[Standing], cursor: Cursor) -> Poll:
    """Returns what the client lacks, 8 MiB of it at most unless one entry takes more.

    An answer that nothing is new asks no storage.

    Raises:
        Refused: ``device-revoked``, ``log-shorter``.
    """
    places = places_after(found, cursor)
    behind = [standing for standing in found if places[standing.project] != standing.place]
    if behind or places != cursor.places:
        context.check_device(caller)
    news: dict[ProjectId, News] = {}
    left, more = BUDGET, False
    for standing in behind:
        if news and left < _LEAST_BUDGET:
            more = True
            break
        project = standing.found or context.store.project(standing.project)
        if project is None:
            raise not_found("project")
        # What was pushed since the organization was read may cite what it does not have yet.
        project = replace(project, head=standing.head)
        after = places[standing.project]
        brought = following(context, project, standing.org, after, budget=left)
        size = sum(len(part.data) for part in brought.parts)
        if news and size > left:
            more = True
            break
        left -= size
        more = more or brought.more
        news[standing.project] = brought
        places[standing.project] = brought.reached
    return Poll(Cursor(places), news, more)


_Found = tuple[ProjectId, Citation, OrgId, Project | None]


def _named(context: Context, projects: Sequence[ProjectId]) -> Sequence[_Found]:
    found = []
    for project in projects:
        whole = context.store.project(project)
        if whole is None:
            raise not_found("project")
        found.append((project, whole.head, whole.organization, whole))
    return found


def _all(context: Context, caller: Caller) -> Sequence[_Found]:
    summaries = context.store.projects(caller.account)
    return [(found.id, found.head, found.organization, None) for found in summaries]
