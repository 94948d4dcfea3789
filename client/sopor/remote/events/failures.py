"""Why a feed cannot go on as it did: for whom decides what to do instead."""

from __future__ import annotations

from sopor.errors import ServerRefused, ServerUnreachable


class NoStream(ServerRefused):
    """Says that something else than a stream came: a proxy or a login page stands in between."""


class Silence(ServerUnreachable):
    """Says that nothing came for longer than a server is ever silent."""


class Gap(Exception):
    """Says that something is missing before what a message brings."""
