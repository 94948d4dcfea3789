"""Counts what the ports are asked for, in documents as Firestore bills them.

counting = CountingStore(store)
push(replace(context, store=counting.port), ...)
assert counting.reads <= 3
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any, cast

from sopor_server.ports.blobs import BlobStore
from sopor_server.ports.metadata import MetadataStore


@dataclass(frozen=True)
class _Cost:
    """Documents read and written by one call; ``pages`` reads one for each thing returned."""

    reads: int = 0
    writes: int = 0
    pages: bool = False


_METADATA = {
    "account": _Cost(1),
    "account_by_login": _Cost(2),
    "add_group": _Cost(writes=2),
    "append_membership": _Cost(writes=3),
    "append_push": _Cost(writes=3),
    "check": _Cost(1),
    "close": _Cost(),
    "clear_groups": _Cost(writes=1),
    "commits": _Cost(pages=True),
    "drop_expired": _Cost(),
    "create_account": _Cost(writes=5),
    "device": _Cost(1),
    "devices": _Cost(pages=True),
    "group_of": _Cost(1),
    "groups": _Cost(pages=True),
    "membership_entries": _Cost(pages=True),
    "organization": _Cost(1),
    "presences": _Cost(1),
    "project": _Cost(1),
    "projects": _Cost(pages=True),
    "push_entries": _Cost(pages=True),
    "put_device": _Cost(writes=1),
    "put_presence": _Cost(writes=1),
    "replace_credentials": _Cost(writes=1),
    "revoke_device": _Cost(writes=1),
    "stage_pack": _Cost(writes=1),
    "touch_device": _Cost(writes=1),
    "uncount_pack": _Cost(writes=1),
    "unlisted": _Cost(pages=True),
    "use_challenge": _Cost(writes=1),
}
_BLOBS = {
    "check": _Cost(1),
    "delete": _Cost(writes=1),
    "get": _Cost(1),
    "list": _Cost(1),
    "put": _Cost(writes=1),
    "size": _Cost(1),
}


class _Counting:
    def __init__(self, inner: object, costs: dict[str, _Cost]) -> None:
        self._inner = inner
        self._costs = costs
        self.reads = 0
        self.writes = 0
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call, cost = getattr(self._inner, name), self._costs[name]

        def counted(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            result = call(*arguments, **named)
            # A query that finds nothing is billed as one read.
            found = max(len(cast(Sized, result)), 1) if cost.pages else 0
            self.reads += cost.reads + found
            self.writes += cost.writes
            return result

        return counted


class CountingStore(_Counting):
    """Counts what a metadata store is asked for."""

    def __init__(self, inner: MetadataStore) -> None:
        super().__init__(inner, _METADATA)

    @property
    def port(self) -> MetadataStore:
        """This, as the port that it wraps."""
        return cast(MetadataStore, self)


class CountingBlobs(_Counting):
    """Counts what a blob store is asked for."""

    def __init__(self, inner: BlobStore) -> None:
        super().__init__(inner, _BLOBS)

    @property
    def port(self) -> BlobStore:
        """This, as the port that it wraps."""
        return cast(BlobStore, self)
