"""Organizations, members, invites, projects and their logs, one a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import count
from sopor.cli.rendering.listings import size
from sopor.cli.rendering.times import short_time

if TYPE_CHECKING:
    from sopor.organization.results import (
        AuditEntry,
        Changed,
        InviteInfo,
        MemberInfo,
        OrganizationDetail,
        OrganizationInfo,
        PlanInfo,
        SafetyNumber,
        SharedProject,
    )


def organization_lines(organizations: Sequence[OrganizationInfo]) -> Iterator[str]:
    """Yields name, id, role and counts."""
    width = max((len(one_line(info.name)) for info in organizations), default=0)
    for info in organizations:
        holds = f"{count(info.members, 'member')}, {count(info.projects, 'project')}"
        name = f"{one_line(info.name):{width}}"
        yield f"{name}  {paint('hash', info.id.short)}  {info.role:6}  {paint('dim', holds)}"


def detail_lines(found: OrganizationDetail) -> Iterator[str]:
    """Yields everything about an organization."""
    info = found.organization
    yield f"{paint('title', one_line(info.name))}  {paint('hash', info.id.hex())}"
    yield f"{info.kind}, you are {info.role}, the log has {_entries(info.entries)}"
    if found.plan is not None:
        yield _plan(found.plan)
    yield ""
    yield "Members:"
    yield from (f"  {line}" for line in member_lines(found.members))
    if found.invites:
        yield "Open invites:"
        yield from (f"  {line}" for line in invite_lines(found.invites))
    if found.projects:
        yield "Projects:"
        yield from (f"  {line}" for line in project_lines(found.projects))
    if found.due:
        names = ", ".join(map(one_line, found.due))
        yield paint("warning", f"Waiting for a new key: {names}")


def _entries(number: int) -> str:
    return "1 signed entry" if number == 1 else f"{number:,} signed entries"


def _plan(plan: PlanInfo) -> str:
    limits = [
        count(plan.seats, "seat") if plan.seats else "any number of seats",
        count(plan.projects, "project") if plan.projects else "any number of projects",
        size(plan.storage) if plan.storage else "any storage",
    ]
    until = f", until {plan.expires.iso[:10]}" if plan.expires else ""
    return f"plan {one_line(plan.plan)}: {', '.join(limits)}{until}"


def member_lines(members: Sequence[MemberInfo]) -> Iterator[str]:
    """Yields login, id and roles; who is asked for has a star, compared keys have a tick."""
    width = max((len(one_line(member.login)) for member in members), default=0)
    for member in members:
        mark = "*" if member.you else "✓" if member.verified else " "
        roles = member.role
        if member.projects:
            other = (f"{role} in {one_line(name)}" for name, role in member.projects.items())
            roles += f" ({', '.join(other)})"
        login = f"{one_line(member.login):{width}}"
        yield f"{mark} {login}  {paint('hash', member.account.short)}  {roles}"


def invite_lines(invites: Sequence[InviteInfo]) -> Iterator[str]:
    """Yields id, role, inviter and end of open invites."""
    for invite in invites:
        end = short_time(invite.expires.milliseconds)
        when = paint("warning", f"expired {end}") if invite.expired else f"until {end}"
        by = paint("dim", f"by {one_line(invite.inviter)}, {when}")
        yield f"{paint('hash', invite.id.short)}  {invite.role:6}  {by}"


def project_lines(projects: Sequence[SharedProject]) -> Iterator[str]:
    """Yields name, id, role and status of projects."""
    width = max((len(one_line(project.name)) for project in projects), default=0)
    for project in projects:
        status = "" if project.status == "active" else f"  {paint('warning', project.status)}"
        about = paint("dim", f"key {project.epoch}")
        name = f"{one_line(project.name):{width}}"
        yield f"{name}  {paint('hash', project.id.short)}  {project.role:6}  {about}{status}"


def changed_lines(changed: Changed) -> Iterator[str]:
    """Yields what was done."""
    text = one_line(changed.text)
    tell = changed.epochs and "new keys" not in text
    made = f", with {count(changed.epochs, 'new key')}" if tell else ""
    yield f"{text[0].upper()}{text[1:]}{made}"


def safety_lines(found: SafetyNumber) -> Iterator[str]:
    """Yields the safety number in rows of four groups."""
    yield f"Safety number with {paint('title', one_line(found.login))}:"
    groups = found.number.split()
    for at in range(0, len(groups), 4):
        yield f"    {' '.join(groups[at : at + 4])}"
    yield (
        "Compared on this device"
        if found.verified
        else ("Not compared yet: if they see the same, run this again with --confirm")
    )


def audit_lines(entries: Sequence[AuditEntry]) -> Iterator[str]:
    """Yields the entries of a log: number, time, who, what, and the start of the hash."""
    width = max((len(str(entry.seq)) for entry in entries), default=0)
    for entry in entries:
        when = paint("dim", short_time(entry.time.milliseconds))
        text = f"{one_line(entry.actor)} {one_line(entry.text)}"
        yield f"{entry.seq:{width}}  {when}  {text}  {paint('hash', entry.hash[:10])}"
