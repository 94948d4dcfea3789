"""What a target is, and the oracle that most of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sopor_core.errors import VerificationError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """One reader.

    Attributes:
        run: reads the bytes; what it raises is a fault, and False says that it refused them.
        whole: input to begin with, that the reader takes.
    """

    run: Callable[[bytes], object]
    whole: Sequence[bytes]


def canonical_reader(
    parse: Callable[[bytes], T], encode: Callable[[T], bytes], whole: Sequence[bytes]
) -> Target:
    """Returns the target of a reader that refuses all but the one form of what it reads."""
    return Target(partial(_read, parse, encode), whole)


def _read(parse: Callable[[bytes], T], encode: Callable[[T], bytes], data: bytes) -> bool:
    try:
        value = parse(data)
    except VerificationError:
        return False
    assert encode(value) == data, "what was read is written in another way"
    return True


def text_of(data: bytes) -> str:
    """Returns input as what somebody may have typed or sent; every input is some text."""
    return data.decode("utf-8", "replace")
