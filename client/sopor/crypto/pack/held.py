"""Keeps inflated frames of packs in memory, so that many objects of a frame cost one decryption."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from sopor_core.limits import MIB

ROOM = 32 * MIB
"""The most bytes that are kept; a single frame that is larger is kept alone."""


class HeldFrames:
    """The frames that were read last, of any packs; the salt of a pack stands for it."""

    def __init__(self, room: int = ROOM) -> None:
        """Takes how many bytes may be kept."""
        self._room = room
        self._size = 0
        self._frames: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()

    def get(self, salt: bytes, number: int, inflate: Callable[[], bytes]) -> bytes:
        """Returns a frame, which ``inflate`` gives if it is not kept."""
        key = salt, number
        content = self._frames.get(key)
        if content is not None:
            self._frames.move_to_end(key)
            return content
        content = inflate()
        # Inflating may have read, and so kept, this very frame's bases, but never the frame itself.
        self._frames[key] = content
        self._size += len(content)
        while self._size > self._room and len(self._frames) > 1:
            _, oldest = self._frames.popitem(last=False)
            self._size -= len(oldest)
        return content
