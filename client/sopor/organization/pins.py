"""How far this device has verified the push logs of projects, whatever working copy did it.

Who removes a member signs where the push logs ended (a cut, SPEC section 8.2). The server tells
where that is; a device that has seen more, or something else, must not sign it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sopor.disk import exclusive, make_private_folder, read_private, write_private
from sopor.errors import DamagedStore
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import ForkError, RollbackError, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, ProjectId
from sopor_core.push_entry import Citation


class PushPins:
    """The newest verified entries of the push logs that one account of this device has seen."""

    def __init__(self, home: Path, account: AccountId) -> None:
        """Takes the folder of the keystore; creates nothing."""
        self._folder = home / "organizations" / account.hex()
        self._path = self._folder / "pushed.json"

    def note(self, project: ProjectId, pin: Citation) -> None:
        """Notes how far a working copy has verified a log; raises Busy, DiskFull, DamagedStore."""
        if self._is_known(self._read(), project, pin):
            return
        make_private_folder(self._folder)
        with exclusive(self._folder / "lock", "what this device verified of organizations"):
            known = self._read()
            if not self._is_known(known, project, pin):
                self._write({**known, project: pin})

    @staticmethod
    def _is_known(known: Mapping[ProjectId, Citation], project: ProjectId, pin: Citation) -> bool:
        return project in known and known[project].seq >= pin.seq

    def check(self, project: ProjectId, told: Citation) -> Citation:
        """Returns the end of a log as a server told it.

        Raises:
            RollbackError: this device has verified more entries.
            ForkError: it has verified another entry there.
        """
        known = self._read().get(project)
        if known is not None and told.seq < known.seq:
            raise RollbackError(
                f"the server shows {told.seq} pushes of project {project.short} where "
                f"{known.seq} were verified before",
                hint="nothing was changed; ask who runs the server: if a backup was restored, "
                "run `sopor repair` in the project first",
            )
        if known is not None and told.seq == known.seq and told != known:
            raise ForkError(
                f"the server shows another history of project {project.short} than was verified "
                "before",
                hint="nothing was changed; ask who runs the server",
            )
        return told

    def _read(self) -> dict[ProjectId, Citation]:
        data = read_private(self._path)
        if data is None:
            return {}
        try:
            fields = Fields(canonical.decode(data), "the verified pushes")
            fields.version()
            found = fields.mapping("pins")
            fields.end()
            return {
                ProjectId.from_b64(name): Citation.from_json(pin) for name, pin in found.items()
            }
        except VerificationError as error:
            raise DamagedStore(
                f"{self._path} does not read back ({error.detail})",
                hint="delete it; the next pull in each project writes it anew",
            ) from None

    def _write(self, pins: Mapping[ProjectId, Citation]) -> None:
        found: dict[str, Json] = {project.b64: pin.to_json() for project, pin in pins.items()}
        write_private(self._path, canonical.encode({"v": 1, "pins": found}), durable=False)
