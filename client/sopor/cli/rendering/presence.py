"""Who is present in a project, one device a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.times import short_time

if TYPE_CHECKING:
    from sopor.repository.presence import Present


def presence_lines(present: Sequence[Present]) -> Iterator[str]:
    """Yields login name, branch, since when, and the device."""
    logins = max((len(one_line(one.by)) for one in present), default=0)
    branches = max((len(one_line(one.branch)) for one in present), default=0)
    for one in present:
        star = "*" if one.here else " "
        branch = paint("branch", f"{one_line(one.branch):{branches}}")
        since = paint("dim", f"since {short_time(one.since.milliseconds)}, {one_line(one.name)}")
        yield f"{star} {one_line(one.by):{logins}}  {branch}  {since}"
