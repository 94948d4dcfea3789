"""Push: appends one signed entry to a project's log.

The order of work, which keeps the store whole at every moment:

1. cheap checks of shape, then who asks, and whether the entry landed already;
2. role, membership citation, place in the log, everything that `check_entry` sees;
3. packs and quota;
4. packs are stored, and only then
5. the entry is appended, which compares the heads of both logs once more.

A crash between 4 and 5 leaves a pack that no entry lists; housekeeping removes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import BranchId, PackId, ProjectId
from sopor_core.push_entry import BranchOp, Citation, PushEntry
from sopor_core.push_log import LogPosition, check_entry
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Behind, Refused, malformed
from sopor_server.ports.blobs import pack_key
from sopor_server.ports.errors import CommitDiffers, LogMoved, MembershipMoved
from sopor_server.ports.records import Branch, Organization, Project, PushAppend
from sopor_server.service import quota
from sopor_server.service.commits import KnownCommits
from sopor_server.service.context import Context
from sopor_server.service.groups import size_in_group
from sopor_server.service.membership import NewestState, check_writes, project_of_member
from sopor_server.service.pull import Since, news

_RECENT_COMMITS = 64
Rule = Callable[[PushEntry, KnownCommits], None]


@dataclass(frozen=True, slots=True)
class Push:
    """A request to append: the project in the path, the entry's bytes, packs that came along."""

    project: ProjectId
    entry: bytes
    packs: Sequence[bytes] = ()


def push(context: Context, caller: Caller, request: Push, rule: Rule | None = None) -> None:
    """Appends the entry, or returns because it landed before.

    ``rule`` is what `branches` and `revert` ask of an entry beyond `check_entry`.

    Raises:
        Refused: with any code that SPEC 10 names for a push; `Behind` where a log moved.
        VerificationError: the entry does not verify.
    """
    entry = PushEntry.parse(request.entry)
    bodies = _match_packs(entry, request.packs)
    _check_addressed(entry, caller, request.project)
    context.check_device(caller)
    project, org = project_of_member(context.store, caller, entry.project, commits=_RECENT_COMMITS)
    if entry.seq <= project.head.seq and _landed(context, entry):
        return
    _check_current(context, entry, project, org)
    commits = KnownCommits(context.store, project, entry)
    position = LogPosition(
        project.id,
        project.head,
        project.cited,
        lambda branch: project.branches[branch].head.id if branch in project.branches else None,
        commits.find,
    )
    check_entry(entry, position, NewestState(org))
    if rule is not None:
        rule(entry, commits)
    _check_put_packs(context, entry, bodies)
    quota.check(context, org, len(entry.encoded) + sum(map(len, bodies.values())))
    for pack, data in bodies.items():
        context.blobs.put(pack_key(project.id, pack), data)
    changes = _changes(entry, project, commits)
    _append(context, caller, entry, PushAppend(entry, org.id, changes, context.now()))


def _match_packs(entry: PushEntry, packs: Sequence[bytes]) -> dict[PackId, bytes]:
    bodies = {PackId(sha256(data).digest()): data for data in packs}
    if len(bodies) != len(packs):
        raise malformed("the body has the same pack twice")
    listed = {pack.id: pack.size for pack in entry.packs}
    for pack, data in bodies.items():
        if listed.get(pack) != len(data):
            raise Refused(
                Code.PACK_MISMATCH,
                f"a pack in the body (SHA-256 {pack.short}) is not listed with its size",
                hint="the body was changed on its way; send it again",
            )
    return bodies


def _check_addressed(entry: PushEntry, caller: Caller, project: ProjectId) -> None:
    if entry.project != project:
        raise VerificationError(Layer.CHAIN, "the entry belongs to another project")
    if entry.actor != caller.account:
        raise Refused(
            Code.FORBIDDEN, "the entry's actor is not the account that sends it", hint=None
        )


def _landed(context: Context, entry: PushEntry) -> bool:
    found = context.store.push_entries(entry.project, entry.seq - 1, 1, 1)
    return list(found) == [entry.encoded]


def _check_current(context: Context, entry: PushEntry, project: Project, org: Organization) -> None:
    check_writes(org, entry.actor, project.id)
    if Citation(entry.seq - 1, entry.prev) != project.head:
        raise _behind(context, Code.LOG_MOVED, entry, project, org)
    if entry.members != org.head:
        raise _behind(context, Code.MEMBERSHIP_MOVED, entry, project, org)


def _behind(
    context: Context, code: Code, entry: PushEntry, project: Project, org: Organization
) -> Refused:
    if entry.members.seq >= org.head.seq and entry.members != org.head:
        return Refused(
            Code.LOG_SHORTER if entry.members.seq > org.head.seq else Code.LOG_DIVERGED,
            "the entry cites a membership entry that this server does not have",
            hint="the server may have been restored from a backup; ask who runs it",
        )
    since = Since(Citation(entry.seq - 1, entry.prev), entry.members.seq)
    lacks = news(context, project, org, since)
    return Behind(
        code,
        "others pushed since your last pull"
        if code is Code.LOG_MOVED
        else "the membership changed since your last pull",
        head=lacks.head,
        members=lacks.members,
        lacks=lacks.parts,
        more=lacks.more,
    )


def _check_put_packs(context: Context, entry: PushEntry, bodies: dict[PackId, bytes]) -> None:
    for pack in entry.packs:
        if pack.id in bodies:
            continue
        size = context.blobs.size(pack_key(entry.project, pack.id))
        if size is None:
            size = size_in_group(context.store, entry.project, pack.id)
        if size is None:
            raise Refused(
                Code.PACK_MISSING,
                f"pack {pack.id.short} was neither sent along nor put before",
                hint="put the pack, then push again",
            )
        if size != pack.size:
            raise Refused(
                Code.PACK_MISMATCH,
                f"pack {pack.id.short} has {size} bytes, the entry says {pack.size}",
            )


def _changes(
    entry: PushEntry, project: Project, commits: KnownCommits
) -> dict[BranchId, Branch | None]:
    return {op.branch: _change(op, entry, project, commits) for op in entry.ops}


def _change(
    op: BranchOp, entry: PushEntry, project: Project, commits: KnownCommits
) -> Branch | None:
    if op.new is None:
        return None
    head = commits.listed.get(op.new) or commits.find(op.new)
    if head is None:
        raise VerificationError(Layer.OPS, "a branch points at an unknown commit")
    if op.label is not None:
        return Branch(head, op.label, entry.epoch)
    before = project.branches[op.branch]
    return Branch(head, before.label, before.epoch)


def _append(context: Context, caller: Caller, entry: PushEntry, append: PushAppend) -> None:
    try:
        context.store.append_push(append)
    except CommitDiffers as error:
        raise VerificationError(Layer.OPS, error.message) from None
    except (LogMoved, MembershipMoved):
        project, org = project_of_member(context.store, caller, entry.project)
        _check_current(context, entry, project, org)
        raise Refused(
            Code.UNAVAILABLE, "the store is busy", hint="try again", retry_after=1
        ) from None
