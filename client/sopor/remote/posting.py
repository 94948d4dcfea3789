"""Sends log entries, and reads what a server answers that has others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, Protocol

from sopor.remote.answers import MAX_ANSWER_BYTES, HeadsMoved, LogMoved, parse_conflict
from sopor.remote.problems import error_of
from sopor.remote.transport import Call, Reply, Transport
from sopor_core.wire.parts import MEDIA_TYPE, Part, join_parts
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import Operation


class Caller(Protocol):
    """Makes requests in the name of an account; `sopor.remote.Remote` is one."""

    @property
    def transport(self) -> Transport:
        """The connection."""

    def call(self, call: Call) -> Reply:
        """Makes a request."""


def post_parts(
    caller: Caller,
    operation: Operation,
    names: Mapping[str, str],
    parts: list[Part],
    query: str = "",
) -> None:
    """Sends an entry with what belongs to it.

    Raises:
        LogMoved: the log moved before; holds what this side lacks.
        HeadsMoved: a push log that the entry cuts moved before.
    """
    call = Call(
        operation,
        names,
        query,
        body=join_parts(parts),
        media_type=MEDIA_TYPE,
        limit=MAX_ANSWER_BYTES,
        accept=(409,),
    )
    reply = caller.call(call)
    if reply.status == 409:
        _conflict(caller.transport, reply)


def _conflict(transport: Transport, reply: Reply) -> NoReturn:
    if reply.media_type != MEDIA_TYPE:
        if transport.problem(reply).code == Code.HEADS_MOVED:
            raise HeadsMoved.parse(reply.body)
        raise transport.error(reply)
    found = parse_conflict(reply.status, reply.body)
    if isinstance(found, LogMoved):
        raise found
    raise error_of(found, str(transport.address))
