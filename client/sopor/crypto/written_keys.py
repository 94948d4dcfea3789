"""The two keys that people write down: secret key and recovery key (SPEC section 9)."""

from __future__ import annotations

from typing import ClassVar, Self

from sopor.crypto import crockford
from sopor.crypto.secret import Secret


class WrittenKey(Secret):
    """A key of 16 bytes with a written form: a prefix and eight groups of four characters."""

    SIZE = 16
    PREFIX: ClassVar[str]
    NAME: ClassVar[str]
    __slots__ = ()

    def to_text(self) -> str:
        """Returns the written form, such as ``SK1-0123-...``."""
        return crockford.write(self.PREFIX, self.NAME, self.reveal())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads the written form in any case, with or without spaces and hyphens.

        Raises:
            InvalidValue: saying what is wrong; never repeating the key.
        """
        return cls(crockford.read(cls.PREFIX, cls.NAME, text, cls.SIZE))


class SecretKey(WrittenKey):
    """Strengthens the password; stays on the person's devices and in the recovery kit."""

    PREFIX = "SK1"
    NAME = "secret key"
    __slots__ = ()


class RecoveryKey(WrittenKey):
    """Opens the account without the password; stays in the recovery kit."""

    PREFIX = "RK1"
    NAME = "recovery key"
    __slots__ = ()
