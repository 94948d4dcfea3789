"""Pull: what a client lacks, in one answer (SPEC section 10).

The answer to a push that lost a race is made here as well, so that the loser goes on without
another request.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sopor_core.encoding import b64decode
from sopor_core.ids import EntryHash, PackId, ProjectId
from sopor_core.limits import MAX_INLINE_BYTES
from sopor_core.push_entry import Citation, ListedPack
from sopor_core.wire.events import Place
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.logs import FIELDS
from sopor_server.ports.errors import BlobMissing
from sopor_server.ports.records import Organization, Project
from sopor_server.service.context import Context
from sopor_server.service.groups import PackReader
from sopor_server.service.membership import project_of_member

BUDGET = MAX_INLINE_BYTES
_ENTRIES_A_READ = 256
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Since:
    """What a client has: a place in the push log, and a number in the membership log."""

    place: Citation
    members: int


@dataclass(frozen=True, slots=True)
class News:
    """What a client lacks up to the entries of ``reached``; ``more`` tells that more follows."""

    head: Citation
    members: Citation
    reached: Place
    more: bool
    parts: Sequence[Part]


def pull(context: Context, caller: Caller, project: ProjectId, since: Since) -> News | None:
    """Returns what is new, or None where nothing is. An answer of None costs two reads.

    The device is looked up only where the answer tells more than that nothing is new: a revoked
    device learns no more until its access token ends.

    Raises:
        Refused: ``not-found``, ``device-revoked``, ``log-shorter``, ``log-diverged``.
    """
    found, org = project_of_member(context.store, caller, project)
    if since == Since(found.head, org.head.seq):
        return None
    context.check_device(caller)
    return news(context, found, org, since)


def news(context: Context, project: Project, org: Organization, since: Since) -> News:
    """Returns what follows ``since``.

    Raises:
        Refused: ``log-shorter``, ``log-diverged``.
    """
    after = Place(since.place.seq, since.members)
    return following(context, project, org, after, budget=BUDGET, same=since.place.hash)


def following(
    context: Context,
    project: Project,
    org: Organization,
    after: Place,
    *,
    budget: int,
    same: EntryHash | None = None,
) -> News:
    """Returns what follows a place: about ``budget`` bytes, of one entry at least.

    With ``same``, the hash of the push entry at the place, another history is told from this one.

    Raises:
        Refused: ``log-shorter``, ``log-diverged``.
    """
    if after.push > project.head.seq or after.members > org.head.seq:
        raise Refused(
            Code.LOG_SHORTER,
            f"the server has {project.head.seq} entries of the push log and {org.head.seq} of the"
            f" membership log, the client has {after.push} and {after.members}",
            hint="the server may have been restored from a backup; ask who runs it",
        )
    membership = _membership(context, org, after.members, budget)
    left = budget - sum(map(len, membership))
    parts = [Part(PartKind.MEMBERSHIP_ENTRY, entry) for entry in membership]
    members = after.members + len(membership)
    if members < org.head.seq:
        reached = Place(after.push, members)
        return News(project.head, org.head, reached, more=True, parts=parts)
    pushed, seq = _pushed(context, project, after.push, _Budget(budget, left), same)
    more = seq < project.head.seq
    return News(project.head, org.head, Place(seq, members), more, [*parts, *pushed])


@dataclass(frozen=True, slots=True)
class _Budget:
    whole: int
    left: int


def _membership(context: Context, org: Organization, after: int, budget: int) -> Sequence[bytes]:
    if after == org.head.seq:
        return ()
    entries = context.store.membership_entries(org.id, after, budget)
    return entries[: org.head.seq - after]


def _pushed(
    context: Context, project: Project, after: int, budget: _Budget, same: EntryHash | None
) -> tuple[list[Part], int]:
    """Returns the entries with their packs as far as they fit, and the last one's number."""
    parts: list[Part] = []
    reader = PackReader(context.store, context.blobs, project)
    reached, left = after, budget.left
    if reached == project.head.seq:
        _check_same(same, project.head.hash, reached)
    for data in _entries(context, project, after, budget.whole):
        entry = json.loads(data)
        if reached == after:
            _check_same(same, EntryHash.from_b64(entry["prev"]), reached)
        packs = [ListedPack(PackId(b64decode(pack["id"])), pack["size"]) for pack in entry["packs"]]
        inline = sum(pack.size for pack in packs if pack.size <= budget.whole)
        if parts and len(data) + inline > left:
            break
        left -= len(data)
        parts.append(Part(PartKind.PUSH_ENTRY, data))
        reached += 1
        for part in _packs(reader, reached, packs, left):
            left -= len(part.data)
            parts.append(part)
    return parts, reached


def _entries(context: Context, project: Project, after: int, budget: int) -> Iterator[bytes]:
    while after < project.head.seq:
        limit = min(project.head.seq - after, _ENTRIES_A_READ)
        page = context.store.push_entries(project.id, after, limit, budget)
        yield from page
        after += len(page)


def _packs(reader: PackReader, seq: int, packs: Sequence[ListedPack], left: int) -> Iterator[Part]:
    for pack in packs:
        if pack.size > left:
            continue
        try:
            data = reader.read(seq, pack, left)
        except BlobMissing:
            # The client asks for it by itself and then names the pack that is lost.
            _log.error("a listed pack is missing", extra={FIELDS: {"pack": pack.id.hex()}})
            continue
        left -= pack.size
        yield Part(PartKind.PACK, data)


def _check_same(claimed: EntryHash | None, found: EntryHash, seq: int) -> None:
    if claimed is not None and claimed != found:
        raise Refused(
            Code.LOG_DIVERGED,
            f"entry {seq} of the push log is another one here",
            hint="do not push; compare with other members, and ask who runs the server",
        )
