"""Reads the members of a foreign JSON object strictly: every member once, with its type.

Written by hand rather than with a validation library because the client reads entries in every
command and must not pay for importing one (SPEC section 8).
"""

from __future__ import annotations

from typing import NoReturn, TypeVar

from sopor_core.canonical import Json
from sopor_core.encoding import b64decode
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import Id
from sopor_core.limits import MAX_TIME

T = TypeVar("T", bound=Id)
_MISSING = object()


class Fields:
    """Takes the members of one object one by one; `end` refuses what nobody took.

    Every method raises VerificationError of the given layer, naming the object and the member.
    """

    def __init__(self, value: Json, what: str, layer: Layer = Layer.PARSE) -> None:
        self._what = what
        self._layer = layer
        if not isinstance(value, dict):
            self._refuse("is not an object")
        self._left: dict[str, Json] = dict(value)

    def _refuse(self, problem: str) -> NoReturn:
        raise VerificationError(self._layer, f"{self._what} {problem}")

    def has(self, name: str) -> bool:
        """Tells whether an optional member is there."""
        return name in self._left

    def names(self) -> list[str]:
        """Returns the names of the members that nobody took so far."""
        return list(self._left)

    def value(self, name: str) -> Json:
        """Takes a member of any type."""
        value = self._left.pop(name, _MISSING)
        if value is _MISSING:
            self._refuse(f"lacks {name!r}")
        return value  # type: ignore[return-value]

    def integer(self, name: str, low: int = 0, high: int = MAX_TIME) -> int:
        """Takes an integer within bounds."""
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._refuse(f"has a bad {name!r}")
        return value

    def text(self, name: str, max_bytes: int = 1024) -> str:
        """Takes a string of at most ``max_bytes`` in UTF-8."""
        value = self.value(name)
        if not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) > max_bytes:
            self._refuse(f"has a bad {name!r}")
        return value

    def boolean(self, name: str) -> bool:
        """Takes true or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            self._refuse(f"has a bad {name!r}")
        return value

    def data(self, name: str, size: int | None = None, max_size: int = 4096) -> bytes:
        """Takes bytes written as base64url, of an exact or a greatest size."""
        value = self.value(name)
        if not isinstance(value, str):
            self._refuse(f"has a bad {name!r}")
        data = b64decode(value)
        if len(data) > max_size if size is None else len(data) != size:
            self._refuse(f"has {name!r} of a wrong length")
        return data

    def id(self, name: str, kind: type[T]) -> T:
        """Takes an id."""
        value = self.value(name)
        if not isinstance(value, str):
            self._refuse(f"has a bad {name!r}")
        return kind.from_b64(value)

    def optional_id(self, name: str, kind: type[T]) -> T | None:
        """Takes an id or null."""
        if self._left.get(name, _MISSING) is None:
            del self._left[name]
            return None
        return self.id(name, kind)

    def items(self, name: str, low: int = 0, high: int = MAX_TIME) -> list[Json]:
        """Takes a list whose length is within bounds."""
        value = self.value(name)
        if not isinstance(value, list) or not low <= len(value) <= high:
            self._refuse(f"has a bad {name!r}")
        return value

    def ids(self, name: str, kind: type[T], low: int = 0, high: int = MAX_TIME) -> tuple[T, ...]:
        """Takes a list of different ids."""
        result = []
        for value in self.items(name, low, high):
            if not isinstance(value, str):
                self._refuse(f"has a bad {name!r}")
            result.append(kind.from_b64(value))
        if len(set(result)) != len(result):
            self._refuse(f"names something twice in {name!r}")
        return tuple(result)

    def mapping(self, name: str) -> dict[str, Json]:
        """Takes an object."""
        value = self.value(name)
        if not isinstance(value, dict):
            self._refuse(f"has a bad {name!r}")
        return value

    def id_map(self, name: str, kind: type[T], size: int) -> dict[T, bytes]:
        """Takes an object whose names are ids and whose values are bytes of one length."""
        inner = Fields(self.mapping(name), f"{name!r} of {self._what}", self._layer)
        return {kind.from_b64(key): inner.data(key, size) for key in inner.names()}

    def version(self, expected: int = 1) -> None:
        """Takes ``v`` and refuses a format that this version does not read."""
        found = self.integer("v")
        if found != expected:
            raise VerificationError(
                self._layer,
                f"{self._what} has format version {found}; this program reads {expected}",
                hint="upgrade sopor and try again",
            )

    def end(self) -> None:
        """Refuses members that nobody took."""
        if self._left:
            self._refuse(f"has an unknown member {min(self._left)!r}")
