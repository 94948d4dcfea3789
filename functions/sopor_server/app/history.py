"""Handlers of projects and logs: bytes and parts in, use cases, bytes and parts out."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from sopor_core.errors import VerificationError
from sopor_core.ids import NO_ENTRY, EntryHash, OrgId, ProjectId
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
                    project=project.id.b64,
                    organization=project.organization.b64,
                    seq=project.seq,
                    bytes=project.bytes,
                    updated=project.updated,
                )
                for project in use_projects.projects(call.context, call.caller)
            ]
        )
    )


def org_entries(call: Call) -> Response:
    """Answers the membership entries after one."""
    from sopor_server.service import organizations

    after = number(call.query(("after",)).get("after", "0"))
    found = organizations.entries(call.context, call.caller, call.id("org", OrgId), after)
    return answers.parts(Part(PartKind.MEMBERSHIP_ENTRY, entry) for entry in found)


def org_append(call: Call) -> Response:
    """Appends a membership entry."""
    from sopor_server.service import organizations

    org = call.id("org", OrgId)
    match call.parts(_limit(call)):
        case [Part(PartKind.MEMBERSHIP_ENTRY, entry)]:
            organizations.append(call.context, call.caller, org, entry)
        case _:
            raise malformed("the body is not one membership entry")
    return answers.empty(201)


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


def _limit(call: Call) -> int:
    return ENDPOINTS[call.route.operation].limit
