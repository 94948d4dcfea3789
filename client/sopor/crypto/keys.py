"""The keys of a project: epoch secrets and what follows from them (SPEC section 6)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cached_property

from sopor.crypto.content_ids import ContentIds
from sopor.crypto.primitives import hkdf
from sopor.crypto.secret import Secret
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import ProjectId

FIRST_EPOCH = 1


def u32(number: int) -> bytes:
    """Returns the four bytes of an unsigned integer, big-endian."""
    return number.to_bytes(4, "big")


class EpochSecret(Secret):
    """The secret of one epoch of a project (32 random bytes)."""

    SIZE = 32
    __slots__ = ()

    def commitment(self, project: ProjectId, epoch: int) -> bytes:
        """Returns the public commitment (32 bytes) that the membership log carries."""
        return hkdf(self.reveal(), project, "sopor/1 commitment", u32(epoch))

    def check_commitment(self, project: ProjectId, epoch: int, expected: bytes) -> None:
        """Raises VerificationError (``epoch``) unless the log commits to this secret."""
        if not hmac.compare_digest(self.commitment(project, epoch), expected):
            raise VerificationError(
                Layer.EPOCH, f"the key of epoch {epoch} is not the one that the log commits to"
            )


class ProjectKeys:
    """Everything that a member derives its keys of one project from.

    Args:
        project: the project's id.
        epochs: the secrets by epoch; epoch 1 is always among them.
    """

    def __init__(self, project: ProjectId, epochs: Mapping[int, EpochSecret]) -> None:
        if FIRST_EPOCH not in epochs:
            raise VerificationError(Layer.EPOCH, "the key of the first epoch is missing")
        self.project = project
        self._epochs = dict(epochs)

    @cached_property
    def content_ids(self) -> ContentIds:
        """Computes the ids of documents, commits, branches and states."""
        secret = self.secret(FIRST_EPOCH).reveal()
        return ContentIds(hkdf(secret, self.project, "sopor/1 content id"))

    @property
    def newest(self) -> int:
        """The newest epoch whose secret is known."""
        return max(self._epochs)

    def secret(self, epoch: int) -> EpochSecret:
        """Returns the secret of an epoch; raises VerificationError (``epoch``)."""
        secret = self._epochs.get(epoch)
        if secret is None:
            raise VerificationError(
                Layer.EPOCH, f"the key of epoch {epoch} is not known", hint="run `sopor pull`"
            )
        return secret

    def commitment(self, epoch: int) -> bytes:
        """Returns the commitment (32 bytes) to the secret of an epoch."""
        return self.secret(epoch).commitment(self.project, epoch)

    def label_key(self, epoch: int) -> bytes:
        """Returns the AES-256 key that seals names."""
        return hkdf(self.secret(epoch).reveal(), self.project, "sopor/1 label", u32(epoch))

    def pack_key(self, epoch: int, salt: bytes) -> bytes:
        """Returns the AES-256 key of the one pack with this salt."""
        parts = self.project + u32(epoch)
        return hkdf(self.secret(epoch).reveal(), salt, "sopor/1 pack", parts)

    def __repr__(self) -> str:
        return f"ProjectKeys({self.project!r}, epochs={sorted(self._epochs)})"
