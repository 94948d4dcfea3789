"""Packs that travel by themselves: too large for a push, or asked for one by one."""

from __future__ import annotations

from hashlib import sha256

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused, not_found
from sopor_server.ports.blobs import pack_key
from sopor_server.ports.errors import BlobMissing
from sopor_server.service import quota
from sopor_server.service.context import Context
from sopor_server.service.membership import project_of_member


def put_pack(
    context: Context, caller: Caller, project: ProjectId, pack: PackId, data: bytes
) -> bool:
    """Stores a pack before an entry lists it; tells whether it was not there.

    Raises:
        Refused: ``device-revoked``, ``not-found``, ``forbidden``, ``pack-mismatch``,
            ``quota-exceeded``.
    """
    context.check_device(caller)
    _, org = project_of_member(context.store, caller, project)
    role = org.members[caller.account].role
    if not role.may_write:
        raise Refused(
            Code.FORBIDDEN,
            f"the role {role} may not put packs",
            hint="ask an owner or admin of the organization for the role editor",
        )
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


def find_pack(context: Context, caller: Caller, project: ProjectId, pack: PackId) -> int:
    """Returns the size of a pack of a project that the caller may read; raises Refused."""
    context.check_device(caller)
    project_of_member(context.store, caller, project)
    size = context.blobs.size(pack_key(project, pack))
    if size is None:
        raise not_found("pack")
    return size


def read_pack(context: Context, project: ProjectId, pack: PackId, start: int, end: int) -> bytes:
    """Returns a stretch of a pack that `find_pack` found; raises Refused."""
    try:
        return context.blobs.get(pack_key(project, pack), start, end)
    except BlobMissing:
        raise not_found("pack") from None
