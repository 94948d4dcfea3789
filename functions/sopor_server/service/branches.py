"""The branches of a project, and entries that move them without new content."""

from __future__ import annotations

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import ProjectId
from sopor_core.push_entry import PushEntry
from sopor_server.auth import Caller
from sopor_server.ports.records import Project
from sopor_server.service.commits import KnownCommits
from sopor_server.service.context import Context
from sopor_server.service.membership import project_of_member
from sopor_server.service.push import Push, push


def branches(context: Context, caller: Caller, project: ProjectId) -> Project:
    """Returns the project with its branches; raises Refused."""
    context.check_device(caller)
    found, _ = project_of_member(context.store, caller, project)
    return found


def change_branches(context: Context, caller: Caller, request: Push) -> None:
    """Appends an entry without packs and without new commits; raises as `push` does."""
    push(context, caller, request, _only_branches)


def revert(context: Context, caller: Caller, request: Push) -> None:
    """Appends an entry with one commit, which restores an ancestor's state; as `push` does."""
    push(context, caller, request, _only_revert)


def _only_branches(entry: PushEntry, commits: KnownCommits) -> None:
    if entry.packs or commits.unknown():
        raise VerificationError(
            Layer.OPS, "the entry brings packs or commits", hint="send it to `push`"
        )


def _only_revert(entry: PushEntry, _: KnownCommits) -> None:
    if len(entry.commits) != 1 or entry.commits[0].same is None:
        raise VerificationError(
            Layer.OPS,
            "a revert has exactly one commit, which names the state that it restores",
            hint="send it to `push`",
        )
