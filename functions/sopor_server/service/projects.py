"""The projects that an account may read."""

from __future__ import annotations

from collections.abc import Sequence

from sopor_server.auth import Caller
from sopor_server.ports.records import ProjectSummary
from sopor_server.service.context import Context


def projects(context: Context, caller: Caller) -> Sequence[ProjectSummary]:
    """Returns the projects of the caller's organizations; raises Refused."""
    context.check_device(caller)
    return context.store.projects(caller.account)
