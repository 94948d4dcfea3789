"""The signals port: says that something may have changed, without being asked again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class TopicKind(StrEnum):
    """What can be followed."""

    PROJECT = "project"
    ORGANIZATION = "organization"
    DEVICE = "device"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to follow, by the bytes of its id; the presence of a project by the project's."""

    kind: TopicKind
    id: bytes


Wake = Callable[[Topic], None]
"""Is told that a topic may have changed. Called in a thread of the adapter; must not block."""


class Signals(Protocol):
    """Follows topics for one listener in this process, whoever fans out to many.

    A signal is a hint and carries nothing: who gets one reads the store. It may come without a
    change and once for many changes. But a change that is committed after `follow` has returned is
    never left out: what cannot be followed for a while is signalled when it can be again.
    """

    def follow(self, topic: Topic) -> None:
        """Begins to signal a topic; again it does nothing. Does no I/O that blocks for long."""

    def unfollow(self, topic: Topic) -> None:
        """Ends it; signals under way may still come. Again, it does nothing."""

    def close(self) -> None:
        """Ends everything; returns when no further signal comes."""
