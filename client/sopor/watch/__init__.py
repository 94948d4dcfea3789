"""Keeps a working copy in step with its project while other programs work on its files.

plan.py        what to do next: a state machine without I/O
actions.py     does it: brings in, commits, pushes
files.py       notices that files were saved
following.py   notices what others push
announcing.py  tells the others where this device works
runner.py      the loop that connects them
units.py       has the system's service manager run it

with Repository.open("shop") as repository:
    Watch(repository, lambda: Repository.open("shop"), Options(auto=True)).run()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.watch.plan import Options
    from sopor.watch.reports import Report
    from sopor.watch.runner import Watch
else:
    __getattr__ = lazy_names(__name__, plan=["Options"], reports=["Report"], runner=["Watch"])

__all__ = ["Options", "Report", "Watch"]
