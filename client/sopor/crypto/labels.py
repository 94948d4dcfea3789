"""Seals the names of branches and projects (SPEC section 6, "Label")."""

from __future__ import annotations

import secrets
from enum import IntEnum

from sopor.crypto.keys import ProjectKeys, u32
from sopor.crypto.primitives import RandomSource, open_sealed, seal
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.ids import BranchId
from sopor_core.names import check_branch_name, check_organization_name, check_project_name

_STEP = 64


class LabelKind(IntEnum):
    """What a label names; part of its associated data."""

    BRANCH = 1
    PROJECT = 2
    ORGANIZATION = 3

    @property
    def layer(self) -> Layer:
        """The layer that refuses a bad label: the log that carries it."""
        return Layer.OPS if self is LabelKind.BRANCH else Layer.MEMBERSHIP


def seal_branch_label(keys: ProjectKeys, epoch: int, name: str) -> bytes:
    """Seals a branch's name; raises InvalidValue for a name that git would refuse."""
    check_branch_name(name)
    return seal_label(keys, epoch, LabelKind.BRANCH, keys.content_ids.branch_id(name), name)


def open_branch_label(keys: ProjectKeys, epoch: int, branch: BranchId, label: bytes) -> str:
    """Opens a branch's name.

    Raises:
        VerificationError: layer ``ops`` if the label does not open, its padding or its name is not
            allowed, or the name is of another branch; layer ``epoch`` without that epoch's key.
    """
    name = _open(keys, epoch, LabelKind.BRANCH, branch, label)
    try:
        check_branch_name(name)
    except InvalidValue as error:
        raise VerificationError(Layer.OPS, error.message) from None
    if keys.content_ids.branch_id(name) != branch:
        raise VerificationError(Layer.OPS, "a branch's label holds the name of another branch")
    return name


def seal_project_label(keys: ProjectKeys, epoch: int, name: str) -> bytes:
    """Seals a project's name; raises InvalidValue for a name that is not allowed."""
    check_project_name(name)
    return seal_label(keys, epoch, LabelKind.PROJECT, b"", name)


def open_project_label(keys: ProjectKeys, epoch: int, label: bytes) -> str:
    """Opens a project's name.

    Raises:
        VerificationError: layer ``membership`` if the label does not open or its padding or name is
            not allowed; layer ``epoch`` without that epoch's key.
    """
    return _open_checked(keys, epoch, LabelKind.PROJECT, label)


def _open_checked(keys: ProjectKeys, epoch: int, kind: LabelKind, label: bytes) -> str:
    name = _open(keys, epoch, kind, b"", label)
    try:
        return check_project_name(name)
    except InvalidValue as error:
        raise VerificationError(Layer.MEMBERSHIP, error.message) from None


def seal_organization_label(keys: ProjectKeys, epoch: int, name: str) -> bytes:
    """Seals an organization's name under its home's keys; the rules are those of projects."""
    check_organization_name(name)
    return seal_label(keys, epoch, LabelKind.ORGANIZATION, b"", name)


def open_organization_label(keys: ProjectKeys, epoch: int, label: bytes) -> str:
    """Opens an organization's name; raises as `open_project_label` does."""
    return _open_checked(keys, epoch, LabelKind.ORGANIZATION, label)


def seal_label(
    keys: ProjectKeys,
    epoch: int,
    kind: LabelKind,
    subject: bytes,
    name: str,
    random: RandomSource = secrets.token_bytes,
) -> bytes:
    """Seals a name that was checked before; the functions above are what callers want."""
    plaintext = len(name.encode("utf-8")).to_bytes(2, "big") + name.encode("utf-8")
    plaintext += bytes(-len(plaintext) % _STEP)
    associated = _associated(keys, epoch, kind, subject)
    return seal(keys.label_key(epoch), plaintext, associated, random)


def _associated(keys: ProjectKeys, epoch: int, kind: LabelKind, subject: bytes) -> bytes:
    return b"sopor/1 label\0" + bytes((kind,)) + keys.project + u32(epoch) + subject


def _open(keys: ProjectKeys, epoch: int, kind: LabelKind, subject: bytes, label: bytes) -> str:
    associated = _associated(keys, epoch, kind, subject)
    plain = open_sealed(keys.label_key(epoch), label, associated, kind.layer, "a label")
    end = 2 + int.from_bytes(plain[:2], "big")
    if len(plain) != end + (-end % _STEP) or any(plain[end:]):
        raise VerificationError(kind.layer, "a label is not padded as it must be")
    try:
        return plain[2:end].decode("utf-8")
    except UnicodeDecodeError:
        raise VerificationError(kind.layer, "a label is not UTF-8") from None
