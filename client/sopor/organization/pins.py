"""How far this device has verified the push logs of projects, whatever working copy did it.

Who removes a member signs where the push logs ended (a cut, SPEC section 8.2). The server tells
where that is; a device that has seen more, or something else, must not sign it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sopor.organization.notes import Note, folder_of, locked
from sopor_core.canonical import Json
from sopor_core.errors import ForkError, RollbackError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, ProjectId
from sopor_core.push_entry import Citation


class PushPins:
    """The newest verified entries of the push logs that one account of this device has seen."""

    def __init__(self, home: Path, account: AccountId) -> None:
        """Takes the folder of the keystore; creates nothing."""
        self._folder = folder_of(home, account)
        self._note = Note(
            self._folder / "pushed.json",
            "pins",
            _parse,
            Citation.to_json,
            "delete it; the next pull in each project writes it anew",
        )

    def note(self, project: ProjectId, pin: Citation) -> None:
        """Notes how far a working copy has verified a log; raises Busy, DiskFull, DamagedStore."""
        if self._is_behind(project, pin):
            with locked(self._folder):
                if self._is_behind(project, pin):
                    self._note.put(project, pin, durable=False)

    def _is_behind(self, project: ProjectId, pin: Citation) -> bool:
        known = self._note.read().get(project)
        return known is None or known.seq < pin.seq

    def check(self, told: Mapping[ProjectId, Citation]) -> Mapping[ProjectId, Citation]:
        """Returns the ends of logs as a server told them.

        Raises:
            RollbackError: this device has verified more entries of one.
            ForkError: it has verified another entry there.
        """
        known = self._note.read()
        for project, end in told.items():
            if project in known:
                _compare(project, end, known[project])
        return told


def _compare(project: ProjectId, told: Citation, known: Citation) -> None:
    if told.seq < known.seq:
        raise RollbackError(
            f"the server shows {told.seq} pushes of project {project.short} where "
            f"{known.seq} were verified before",
            hint="nothing was changed; ask who runs the server: if a backup was restored, "
            "run `sopor repair` in the project first",
        )
    if told.seq == known.seq and told != known:
        raise ForkError(
            f"the server shows another history of project {project.short} than was verified before",
            hint="nothing was changed; ask who runs the server",
        )


def _parse(value: Json) -> dict[ProjectId, Citation]:
    fields = Fields(value, "the verified pushes")
    return {
        ProjectId.from_b64(name): Citation.from_json(fields.value(name)) for name in fields.names()
    }
