"""The root of every error that Sopor raises, and the errors of parsing and verifying.

    SoporError
    |- VerificationError      something received does not verify: attack or corruption
    |  |- RollbackError       an older log than the one already verified
    |  `- ForkError           another history than the one already verified
    `- InvalidValue           a value typed or configured by a person is not acceptable

The client and the server each add their own branches (`sopor.errors`, `sopor_server.errors`). A
message starts lower-case and has no full stop; ``hint`` says what to do next.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Layer(StrEnum):
    """Names the check that refused something (SPEC section 12)."""

    CANONICAL = "canonical"
    PARSE = "parse"
    CHAIN = "chain"
    MEMBERSHIP = "membership"
    SIGNATURE = "signature"
    ROLE = "role"
    OPS = "ops"
    EPOCH = "epoch"
    PACK = "pack"
    FRAME = "frame"
    CID = "cid"
    COMMIT = "commit"
    STATE = "state"
    ROLLBACK = "rollback"
    FORK = "fork"
    KDF = "kdf"
    ACCOUNT = "account"
    WIRE = "wire"
    PRESENCE = "presence"


class SoporError(Exception):
    """Carries a stable ``code``, a message for people, and a hint that says what to do next."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class VerificationError(SoporError):
    """Says that received or stored bytes do not verify; ``layer`` names the check (SPEC 12)."""

    code = "verification-failed"

    def __init__(self, layer: Layer, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{layer}: {message}", hint=hint)
        self.layer = layer
        self.detail = message


class RollbackError(VerificationError):
    """Says that a log is older than the one that this device has verified."""

    code = "rollback"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(Layer.ROLLBACK, message, hint=hint)


class ForkError(VerificationError):
    """Says that a log differs from the one that this device has verified."""

    code = "fork"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(Layer.FORK, message, hint=hint)


class InvalidValue(SoporError):
    """Says that a value which a person gave (a name, a key, a setting) is not acceptable."""

    code = "invalid-value"
