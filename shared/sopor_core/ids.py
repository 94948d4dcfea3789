"""The identifiers as types, parsed at the border (SPEC section 1).

Each is a ``bytes`` of a fixed length, so it hashes and compares at the speed of bytes; the type
checker keeps a commit id from being passed where a pack id is meant.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import ClassVar, Self

from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import Layer, VerificationError


class Id(bytes):
    """An identifier of fixed length; ``str(id)`` is lower-case hexadecimal, for people."""

    SIZE: ClassVar[int] = 32
    __slots__ = ()

    def __new__(cls, value: bytes) -> Self:
        """Makes the id from its bytes; raises VerificationError (``parse``) for another length."""
        if len(value) != cls.SIZE:
            raise VerificationError(
                Layer.PARSE, f"{cls.__name__} has {len(value)} bytes, needs {cls.SIZE}"
            )
        return super().__new__(cls, value)

    @classmethod
    def random(cls) -> Self:
        """Makes a new random id."""
        return cls(secrets.token_bytes(cls.SIZE))

    @classmethod
    def from_b64(cls, text: str) -> Self:
        """Parses the form used inside JSON; raises VerificationError (``parse``)."""
        return cls(b64decode(text))

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Parses the form shown to people; raises VerificationError (``parse``)."""
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise VerificationError(Layer.PARSE, "not hexadecimal") from None

    @property
    def b64(self) -> str:
        """The form used inside JSON: base64url without padding."""
        return b64encode(self)

    @property
    def short(self) -> str:
        """The first ten hexadecimal digits, for messages."""
        return self.hex()[:10]

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.short})"


class AccountId(Id):
    """A person's account."""

    SIZE = 16
    __slots__ = ()


class DeviceId(Id):
    """One login of an account."""

    SIZE = 16
    __slots__ = ()


class ServerId(Id):
    """A server, whatever its address."""

    SIZE = 16
    __slots__ = ()


class ProjectId(Id):
    """A versioned set of documents."""

    SIZE = 16
    __slots__ = ()


class BranchId(Id):
    """A branch, without telling its name."""

    SIZE = 16
    __slots__ = ()


class OpId(Id):
    """One attempt to append to a log; makes a retry harmless."""

    SIZE = 16
    __slots__ = ()


class InviteId(Id):
    """An invitation to an organization."""

    SIZE = 16
    __slots__ = ()


class InviteToken(Id):
    """What who has an invite's code shows to the server, to be let in (SPEC section 8.3)."""

    SIZE = 16
    __slots__ = ()

    @property
    def invite(self) -> InviteId:
        """The invite that the token is of."""
        return InviteId(sha256(b"sopor/1 invite\0" + self).digest()[: InviteId.SIZE])


class OrgId(Id):
    """An organization: the hash of the first entry of its membership log."""

    __slots__ = ()


class EntryHash(Id):
    """The hash of a log entry with its signature."""

    __slots__ = ()


class CommitId(Id):
    """A commit."""

    __slots__ = ()


class Cid(Id):
    """The content id of a document: keyed, never shown to the server."""

    __slots__ = ()


class StateRoot(Id):
    """The keyed root over all documents of a commit."""

    __slots__ = ()


class PackId(Id):
    """The SHA-256 of a pack's bytes."""

    __slots__ = ()


NO_ENTRY = EntryHash(bytes(32))
"""``prev`` of the first entry of a log."""
