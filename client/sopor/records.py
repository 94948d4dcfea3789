"""`dataclass` as the standard library has it, for a fraction of what defining a class costs.

The standard library writes and compiles the source of each method of each class: half a millisecond
a class, which was half of the time of a command that defines a hundred and uses ten. Here only
``__init__`` is compiled; the other methods are closures over the names of the fields. What is rare
(inheritance among data classes, ``order``, fields by keyword only) is left to the original. Type
checkers see the original anyway, and `dataclasses.replace`, `fields` and `asdict` work as ever.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        order: bool = False,
    ) -> object:
        """Makes a data class of a class, see `dataclasses.dataclass`."""

        def make(cls: type) -> type:
            if order or _is_rare(cls):
                return dataclasses.dataclass(frozen=frozen, slots=slots, order=order)(cls)
            return _make(cls, frozen=frozen, slots=slots)

        return make if cls is None else make(cls)


__all__ = ["dataclass"]


def _is_rare(cls: type) -> bool:
    return (
        issubclass(cls, BaseException)
        or any(dataclasses.is_dataclass(base) for base in cls.__mro__[1:])
        or any("InitVar" in str(kind) for kind in inspect.get_annotations(cls).values())
        or any(getattr(value, "kw_only", None) is True for value in cls.__dict__.values())
    )


def _make(cls: type, *, frozen: bool, slots: bool) -> type:
    own = dict(cls.__dict__)
    if not cls.__doc__:
        cls.__doc__ = cls.__name__  # the original would look for the signature of `__init__`
    made: type = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    fields = dataclasses.fields(made)
    methods: dict[str, Any] = {
        "__init__": _initializer(made, fields),
        "__repr__": _shower([each.name for each in fields if each.repr]),
    }
    values = _values_of(each.name for each in fields if each.compare)
    methods["__eq__"] = _comparer(values)
    for name, method in methods.items():
        if name not in own:
            method.__qualname__ = f"{made.__qualname__}.{name}"
            _put(made, name, method)
    if own.get("__hash__") is None and frozen:
        hashed = _values_of(
            each.name for each in fields if (each.compare if each.hash is None else each.hash)
        )
        _put(made, "__hash__", lambda self: hash(hashed(self)))
    elif "__hash__" not in own:
        _put(made, "__hash__", None)
    if frozen:
        _freeze(made, frozenset(each.name for each in fields))
        if slots:
            _make_copyable(made, [each.name for each in fields])
    params: Any = vars(made)["__dataclass_params__"]
    params.init = params.repr = params.eq = True
    params.frozen = frozen
    return made


def _initializer(cls: type, fields: Iterable[dataclasses.Field[Any]]) -> Callable[..., None]:
    given: dict[str, Any] = {"_put": object.__setattr__, "_missing": dataclasses.MISSING}
    parameters, lines = ["self"], []
    for each in fields:
        name, value = each.name, each.name
        default = f"_default_{name}"
        if each.default_factory is not dataclasses.MISSING:
            given[default] = each.default_factory
            value = (
                f"{default}() if {name} is _missing else {name}" if each.init else f"{default}()"
            )
            parameter = f"{name}=_missing"
        elif each.default is not dataclasses.MISSING:
            given[default] = each.default
            value = name if each.init else default
            parameter = f"{name}={default}"
        else:
            parameter = name
        if each.init:
            parameters.append(parameter)
        if each.init or default in given:
            lines.append(f"  _put(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("  self.__post_init__()")
    source = (
        f"def _create({', '.join(given)}):\n def __init__({', '.join(parameters)}):\n"
        + "\n".join(lines or ["  pass"])
        + "\n return __init__"
    )
    found: dict[str, Any] = {}
    exec(source, vars(sys.modules[cls.__module__]), found)  # noqa: S102 (names of fields alone)
    made: Callable[..., None] = found["_create"](**given)
    made.__annotations__ = {each.name: each.type for each in fields if each.init} | {"return": None}
    return made


def _values_of(names: Iterable[str]) -> Callable[[object], tuple[object, ...]]:
    wanted = tuple(names)
    if len(wanted) > 1:
        return attrgetter(*wanted)
    return lambda record: tuple(getattr(record, name) for name in wanted)


def _shower(names: Iterable[str]) -> Callable[[object], str]:
    shown = tuple(names)

    def __repr__(self: object) -> str:  # noqa: N807
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    return __repr__


def _comparer(values: Callable[[object], object]) -> Callable[[object, object], bool]:
    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        if other.__class__ is self.__class__:
            return values(self) == values(other)
        return NotImplemented

    return __eq__


def _freeze(cls: type, names: frozenset[str]) -> None:
    above: Any = cls.__mro__[1]  # for classes that inherit from this one and add attributes

    def __setattr__(self: object, name: str, value: object) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        above.__setattr__(self, name, value)

    def __delattr__(self: object, name: str) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        above.__delattr__(self, name)

    for method in (__setattr__, __delattr__):
        if method.__name__ in vars(cls):
            raise TypeError(f"cannot overwrite {method.__name__} of {cls.__name__}")
        _put(cls, method.__name__, method)


def _put(cls: type, name: str, value: object) -> None:
    setattr(cls, name, value)


def _make_copyable(cls: type, names: list[str]) -> None:
    """Lets copies and pickles pass by what refuses to assign."""

    def __getstate__(self: object) -> list[object]:  # noqa: N807
        return [getattr(self, name) for name in names]

    def __setstate__(self: object, state: list[object]) -> None:  # noqa: N807
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    _put(cls, "__getstate__", __getstate__)
    _put(cls, "__setstate__", __setstate__)
