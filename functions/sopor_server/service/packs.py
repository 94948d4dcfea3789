"""Packs that travel by themselves: too large for a push, or asked for one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused, not_found
from sopor_server.logs import FIELDS
from sopor_server.ports.blobs import UploadAddress, pack_key, upload_key
from sopor_server.ports.errors import BlobMissing, StoreUnavailable
from sopor_server.ports.records import Organization
from sopor_server.service import quota
from sopor_server.service.context import Context
from sopor_server.service.groups import read_grouped, size_in_group
from sopor_server.service.membership import check_writes, project_of_member

T = TypeVar("T")
_log = logging.getLogger(__name__)


def put_pack(
    context: Context, caller: Caller, project: ProjectId, pack: PackId, data: bytes
) -> bool:
    """Stores a pack before an entry lists it; tells whether it was not there.

    Raises:
        Refused: ``device-revoked``, ``not-found``, ``forbidden``, ``project-archived``,
            ``pack-mismatch``, ``quota-exceeded``.
    """
    org = _organization_of_writer(context, caller, project)
    if not data or sha256(data).digest() != pack:
        raise Refused(
            Code.PACK_MISMATCH,
            "the bytes do not have the SHA-256 in the path",
            hint="the body was changed on its way; send it again",
        )
    key = pack_key(project, pack)
    if context.blobs.size(key) is None:
        quota.check(context, org, len(data))
    created = context.blobs.put(key, data)
    context.store.stage_pack(project, ListedPack(pack, len(data)), context.now())
    return created


def offer_pack(
    context: Context, caller: Caller, project: ProjectId, pack: ListedPack
) -> UploadAddress | None:
    """Returns where the caller may put a pack by itself; None if it is there already.

    Its bytes count from now on, so that nobody fills the storage with what is under way. A note of
    it is left for the housekeeping, which counts it no longer if it never comes.

    Raises:
        Refused: as `put_pack` does, and ``no-direct`` where packs come through this server only.
    """
    org = _organization_of_writer(context, caller, project)
    key = pack_key(project, pack.id)
    size = context.blobs.size(key)
    if size is not None:
        if size != pack.size:
            raise Refused(
                Code.PACK_MISMATCH,
                f"pack {pack.id.short} is there with {size} bytes, not with {pack.size}",
                hint="tell who runs the server: what is there does not belong there",
            )
        context.store.stage_pack(project, pack, context.now())
        return None
    note = upload_key(project, pack)
    if context.blobs.size(note) is None:
        quota.check(context, org, pack.size)
    address = _or_nothing(lambda: context.blobs.upload_address(key, pack.size, pack.id))
    if address is None:
        raise Refused(
            Code.NO_DIRECT, "packs come through this server only", hint="put the pack here"
        )
    context.blobs.put(note, b"")
    context.store.stage_pack(project, pack, context.now())
    return address


def find_pack(context: Context, caller: Caller, project: ProjectId, pack: PackId) -> int:
    """Returns the size of a pack of a project that the caller may read; raises Refused."""
    context.check_device(caller)
    project_of_member(context.store, caller, project)
    size = context.blobs.size(pack_key(project, pack))
    if size is None:
        size = size_in_group(context.store, project, pack)
    if size is None:
        raise not_found("pack")
    return size


def address_of(context: Context, project: ProjectId, pack: PackId) -> str | None:
    """Returns where a pack that `find_pack` found may be read for some minutes, or None."""
    return _or_nothing(lambda: context.blobs.download_address(pack_key(project, pack)))


def read_pack(context: Context, project: ProjectId, pack: PackId, start: int, end: int) -> bytes:
    """Returns a stretch of a pack that `find_pack` found; raises Refused."""
    try:
        return context.blobs.get(pack_key(project, pack), start, end)
    except BlobMissing:
        return _read_grouped(context, project, pack, start, end)


def _read_grouped(
    context: Context, project: ProjectId, pack: PackId, start: int, end: int
) -> bytes:
    try:
        return read_grouped(context.store, context.blobs, project, pack, start, end)
    except BlobMissing:
        raise not_found("pack") from None


def _organization_of_writer(context: Context, caller: Caller, project: ProjectId) -> Organization:
    context.check_device(caller)
    _, org = project_of_member(context.store, caller, project)
    check_writes(org, caller.account, project)
    return org


def _or_nothing(ask: Callable[[], T | None]) -> T | None:
    """Does without an address where nobody signs one: all packs can go through the server."""
    try:
        return ask()
    except StoreUnavailable as error:
        _log.error("no address of a pack was signed", extra={FIELDS: {"detail": error.message}})
        return None
