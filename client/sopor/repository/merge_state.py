"""A merge that waits for its conflicts: kept in the store until it is committed or given up.

Only content ids and choices are kept; what is inside the documents is merged again when it is
looked at, which gives the same result each time.
"""

from __future__ import annotations

import json
from dataclasses import replace

from sopor.errors import DamagedStore, StateConflict
from sopor.model.document import DocumentId
from sopor.records import dataclass
from sopor.store import Store
from sopor_core.errors import VerificationError
from sopor_core.ids import Cid, CommitId

_SETTING = "merge"


@dataclass(frozen=True, slots=True)
class KeptConflict:
    """A document in conflict; ``settled`` are the places inside it that were decided."""

    id: DocumentId
    base: Cid | None
    ours: Cid | None
    theirs: Cid | None
    settled: tuple[tuple[str, str], ...] = ()
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class MergeState:
    """The merge under way: what is merged in, and which documents are in conflict.

    ``theirs`` becomes the second parent; None while one commit is undone, which has one parent.
    ``undone`` is that commit. ``writing`` is true until the files hold what merged, ``given_up``
    while they are brought back: no way leads to a commit any more.
    """

    theirs: CommitId | None
    label: str
    message: str
    conflicts: tuple[KeptConflict, ...]
    given_up: bool = False
    undone: CommitId | None = None
    writing: bool = False

    def update(self, conflict: KeptConflict) -> MergeState:
        """Returns the state with one conflict replaced."""
        kept = tuple(conflict if old.id == conflict.id else old for old in self.conflicts)
        return replace(self, conflicts=kept)


def has_merge(store: Store) -> bool:
    """Tells whether a merge is under way, also where it does not read back."""
    return store.settings.get(_SETTING) is not None


def read_merge(store: Store) -> MergeState | None:
    """Returns the merge under way, or None; raises DamagedStore."""
    text = store.settings.get(_SETTING)
    if text is None:
        return None
    try:
        value = json.loads(text)
        return MergeState(
            CommitId.from_hex(value["theirs"]) if value["theirs"] else None,
            str(value["label"]),
            str(value["message"]),
            tuple(_conflict(item) for item in value["conflicts"]),
            value.get("given_up") is True,
            CommitId.from_hex(value["undone"]) if value.get("undone") else None,
            value.get("writing") is True,
        )
    except (ValueError, KeyError, TypeError, VerificationError) as error:
        raise DamagedStore(
            f"the merge under way does not read back ({type(error).__name__})",
            hint="give it up with `sopor merge --abort`",
        ) from None


def _conflict(value: dict[str, object]) -> KeptConflict:
    def cid(name: str) -> Cid | None:
        text = value[name]
        return None if text is None else Cid.from_hex(str(text))

    settled = value["settled"]
    if not isinstance(settled, dict):
        raise TypeError
    return KeptConflict(
        DocumentId(str(value["id"])),
        cid("base"),
        cid("ours"),
        cid("theirs"),
        tuple((str(path), str(side)) for path, side in settled.items()),
        value["resolved"] is True,
    )


def refuse_during_merge(store: Store) -> None:
    """Raises StateConflict while a merge waits for its commit."""
    if read_merge(store) is not None:
        raise StateConflict(
            "a merge is under way",
            hint="finish it with `sopor resolve` and `sopor commit`, "
            "or give it up with `sopor merge --abort`",
        )


def refuse_given_up(merge: MergeState) -> None:
    """Raises StateConflict if the merge was being given up when that was interrupted."""
    if merge.given_up:
        raise StateConflict(
            "the merge was being given up, and that was interrupted",
            hint="run `sopor merge --abort` again",
        )


def write_merge(store: Store, merge: MergeState | None) -> None:
    """Keeps a merge, or forgets it."""
    if merge is None:
        store.settings.set(_SETTING, None)
        return
    store.settings.set(
        _SETTING,
        json.dumps(
            {
                "theirs": merge.theirs.hex() if merge.theirs else None,
                "label": merge.label,
                "message": merge.message,
                "given_up": merge.given_up,
                "undone": merge.undone.hex() if merge.undone else None,
                "writing": merge.writing,
                "conflicts": [
                    {
                        "id": conflict.id,
                        "base": conflict.base.hex() if conflict.base else None,
                        "ours": conflict.ours.hex() if conflict.ours else None,
                        "theirs": conflict.theirs.hex() if conflict.theirs else None,
                        "settled": dict(conflict.settled),
                        "resolved": conflict.resolved,
                    }
                    for conflict in merge.conflicts
                ],
            }
        ),
    )
