"""Handlers of projects and logs: bytes and parts in, use cases, bytes and parts out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from werkzeug.wrappers import Response

from sopor_core.errors import VerificationError
from sopor_core.ids import NO_ENTRY, EntryHash, InviteToken, OrgId, ProjectId
from sopor_core.push_entry import Citation
from sopor_core.wire.parts import Part, PartKind
from sopor_server.app import answers
from sopor_server.app.call import Call, number
from sopor_server.app.endpoints import ENDPOINTS
from sopor_server.auth import Caller
from sopor_server.errors import malformed
from sopor_server.service.context import Context
from sopor_server.service.push import Push


def projects(call: Call) -> Response:
    """Answers the projects of the caller's organizations."""
    from sopor_core.wire import models
    from sopor_server.service import projects as use_projects

    call.query(())
    return answers.model(
        models.Projects(
            projects=[
                models.ProjectSummary(
                    project=listed.summary.id.b64,
                    organization=listed.summary.organization.b64,
                    head=_place(listed.summary.head),
                    seq=listed.summary.head.seq,
                    bytes=listed.summary.bytes,
                    updated=listed.summary.updated,
                    status=str(listed.status),
                )
                for listed in use_projects.projects(call.context, call.caller)
            ]
        )
    )


def organizations(call: Call) -> Response:
    """Answers the organizations that the caller is a member of."""
    from sopor_core.wire import models
    from sopor_server.service import organizations as use_organizations
    from sopor_server.service import state

    call.query(())
    found = use_organizations.organizations(call.context, call.caller)
    return answers.model(
        models.Organizations(
            organizations=[
                models.OrganizationSummary(
                    organization=org.id.b64,
                    kind=state.of(org).kind,
                    head=_place(org.head),
                    deleted=state.of(org).deleted,
                )
                for org in found
            ]
        )
    )


def org_create(call: Call) -> Response:
    """Founds a team by its genesis."""
    from sopor_server.service import organizations as use_organizations

    use_organizations.found_team(call.context, call.caller, _membership_entry(call))
    return answers.empty(201)


def org_heads(call: Call) -> Response:
    """Answers the heads of the push logs of an organization."""
    from sopor_core.wire import models
    from sopor_server.service import organizations as use_organizations

    call.query(())
    org, heads = use_organizations.heads(call.context, call.caller, call.id("org", OrgId))
    return answers.model(
        models.Heads(
            members=_place(org.head),
            projects={project.b64: _place(head) for project, head in heads.items()},
        )
    )


def org_entries(call: Call) -> Response:
    """Answers the membership entries after one."""
    from sopor_server.service import organizations as use_organizations

    query = call.query(("after", "invite"))
    org, after = call.id("org", OrgId), number(query.get("after", "0"))
    found = use_organizations.entries(call.context, call.caller, org, after, _token(query))
    return answers.parts(Part(PartKind.MEMBERSHIP_ENTRY, entry) for entry in found)


def org_append(call: Call) -> Response:
    """Appends a membership entry."""
    from sopor_server.service import organizations as use_organizations

    org, token = call.id("org", OrgId), _token(call.query(("invite",)))
    use_organizations.append(call.context, call.caller, org, _membership_entry(call), token)
    return answers.empty(201)


def _token(query: Mapping[str, str]) -> InviteToken | None:
    try:
        return InviteToken.from_b64(query["invite"]) if "invite" in query else None
    except VerificationError:
        raise malformed("invite: not the token of an invite") from None


def _membership_entry(call: Call) -> bytes:
    match call.parts(_limit(call)):
        case [Part(PartKind.MEMBERSHIP_ENTRY, entry)]:
            return entry
        case _:
            raise malformed("the body is not one membership entry")


def push(call: Call) -> Response:
    """Appends an entry with its packs."""
    from sopor_server.service import push as use_push

    return _push(call, use_push.push)


def branches_change(call: Call) -> Response:
    """Appends an entry that brings nothing new."""
    from sopor_server.service import branches as use_branches

    return _push(call, use_branches.change_branches)


def revert(call: Call) -> Response:
    """Appends an entry that restores an ancestor's state."""
    from sopor_server.service import branches as use_branches

    return _push(call, use_branches.revert)


def _push(call: Call, use: Callable[[Context, Caller, Push], None]) -> Response:
    project = call.id("project", ProjectId)
    match call.parts(_limit(call)):
        case [Part(PartKind.PUSH_ENTRY, entry), *packs]:
            if any(part.kind is not PartKind.PACK for part in packs):
                raise malformed("what follows the entry is not all packs")
            use(call.context, call.caller, Push(project, entry, [part.data for part in packs]))
        case _:
            raise malformed("the body does not begin with a push entry")
    return answers.empty(201)


def branches(call: Call) -> Response:
    """Answers the branches of a project."""
    from sopor_core.encoding import b64encode
    from sopor_core.wire import models
    from sopor_server.service import branches as use_branches

    call.query(())
    project = use_branches.branches(call.context, call.caller, call.id("project", ProjectId))
    return answers.model(
        models.Branches(
            seq=project.head.seq,
            branches=[
                models.BranchSummary(
                    branch=branch.b64,
                    head=value.head.id.b64,
                    label=b64encode(value.label),
                    epoch=value.epoch,
                )
                for branch, value in project.branches.items()
            ],
        )
    )


def pull(call: Call) -> Response:
    """Answers what is new, or 204."""
    from sopor_server.service import pull as use_pull

    query = call.query(("after", "hash", "members"))
    after = number(query.get("after", "0"))
    try:
        place = Citation(after, EntryHash.from_b64(query.get("hash", NO_ENTRY.b64)))
    except VerificationError:
        raise malformed("hash: not the hash of an entry") from None
    since = use_pull.Since(place, number(query.get("members", "0")))
    found = use_pull.pull(call.context, call.caller, call.id("project", ProjectId), since)
    if found is None:
        return answers.empty(204)
    control = answers.control(found.head, found.members, found.more)
    return answers.parts([control, *found.parts])


def _place(place: Citation) -> tuple[int, str]:
    return place.seq, place.hash.b64


def _limit(call: Call) -> int:
    return ENDPOINTS[call.route.operation].limit
