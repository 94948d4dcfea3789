"""Handlers of single packs: create-only upload and ranged download (RFC 9110, section 14)."""

from __future__ import annotations

import re

from werkzeug.wrappers import Response

from sopor_core.ids import PackId, ProjectId
from sopor_core.limits import MAX_PACK_BYTES, MAX_SERVED_BYTES
from sopor_core.push_entry import ListedPack
from sopor_core.wire.problems import Code
from sopor_server.app import answers
from sopor_server.app.call import Call
from sopor_server.app.endpoints import ENDPOINTS
from sopor_server.errors import Refused
from sopor_server.service import packs

_ONE_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


def pack_put(call: Call) -> Response:
    """Stores a pack."""
    project, pack = call.id("project", ProjectId), call.id("pack", PackId)
    created = packs.put_pack(call.context, call.caller, project, pack, call.body(MAX_PACK_BYTES))
    return answers.empty(201 if created else 200)


def pack_address(call: Call) -> Response:
    """Answers where the client may put a pack by itself, 204 if it is there."""
    from sopor_core.wire.models import PackAddress, PackOffer

    project, pack = call.id("project", ProjectId), call.id("pack", PackId)
    offer = call.json(PackOffer, ENDPOINTS[call.route.operation].limit)
    listed = ListedPack(pack, offer.size)
    address = packs.offer_pack(call.context, call.caller, project, listed)
    if address is None:
        return answers.empty(204)
    response = answers.model(
        PackAddress(
            url=address.url,
            method=address.method,
            headers=dict(address.headers),
            expires=address.expires,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def pack_get(call: Call) -> Response:
    """Answers a pack, or the one range of it that is asked for, or where the storage has it."""
    call.query(())
    project, pack = call.id("project", ProjectId), call.id("pack", PackId)
    size = packs.find_pack(call.context, call.caller, project, pack)
    wanted = _range(call.request.headers.get("Range", ""), size)
    start, end = wanted or (0, size)
    if end - start > MAX_SERVED_BYTES:
        address = packs.address_of(call.context, project, pack)
        if address is not None:
            return answers.elsewhere(address)
    response = answers.data(
        packs.read_pack(call.context, project, pack, start, end), 206 if wanted else 200
    )
    response.headers["Accept-Ranges"] = "bytes"
    if wanted:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Returns start and end of the one range, or None for the whole (also for odd headers)."""
    found = _ONE_RANGE.fullmatch(header)
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise Refused(
            Code.RANGE_NOT_SATISFIABLE,
            f"the pack has {size} bytes",
            hint="ask for a range inside it",
            size=size,
        )
    return start, end
