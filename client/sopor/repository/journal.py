"""What a command is doing to the working files, kept so that the next one can end it.

A switch, a fast-forward, a merge or a revert writes files and then moves a branch. It says so here
before the first file; `sopor.repository.interrupted` ends what was killed in between.
"""

from __future__ import annotations

import json

from sopor.records import dataclass
from sopor.store import Store
from sopor_core.errors import VerificationError
from sopor_core.ids import CommitId

_SETTING = "moving"


@dataclass(frozen=True, slots=True)
class Move:
    """The working files are on their way to a commit, which ``branch`` will then be at."""

    branch: str
    target: CommitId


def read_move(store: Store) -> Move | None:
    """Returns the move under way, or None; one that does not read back is none."""
    text = store.settings.get(_SETTING)
    if text is None:
        return None
    try:
        value = json.loads(text)
        return Move(str(value["branch"]), CommitId.from_hex(value["target"]))
    except (ValueError, KeyError, TypeError, VerificationError):
        return None


def write_move(store: Store, move: Move | None) -> None:
    """Keeps a move, or forgets it."""
    text = json.dumps({"branch": move.branch, "target": move.target.hex()}) if move else None
    store.settings.set(_SETTING, text)


def arrive(store: Store, move: Move) -> None:
    """Puts the branch where the move leads, and forgets the move; belongs into a transaction."""
    store.refs.set(move.branch, move.target)
    if store.refs.current != move.branch:
        store.refs.switch(move.branch)
    write_move(store, None)
