"""What the server answers to a pull, or to a push that lost a race: parsed, nothing verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from sopor.errors import PushRejected
from sopor.remote.problems import Problem
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import PackId, ProjectId
from sopor_core.limits import (
    MAX_ENTRY_BYTES,
    MAX_INLINE_BYTES,
    MAX_MEMBERSHIP_ENTRY_BYTES,
    MAX_PACK_BYTES,
)
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.deflated import split_answer
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.problems import Code

MAX_ANSWER_BYTES = 4 * MAX_INLINE_BYTES
"""The most bytes of an answer with parts: its budget, one entry over it, membership entries."""
_MAX_BYTES = {
    PartKind.CONTROL: 64 * 1024,
    PartKind.MEMBERSHIP_ENTRY: MAX_MEMBERSHIP_ENTRY_BYTES,
    PartKind.PUSH_ENTRY: MAX_ENTRY_BYTES,
    PartKind.PACK: MAX_PACK_BYTES,
}


@dataclass(frozen=True, slots=True)
class PullAnswer:
    """Log entries and packs, as somebody sent them.

    Attributes:
        head: where the server says that the push log ends.
        members: where it says that the membership log ends.
        more: whether it has further entries for another request.
        membership_entries: canonical bytes, in order.
        entries: canonical bytes of push entries, in order.
        packs: packs of these entries by the SHA-256 that they really have.
    """

    head: Citation
    members: Citation
    more: bool
    membership_entries: tuple[bytes, ...] = field(default=(), repr=False)
    entries: tuple[bytes, ...] = field(default=(), repr=False)
    packs: Mapping[PackId, bytes] = field(default_factory=dict, repr=False)


class LogMoved(PushRejected):
    """Says that a log moved before our entry reached it; ``answer`` is what this side lacks.

    ``membership_only`` tells that no branch moved, so that the same push can be signed again.
    """

    code = "log-moved"

    def __init__(self, answer: PullAnswer, *, membership_only: bool = False) -> None:
        super().__init__(
            "the project moved on the server since the last pull",
            hint="run `sopor pull`, then push again",
            problem=str(Code.MEMBERSHIP_MOVED if membership_only else Code.LOG_MOVED),
        )
        self.answer = answer
        self.membership_only = membership_only


class HeadsMoved(PushRejected):
    """Says that a push came before a change of the members; ``heads`` are the present heads."""

    code = "heads-moved"

    def __init__(self, heads: Mapping[ProjectId, Citation]) -> None:
        super().__init__(
            "somebody pushed while the members changed",
            hint="try again",
            problem=str(Code.HEADS_MOVED),
        )
        self.heads = heads

    @classmethod
    def parse(cls, body: bytes) -> HeadsMoved:
        """Reads the problem document; raises VerificationError (``wire`` or ``parse``)."""
        value = canonical.parse_json(body)
        heads = value.get("heads") if isinstance(value, dict) else None
        if not isinstance(heads, dict):
            raise VerificationError(Layer.WIRE, "the answer lacks the heads that it announces")
        return cls(
            {ProjectId.from_b64(name): Citation.from_json(head) for name, head in heads.items()}
        )


def parse_answer(body: bytes, limit: int = MAX_ANSWER_BYTES) -> PullAnswer:
    """Parses the parts of a pull, whose entries inflate to at most ``limit`` bytes.

    Raises:
        VerificationError: layer ``wire`` or ``parse``.
    """
    return _parse(body, limit)[0]


def parse_conflict(status: int, body: bytes) -> LogMoved | Problem:
    """Parses a 409 with parts: what this side lacks; raises VerificationError.

    Returns:
        The error to raise, or the problem where its code is another one.
    """
    answer, control = _parse(body, MAX_ANSWER_BYTES)
    problem = Problem.from_json(
        status, control.value("problem") if control.has("problem") else None
    )
    if problem.code == Code.LOG_MOVED:
        return LogMoved(answer)
    if problem.code == Code.MEMBERSHIP_MOVED:
        return LogMoved(answer, membership_only=True)
    return problem


def _parse(body: bytes, limit: int) -> tuple[PullAnswer, Fields]:
    parts = [_checked(part) for part in split_answer(body, limit)]
    if not parts or parts[0].kind is not PartKind.CONTROL:
        raise VerificationError(Layer.WIRE, "the answer does not begin with its control part")
    if any(part.kind is PartKind.CONTROL for part in parts[1:]):
        raise VerificationError(Layer.WIRE, "the answer has two control parts")
    _check_order(parts)
    control = Fields(canonical.parse_json(parts[0].data), "the control part", Layer.WIRE)
    packs = [part.data for part in parts if part.kind is PartKind.PACK]
    answer = PullAnswer(
        head=_citation(control, "head"),
        members=_citation(control, "members"),
        more=control.boolean("more") if control.has("more") else False,
        membership_entries=_of_kind(parts, PartKind.MEMBERSHIP_ENTRY),
        entries=_of_kind(parts, PartKind.PUSH_ENTRY),
        packs={PackId(sha256(pack).digest()): pack for pack in packs},
    )
    return answer, control


def _checked(part: Part) -> Part:
    if len(part.data) > _MAX_BYTES[part.kind]:
        raise VerificationError(Layer.WIRE, "a part of the answer is larger than allowed")
    return part


def _check_order(parts: list[Part]) -> None:
    """Membership entries come before push entries, and packs after the entry that brings them."""
    entry_seen = False
    for part in parts:
        if part.kind is PartKind.PUSH_ENTRY:
            entry_seen = True
        elif entry_seen is (part.kind is not PartKind.PACK):
            raise VerificationError(Layer.WIRE, "the parts of the answer are out of order")


def _citation(control: Fields, name: str) -> Citation:
    # The answer of a membership log says nothing of a push log.
    value: Json = control.value(name) if control.has(name) else None
    return EMPTY_LOG if value is None else Citation.from_json(value)


def _of_kind(parts: list[Part], kind: PartKind) -> tuple[bytes, ...]:
    return tuple(part.data for part in parts if part.kind is kind)


def parse_entries(body: bytes) -> tuple[bytes, ...]:
    """Parses an answer of membership entries, with or without a control part before them.

    Raises:
        VerificationError: layer ``wire``.
    """
    parts = [_checked(part) for part in split_answer(body, MAX_ANSWER_BYTES)]
    if parts and parts[0].kind is PartKind.CONTROL:
        parts = parts[1:]
    if any(part.kind is not PartKind.MEMBERSHIP_ENTRY for part in parts):
        raise VerificationError(Layer.WIRE, "the answer holds something else than memberships")
    return _of_kind(parts, PartKind.MEMBERSHIP_ENTRY)
