"""Compact bytes for what the head documents hold many of.

A document may have 1 MiB. Numbers are big-endian; ids are raw bytes of their fixed length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import TypeVar

from sopor_core.ids import BranchId, CommitId, Id, ProjectId, StateRoot
from sopor_core.push_entry import ListedCommit
from sopor_server.ports.records import Branch

T = TypeVar("T", bound=Id)
_BRANCH = struct.Struct(">16sIH")
_NUMBER = struct.Struct(">16sQ")


def pack_commits(commits: Iterable[ListedCommit]) -> bytes:
    """Returns for each commit: id, root, number of parents, parents."""
    return b"".join(map(_pack_commit, commits))


def unpack_commits(data: bytes) -> list[ListedCommit]:
    """Undoes `pack_commits`."""
    commits: list[ListedCommit] = []
    at = 0
    while at < len(data):
        commit, at = _unpack_commit(data, at)
        commits.append(commit)
    return commits


def pack_branches(branches: Mapping[BranchId, Branch | None]) -> bytes:
    """Returns for each branch: id, epoch, length of label, label, head; epoch 0 for a deleted."""
    parts: list[bytes] = []
    for branch, value in branches.items():
        if value is None:
            parts.append(_BRANCH.pack(branch, 0, 0))
        else:
            parts.append(_BRANCH.pack(branch, value.epoch, len(value.label)))
            parts += value.label, _pack_commit(value.head)
    return b"".join(parts)


def unpack_branches(data: bytes) -> dict[BranchId, Branch | None]:
    """Undoes `pack_branches`."""
    branches: dict[BranchId, Branch | None] = {}
    at = 0
    while at < len(data):
        branch, epoch, length = _BRANCH.unpack_from(data, at)
        at += _BRANCH.size
        if epoch == 0:
            branches[BranchId(branch)] = None
            continue
        label = data[at : at + length]
        head, at = _unpack_commit(data, at + length)
        branches[BranchId(branch)] = Branch(head, label, epoch)
    return branches


def pack_numbers(numbers: Mapping[ProjectId, int]) -> bytes:
    """Returns for each project: id, number in 8 bytes."""
    return b"".join(_NUMBER.pack(project, number) for project, number in numbers.items())


def unpack_numbers(data: bytes) -> dict[ProjectId, int]:
    """Undoes `pack_numbers`."""
    return {ProjectId(project): number for project, number in _NUMBER.iter_unpack(data)}


def pack_ids(ids: Iterable[Id]) -> bytes:
    """Returns ids, the smallest first."""
    return b"".join(sorted(ids))


def unpack_ids(data: bytes, kind: type[T]) -> frozenset[T]:
    """Undoes `pack_ids`."""
    return frozenset(kind(data[at : at + kind.SIZE]) for at in range(0, len(data), kind.SIZE))


def _pack_commit(commit: ListedCommit) -> bytes:
    return b"".join((commit.id, commit.root, bytes([len(commit.parents)]), *commit.parents))


def _unpack_commit(data: bytes, at: int) -> tuple[ListedCommit, int]:
    first = at + 65
    end = first + 32 * data[at + 64]
    parents = tuple(CommitId(data[i : i + 32]) for i in range(first, end, 32))
    commit = ListedCommit(CommitId(data[at : at + 32]), parents, StateRoot(data[at + 32 : at + 64]))
    return commit, end
