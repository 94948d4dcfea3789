"""Merges values three ways without knowing what they are.

The rest of the package is built from these few functions. What to do about a conflict is a
callback, so this module decides nothing about documents, fields or text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from sopor.records import dataclass

K = TypeVar("K")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Absent(Enum):
    """Says that there is no value, where ``None`` is itself a value (JSON's null)."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return self.name


ABSENT: Final = Absent.ABSENT


class Side(StrEnum):
    """Names one of the three values that meet in a merge."""

    BASE = "base"
    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Value(Generic[T_co]):
    """Settles a conflict by a value of its own, which may be none of the three."""

    value: T_co


class Conflicting(Protocol[T_co]):
    """Anything that holds three values which did not merge."""

    @property
    def base(self) -> T_co:
        """The value that both sides started from."""

    @property
    def ours(self) -> T_co:
        """The value of the side that is merged into."""

    @property
    def theirs(self) -> T_co:
        """The value of the side that is merged."""


def merge3(
    base: T,
    ours: T,
    theirs: T,
    *,
    on_conflict: Callable[[T, T, T], T],
    same: Callable[[T, T], bool] = operator.eq,
) -> T:
    """Merges three values: a side that did not change yields to the one that did.

    Absence is a value like another one, so that adding and deleting need no case of their own.
    ``on_conflict(base, ours, theirs)`` is asked only when all three differ. Write ``m(b, o, t)``
    for the merge; these laws hold for every ``b``, ``x``, ``o`` and ``t``:

    - identity: ``m(b, b, x) = x`` and ``m(b, x, b) = x``
    - same change: ``m(b, x, x) = x``
    - symmetry: ``m(b, o, t) = m(b, t, o)``, if ``on_conflict`` treats both sides alike
    - idempotence: ``m(b, m(b, o, t), t) = m(b, o, t)``, unless there was a conflict
    """
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    return on_conflict(base, ours, theirs)


def merge_maps(
    base: Mapping[K, T],
    ours: Mapping[K, T],
    theirs: Mapping[K, T],
    *,
    on_conflict: Callable[[K, T | Absent, T | Absent, T | Absent], T | Absent],
    same: Callable[[T | Absent, T | Absent], bool] = operator.eq,
) -> dict[K, T]:
    """Merges maps key by key; keys come in the order of ours, then what theirs adds."""
    merged: dict[K, T] = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        value = merge3(
            base.get(key, ABSENT),
            ours.get(key, ABSENT),
            theirs.get(key, ABSENT),
            on_conflict=partial(on_conflict, key),
            same=same,
        )
        if value is not ABSENT:
            merged[key] = value
    return merged


def resolve(conflict: Conflicting[T], choice: Side | Value[T]) -> T:
    """Returns the value that settles the conflict."""
    if isinstance(choice, Value):
        return choice.value
    return {Side.BASE: conflict.base, Side.OURS: conflict.ours, Side.THEIRS: conflict.theirs}[
        choice
    ]
