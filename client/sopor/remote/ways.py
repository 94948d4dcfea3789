"""Chooses between two ways to a server: the standard library's HTTP, or `requests` behind proxies.

A push or a pull takes less time than importing `requests`, so that is left to who needs it
(ADR 23).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sopor.remote.address import ServerAddress
    from sopor.remote.channels import Channel
    from sopor.remote.exchange import Timeouts

_PROXIES = "_proxy"
_NO_PROXIES = "no_proxy"


def channel_to(address: ServerAddress, timeouts: Timeouts) -> Channel:
    """Returns the faster of the ways that lead to a server."""
    if address.url.isascii() and (address.loopback or not _may_have_proxy()):
        from sopor.remote.plain import PlainChannel

        return PlainChannel(address, timeouts)
    from sopor.remote.connection import SessionChannel

    return SessionChannel(address, timeouts)


def _may_have_proxy() -> bool:
    if sys.platform in {"darwin", "win32"}:
        from urllib.request import getproxies

        return bool(getproxies())  # the system's settings name some as well
    names = {name.lower() for name, value in os.environ.items() if value}
    return any(name.endswith(_PROXIES) and name != _NO_PROXIES for name in names)
