"""Keeps the file records of a merge true to what lies in its files.

A record follows from the documents of its file, and both sides may be right about theirs while
their merge is about neither. Committed like that, it would show as an edit at the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from sopor.formats.assign import settle
from sopor.formats.record import is_record, record_extras, record_path, record_roots
from sopor.merge.structure import Mend
from sopor.model.document import RECORD_TYPE, Document, DocumentId
from sopor.repository.sides import Sides
from sopor_core.ids import Cid


def settle_records(
    load: Callable[[Cid], Document],
    sides: Sides,
    changes: Mapping[DocumentId, Document | None],
    mends: Iterable[Mend],
) -> dict[DocumentId, Document | None]:
    """Returns the changes of a merge with records as the files will have them.

    It opens all documents, so it does that only if records or deletions met on both sides.

    Args:
        load: returns a document by its content id.
        sides: what was merged.
        changes: what the merge makes of ours; None drops a document.
        mends: what it took to keep the tree of documents whole.
    """
    if not any(mends) and not _records_met(sides):
        return dict(changes)
    merged = {key: load(cid) for key, cid in sides.ours.items() if key not in changes} | {
        key: document for key, document in changes.items() if document is not None
    }
    revived = _dropped_records(load, sides, merged)
    settled = {item.id: item for item in settle([*merged.values(), *revived])}
    result: dict[DocumentId, Document | None] = {
        **changes,
        **{key: item for key, item in settled.items() if item != merged.get(key)},
        **dict.fromkeys(merged.keys() - settled.keys()),
    }
    return {key: item for key, item in result.items() if item is not None or key in sides.ours}


def _records_met(sides: Sides) -> bool:
    by_ours, by_theirs = sides.base.difference(sides.ours), sides.base.difference(sides.theirs)
    records = [key for key in (*by_ours, *by_theirs) if key.startswith(RECORD_TYPE)]
    return bool(records and by_ours and by_theirs)


def _dropped_records(
    load: Callable[[Cid], Document], sides: Sides, merged: Mapping[DocumentId, Document]
) -> Iterator[Document]:
    """Yields records of files that were deleted, while documents that they claim are kept."""
    claimed = {claim for item in merged.values() if is_record(item) for claim in _claims(item)}
    found: dict[DocumentId, Document] = {}
    for state in (sides.ours, sides.theirs):
        for key, cid in state.items():
            if key.startswith(RECORD_TYPE) and key not in merged:
                found.setdefault(key, load(cid))
    for record in sorted(filter(is_record, found.values()), key=record_path):
        claims = _claims(record)
        if (claims & merged.keys()) - claimed:
            claimed |= claims
            yield record


def _claims(record: Document) -> set[DocumentId]:
    return {*record_roots(record), *record_extras(record)}
