"""Our `dataclass` does what the standard library's does: both make the same classes here."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from inspect import signature
from typing import Any, ClassVar

import pytest

from sopor import records

Maker = Callable[..., Any]


def made_by(dataclass: Maker) -> dict[str, Any]:
    """Returns classes of all the kinds that there are."""

    @dataclass(frozen=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)
        secret: str = field(default="s", repr=False)
        ORIGIN: ClassVar[int] = 0

        @property
        def sum(self) -> int:
            return self.x + self.y

    @dataclass(frozen=True)
    class Lazy:
        x: int = 1

        @cached_property
        def double(self) -> int:
            return 2 * self.x

    @dataclass(slots=True)
    class Counter:
        count: int = 0
        seen: set[int] = field(default_factory=set, init=False)
        name: str = field(init=False)

        def __post_init__(self) -> None:
            self.name = f"counter {self.count}"

    @dataclass
    class Plain:
        x: int
        y: object = None

    @dataclass(frozen=True, slots=True)
    class Own:
        x: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "Own(...)"

    @dataclass(frozen=True, slots=True)
    class Empty:
        """Nothing."""

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        x: int

    @dataclass(frozen=True)
    class Child(Lazy):
        z: int = 3

    return {kind.__name__: kind for kind in locals().values() if isinstance(kind, type)}


OURS, THEIRS = made_by(records.dataclass), made_by(dataclasses.dataclass)
PLAIN: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Point", (1,), {}),
    ("Point", (1, 3), {"tags": ["a"], "secret": "t"}),
    ("Lazy", (), {}),
    ("Lazy", (4,), {}),
    ("Counter", (), {}),
    ("Counter", (3,), {}),
    ("Plain", (1,), {"y": [2]}),
    ("Own", (1,), {}),
    ("Empty", (), {}),
    ("Ordered", (1,), {}),
    ("Child", (), {"z": 5}),
]


@pytest.fixture(params=PLAIN, ids=lambda each: f"{each[0]}-{len(each[1])}")
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """An object of our making and one of theirs."""
    name, values, named = request.param
    return OURS[name](*values, **named), THEIRS[name](*values, **named)


def hash_of(value: object) -> int | None:
    try:
        return hash(value)
    except TypeError:
        return None


def test_objects_look_and_compare_alike(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    assert repr(ours) == repr(theirs)
    assert hash_of(ours) == hash_of(theirs)
    assert (ours == 1) == (theirs == 1)
    assert ours == copy.copy(ours)
    assert copy.deepcopy(ours) == ours
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert ours.__match_args__ == theirs.__match_args__
    assert list(signature(type(ours)).parameters) == list(signature(type(theirs)).parameters)
    assert hasattr(ours, "__dict__") == hasattr(theirs, "__dict__")
    assert dataclasses.replace(ours) == ours


def test_all_that_is_compared_counts() -> None:
    point = OURS["Point"]
    assert point(1) == point(1, tags=["other"])
    assert hash(point(1)) == hash(point(1, tags=["other"]))
    assert point(1) != point(2)
    assert point(1) != point(1, secret="t")
    assert point(1) != THEIRS["Point"](1)
    assert dataclasses.replace(point(1), y=5) == point(1, 5)
    assert point(1).tags is not point(1).tags
    assert [each.name for each in dataclasses.fields(point)] == ["x", "y", "tags", "secret"]


@pytest.mark.parametrize("name", ["Point", "Lazy", "Child", "Ordered", "Own"])
def test_what_is_frozen_stays(name: str) -> None:
    frozen = OURS[name](1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        frozen.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del frozen.x
    with pytest.raises((FrozenInstanceError, TypeError)):
        frozen.new = 2
    assert frozen.x == 1


def test_a_frozen_object_may_remember_and_a_subclass_may_add() -> None:
    assert OURS["Lazy"](4).double == 8

    lazy: Any = OURS["Lazy"]

    class Named(lazy):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(3)
            self.name = "n"

    named = Named()
    assert (named.x, named.name) == (3, "n")
    with pytest.raises(FrozenInstanceError):
        named.x = 4


def test_others_change_and_have_no_hash() -> None:
    counter = OURS["Counter"](1)
    counter.count = 5
    assert counter.count == 5
    assert counter.name == "counter 1"
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
    with pytest.raises(TypeError):
        OURS["Point"]()


@records.dataclass(frozen=True, slots=True)
class Kept:
    """Is pickled, which takes a class that a module knows."""

    x: int
    y: tuple[int, ...] = ()


def test_pickles_come_back() -> None:
    kept = Kept(1, (2, 3))
    assert pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301
