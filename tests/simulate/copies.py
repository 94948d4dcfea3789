"""A working copy in a simulation: its files, and what its store says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sopor.organization import Organization
from sopor.repository import Repository
from sopor_core.ids import Cid, CommitId
from tests.simulate.model import Fields, Known, State
from tests.support.world import Device, request, v4_export, workspace

FILE = "project.json"
_SHOWN = ("name", "url")


@dataclass(frozen=True)
class Merging:
    """A merge under way; ``base``, ``ours`` and ``theirs`` where its outcome is foreseen."""

    label: str
    theirs: CommitId | None
    sides: tuple[State, State, State] | None


@dataclass
class Copy:
    """One device's working copy, and what is expected of it."""

    number: int
    device: Device
    repository: Repository
    files: State
    """The requests that the working files must hold."""
    refs: Mapping[str, CommitId] = field(default_factory=dict)
    remotes: Mapping[str, CommitId] = field(default_factory=dict)
    branch: str = "main"
    merging: Merging | None = None
    _read: dict[Cid, Fields] = field(default_factory=dict)

    def look(self) -> None:
        """Remembers where the branches are."""
        refs = self.repository.context.store.refs
        self.refs, self.remotes, self.branch = refs.all(), refs.remotes(), refs.current

    @property
    def head(self) -> CommitId:
        """The commit of the current branch, when it was looked at."""
        return self.refs[self.branch]

    def close(self) -> None:
        """Closes the working copy."""
        self.repository.close()

    def reopen(self) -> None:
        """Opens the working copy as another process would."""
        self.repository.close()
        self.repository = self.device.open(self.repository.root.name)

    def team(self) -> Organization:
        """Returns the organization that the project is in."""
        org = self.repository.context.org
        assert org is not None
        return Organization(self.device.account(), org).refresh()

    def read(self) -> State:
        """Reads the working files."""
        export = json.loads((self.repository.root / FILE).read_bytes())
        found = {each["_id"]: each for each in export["resources"] if each["_type"] == "request"}
        return {name: {key: each[key] for key in _SHOWN} for name, each in found.items()}

    def write(self, state: State) -> None:
        """Writes the working files as an editor would, keeping what it does not change."""
        path = self.repository.root / FILE
        export = json.loads(path.read_bytes())
        left = dict(state)
        kept = []
        for each in export["resources"]:
            if each["_type"] == "request":
                if each["_id"] not in left:
                    continue
                each.update(left.pop(each["_id"]))
            kept.append(each)
        for name, fields in left.items():
            kept.append({**request(0), "_id": name, **fields})
        path.write_text(json.dumps({**export, "resources": kept}, indent=2))
        self.files = state

    def known(self, commit: CommitId) -> Known:
        """Reads a commit from the store."""
        store = self.repository.context.store
        found = store.commits.get(commit)
        state = {}
        for name, cid in store.commits.state(commit).items():
            if str(name).startswith("req_"):
                if cid not in self._read:
                    body = self.repository.context.load(cid).body
                    self._read[cid] = {key: str(body[key]) for key in _SHOWN}
                state[str(name)] = self._read[cid]
        return Known(tuple(found.parents), state, found.subject)


def first_files() -> dict[str, bytes]:
    """Returns the files that a story starts with."""
    return {FILE: v4_export(workspace(), *map(request, range(4)))}
