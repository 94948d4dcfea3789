"""Carries edits that are not committed over to another commit: a three-way merge into the files.

The base is the last commit, ours is what stands in the files, theirs is the commit that comes. It
is the merge that commits get, so documents merge field by field and stay a tree. Afterwards the
files hold both, and what was edited is still a change that is not committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from sopor.errors import EditsInTheWay
from sopor.formats.record import is_record, record_path
from sopor.formats.trees import is_tree
from sopor.merge.documents import Conflict
from sopor.merge.paths import format_path
from sopor.model.document import Document, DocumentId
from sopor.model.state import Delta, State
from sopor.records import dataclass
from sopor.repository.describing import document_name, documents_are
from sopor.repository.settling import settle_records
from sopor.repository.sides import Sides, documents_of
from sopor_core.ids import Cid

if TYPE_CHECKING:
    from sopor.worktree import Scan

Load: TypeAlias = Callable[[Cid], Document]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Carried:
    """What to write so that the files hold another commit and the edits.

    Attributes:
        documents: documents to write, and None for those to drop; those in conflict are left out.
        conflicts: what both changed differently.
        kept: the edited documents that the other commit changes as well.
        places: where documents of the other commit belong that the edits leave in no file.
    """

    documents: Mapping[DocumentId, Document | None]
    conflicts: tuple[Conflict, ...]
    kept: tuple[DocumentId, ...]
    places: Mapping[DocumentId, str]


def carry_edits(scan: Scan, before: State, after: State, load: Load) -> Carried:
    """Merges the edits that a scan found with the way from one commit to another.

    Repeated on files that hold a part of its result already, it leads to the same end.

    Args:
        scan: what the files have that ``before`` has not.
        before: the state that the files are based on.
        after: the state that comes.
        load: returns the documents of both states.
    """
    delta = before.difference(after)
    edited = {cid: scan.changes[key] for key, cid in scan.cids.items()}

    def load_any(cid: Cid) -> Document:
        return edited.get(cid) or load(cid)

    working = before.apply({key: scan.cids.get(key) for key in scan.changes})
    sides = Sides(before, working, after)
    merged = sides.merge(load_any)
    documents = documents_of(load_any, merged, with_conflicts=False)
    documents = settle_records(load_any, sides, documents, merged.mends)
    kept = tuple(sorted(key for key in scan.changes if key in delta))
    places = _places_of_dropped(delta, documents, working, load)
    return Carried(documents, merged.conflicts, kept, places)


def _places_of_dropped(
    delta: Delta, documents: Mapping[DocumentId, Document | None], working: State, load: Load
) -> dict[DocumentId, str]:
    """Returns the places of records that the files have no use for, as the edits emptied theirs."""
    places = {}
    for key, cid in delta.items():
        here = documents[key] is not None if key in documents else key in working
        if cid is not None and not here:
            record = load(cid)
            if is_record(record):
                places[key] = f"{record_path(record)}/" if is_tree(record) else record_path(record)
    return places


def refuse_conflicts(conflicts: Iterable[Conflict], load: Load, scan: Scan) -> None:
    """Raises EditsInTheWay, with documents and fields, if there are conflicts."""
    found = list(conflicts)
    if not found:
        return
    shown = "; ".join(_describe(conflict, load, scan) for conflict in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise EditsInTheWay(
        f"{documents_are(len(found))} edited here and changed in what comes, in the same places: "
        f"{shown}{more}",
        hint="commit the edits and pull again, which lets you settle the conflicts with "
        "`sopor resolve`; or discard them with `sopor restore`",
        documents=tuple(conflict.document_id for conflict in found),
    )


def _describe(conflict: Conflict, load: Load, scan: Scan) -> str:
    key = conflict.document_id
    document = scan.changes.get(key)
    if document is None:
        cid = conflict.theirs or conflict.base
        document = load(cid) if cid else None
    inside = conflict.inside.conflicts if conflict.inside else ()
    fields = ", ".join(format_path(item.path) for item in inside if item.path)
    name = document_name(document) if document else key
    return f"{name} ({key}){f': {fields}' if fields else ''}"
