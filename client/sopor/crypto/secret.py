"""Holds secret bytes so that they do not slip into logs, tracebacks or pickles.

Python cannot wipe memory, so this class does not pretend to.
"""

from __future__ import annotations

import hmac
from typing import ClassVar, NoReturn, Self

from sopor_core.errors import Layer, VerificationError


class Secret:
    """A secret of fixed length; shows nothing, compares in constant time, cannot be pickled.

    `reveal` is the only way to the bytes, so a search for it finds every use.
    """

    SIZE: ClassVar[int] = 32
    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        """Takes the bytes; raises VerificationError (``parse``) for another length."""
        if len(value) != self.SIZE:
            raise VerificationError(
                Layer.PARSE, f"{type(self).__name__} needs {self.SIZE} bytes, not {len(value)}"
            )
        self._value = bytes(value)

    @classmethod
    def random(cls) -> Self:
        """Makes a new random secret."""
        import secrets

        return cls(secrets.token_bytes(cls.SIZE))

    def reveal(self) -> bytes:
        """Returns the bytes, for deriving keys and for the keystore."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is secret and is not pickled or copied")
