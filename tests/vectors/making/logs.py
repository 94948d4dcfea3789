"""Vectors of push logs: the shape of entries, their place, their operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.vectors.making.membership import malleable, resigned
from tests.vectors.making.reference import (
    KEY,
    OTHER_PROJECT,
    PROJECT,
    SECRETS,
    Person,
    Vector,
    b64,
    branch_id,
    canonical,
    entry_hash,
    fixed,
    flipped,
    label,
    label_plaintext,
)
from tests.vectors.making.team import MEMBERSHIP, TIME, Team

_PUSH = "sopor/1 push"
_ADA, _BOB = Person("Ada"), Person("Bob")


def _text(entry: Vector) -> str:
    return canonical(entry).decode()


def _hash(name: str, text: str) -> bytes:
    return entry_hash(name, text.encode())


_TEAM = Team(_ADA)
_TEAM.take(_ADA, _TEAM.project_new(PROJECT)).take(_ADA, _TEAM.project_new(OTHER_PROJECT))
_MEMBERS = _TEAM.texts
_ORG = _TEAM.org


_A, _B, _C, _D = (fixed(f"commit {letter}") for letter in "ABCD")
_ROOTS = {
    commit: fixed(f"root {letter}") for letter, commit in zip("ABCD", (_A, _B, _C, _D), strict=True)
}
_MAIN, _DEV = (branch_id(KEY, name) for name in ("main", "dev"))


def _sealed_name(name: str) -> str:
    subject = branch_id(KEY, name)
    return b64(label(PROJECT, 1, SECRETS[1], 1, subject, label_plaintext(name.encode())))


def _op(branch: bytes, old: bytes | None, new: bytes | None, name: str | None = None) -> Vector:
    ends = {"old": b64(old) if old else None, "new": b64(new) if new else None}
    op: Vector = {"branch": b64(branch), **ends}
    return op | ({"label": _sealed_name(name)} if name else {})


def _listed(
    commit: bytes, *parents: bytes, root: bytes | None = None, same: bytes | None = None
) -> Vector:
    item: Vector = {
        "id": b64(commit),
        "parents": [b64(parent) for parent in parents],
        "root": b64(root or _ROOTS[commit]),
    }
    return item | ({"same": b64(same)} if same else {})


def _cite(seq: int) -> list[Any]:
    return [seq, b64(_hash(MEMBERSHIP, _MEMBERS[seq - 1]))]


def _push(seq: int, prev: bytes, ops: list[Vector], commits: list[Vector], **other: Any) -> Vector:
    entry = {
        "v": 1,
        "project": b64(PROJECT),
        "seq": seq,
        "prev": b64(prev),
        "op": b64(fixed(f"operation {seq}", 16)),
        "epoch": 1,
        "members": _cite(2),
        "actor": b64(_ADA.account),
        "time": TIME + seq,
        "ops": ops,
        "commits": commits,
        "packs": [{"id": b64(fixed(f"pack {seq}")), "size": 544}],
        **other,
    }
    return _ADA.sign(_PUSH, entry)


_FIRST = _text(_push(1, bytes(32), [_op(_MAIN, None, _A, "main")], [_listed(_A)]))
_HEAD = _hash(_PUSH, _FIRST)


def _next(
    ops: list[Vector] | None = None, commits: list[Vector] | None = None, **other: Any
) -> Vector:
    """Entry 2; by default it moves main from A to B."""
    if ops is None:
        ops = [_op(_MAIN, _A, _B)]
    entry = _push(2, _HEAD, ops, [_listed(_B, _A)] if commits is None else commits)
    return _ADA.sign(_PUSH, {**entry, **other})


_NEXT = _text(_next())


def push() -> list[Vector]:
    """Push entries after a log: what the log is, and the entry that comes."""
    revert = [_listed(_B, _A), _listed(_C, _B, root=_ROOTS[_A], same=_A)]
    merge = [_listed(_B, _A), _listed(_C, _A), _listed(_D, _B, _C)]
    at_b = [_FIRST, _NEXT]
    good_ones = {
        "moves a branch": _next(),
        "moves a branch over several commits": _next(
            [_op(_MAIN, _A, _C)], [_listed(_B, _A), _listed(_C, _B)]
        ),
        "moves a branch to a merge": _next([_op(_MAIN, _A, _D)], merge),
        "creates a branch at a known commit": _next([_op(_DEV, None, _A, "dev")], [], packs=[]),
        "creates a branch at a new commit": _next([_op(_DEV, None, _B, "dev")]),
        "creates a branch without common history": _next(
            [_op(_DEV, None, _B, "dev")], [_listed(_B)]
        ),
        "deletes a branch": _next([_op(_MAIN, _A, None)], [], packs=[]),
        "seals a label again": _next([_op(_MAIN, _A, _A, "main")], [], packs=[]),
        "moves one and creates another": _next([_op(_MAIN, _A, _B), _op(_DEV, None, _A, "dev")]),
        "lists a known commit again": _next(commits=[_listed(_A), _listed(_B, _A)]),
        "reverts to an ancestor": _next([_op(_MAIN, _A, _C)], revert),
        "cites a newer membership": _next(members=_cite(3)),
    }
    vectors = [_vector(name, [_FIRST], _text(entry)) for name, entry in good_ones.items()]
    vectors.append(_vector("begins a log", [], _FIRST))
    third = _push(3, _hash(_PUSH, _NEXT), [_op(_MAIN, _B, _C)], [_listed(_B, _A), _listed(_C, _B)])
    vectors.append(_vector("continues a log", at_b, _text(third)))
    vectors += [*_bad_shapes(), *_bad_place(), *_bad_signature(), *_bad_ops()]
    return vectors


def _vector(name: str, log: list[str], entry: str) -> Vector:
    return {
        "name": name,
        "project": PROJECT.hex(),
        "org": _ORG.hex(),
        "membership": _MEMBERS,
        "log": log,
        "entry": entry,
        "hash": _hash(_PUSH, entry).hex(),
    }


def _refused(name: str, layer: str, entry: Vector | str, log: list[str] | None = None) -> Vector:
    text = entry if isinstance(entry, str) else _text(entry)
    vector = _vector(name, [_FIRST] if log is None else log, text)
    del vector["hash"]
    return {**vector, "layer": layer}


def _bad_shapes() -> Iterable[Vector]:
    yield _refused("a space", "canonical", _NEXT.replace(":", ": ", 1))
    yield _refused("a member twice", "canonical", _NEXT[:-1] + ',"v":1}')
    yield _refused("not JSON", "canonical", _NEXT[:-1])
    yield _refused("a list", "parse", f"[{_NEXT}]")
    label_ = b64(bytes(369))
    created = _op(_DEV, None, _A)
    changes: dict[str, tuple[str, Any]] = {
        "version 2": ("v", 2),
        "a version that is a text": ("v", "1"),
        "an unknown member": ("extra", 1),
        "seq of zero": ("seq", 0),
        "a seq that is a boolean": ("seq", True),
        "epoch of zero": ("epoch", 0),
        "epoch beyond 32 bits": ("epoch", 2**32),
        "a negative time": ("time", -1),
        "a time beyond 2^53": ("time", 2**53),
        "a project of 17 bytes": ("project", b64(bytes(17))),
        "an operation id of 15 bytes": ("op", b64(bytes(15))),
        "a predecessor that is null": ("prev", None),
        "a citation of three elements": ("members", [*_cite(2), 1]),
        "a citation that is a text": ("members", "2"),
        "a citation with a negative number": ("members", [-1, _cite(2)[1]]),
        "no operations": ("ops", []),
        "65 operations": ("ops", [_op(fixed(f"b{n}", 16), None, _A, "b") for n in range(65)]),
        "one branch twice": ("ops", [_op(_MAIN, _A, _B), _op(_MAIN, _A, _B)]),
        "an operation that is no object": ("ops", [1]),
        "an unknown member of an operation": ("ops", [{**_op(_MAIN, _A, _B), "x": 1}]),
        "an operation from nothing to nothing": ("ops", [_op(_MAIN, None, None, "main")]),
        "a created branch without label": ("ops", [created]),
        "a label over its size": ("ops", [{**created, "label": label_}]),
        "an operation without its old head": ("ops", [{"branch": b64(_MAIN), "new": b64(_B)}]),
        "one commit twice": ("commits", [_listed(_B, _A), _listed(_B, _A)]),
        "nine parents": ("commits", [_listed(_B, *(fixed(f"p{n}") for n in range(9)))]),
        "one parent twice": ("commits", [_listed(_B, _A, _A)]),
        "a commit without root": ("commits", [{"id": b64(_B), "parents": []}]),
        "a commit with its message": ("commits", [{**_listed(_B, _A), "message": "m"}]),
        "one pack twice": ("packs", [{"id": b64(_A), "size": 1}] * 2),
        "an empty pack": ("packs", [{"id": b64(_A), "size": 0}]),
        "a pack over 24 MiB": ("packs", [{"id": b64(_A), "size": 25_165_825}]),
        "65 packs": ("packs", [{"id": b64(fixed(f"p{n}")), "size": 1} for n in range(65)]),
    }
    for name, (member, value) in changes.items():
        yield _refused(name, "parse", _next(**{member: value}))
    for member in _next():
        lacking = {key: value for key, value in _next().items() if key != member}
        signed = lacking if member == "sig" else _ADA.sign(_PUSH, lacking)
        yield _refused(f"without {member!r}", "parse", signed)
    yield _refused("signature of 65 bytes", "parse", resigned(_next(), lambda s: s + b"\0"))
    unused = _NEXT.replace(b64(_HEAD), b64(_HEAD)[:-1] + chr(ord(b64(_HEAD)[-1]) + 1))
    yield _refused("a hash with unused bits set", "parse", unused)


def _bad_place() -> Iterable[Vector]:
    yield _refused("of another project", "chain", _next(project=b64(OTHER_PROJECT)))
    yield _refused("an entry left out", "chain", _next(seq=3))
    yield _refused("an entry sent again", "chain", _FIRST)
    yield _refused("another predecessor", "fork", _next(prev=b64(fixed("another entry"))))
    yield _refused("zeros as the predecessor", "fork", _next(prev=b64(bytes(32))))
    yield _refused("membership that nobody knows", "membership", _next(members=[4, _cite(3)[1]]))
    yield _refused(
        "membership before the first entry", "membership", _next(members=[0, b64(bytes(32))])
    )
    yield _refused("another entry than the cited one", "fork", _next(members=[2, _cite(3)[1]]))
    newer = _text(
        _push(1, bytes(32), [_op(_MAIN, None, _A, "main")], [_listed(_A)], members=_cite(3))
    )
    after = _push(2, _hash(_PUSH, newer), [_op(_MAIN, _A, _B)], [_listed(_B, _A)])
    yield _refused("membership that goes back", "membership", after, [newer])
    yield _refused(
        "membership before the project",
        "membership",
        _push(1, bytes(32), [_op(_MAIN, None, _A, "main")], [_listed(_A)], members=_cite(1)),
        [],
    )
    yield _refused("epoch 2 before there is one", "epoch", _next(epoch=2))


def _bad_signature() -> Iterable[Vector]:
    stranger = _BOB.sign(_PUSH, _next(actor=b64(_BOB.account)))
    yield _refused("by somebody who is no member", "role", stranger)
    yield _refused("in a member's name by somebody else", "signature", _BOB.sign(_PUSH, _next()))
    yield _refused("signed under another label", "signature", _ADA.sign(MEMBERSHIP, _next()))
    yield _refused("flipped signature", "signature", resigned(_next(), lambda s: flipped(s, 0)))
    yield _refused("a signature of zeros", "signature", resigned(_next(), lambda s: bytes(len(s))))
    yield _refused(
        "signature with its number raised by the order", "signature", resigned(_next(), malleable)
    )
    for member, value in (
        ("time", 1),
        ("op", b64(fixed("another operation", 16))),
        ("packs", []),
        ("ops", [_op(_DEV, None, _A, "dev")]),
        ("commits", [_listed(_B, _A, root=fixed("root"))]),
        ("epoch", 2),
        ("members", _cite(3)),
    ):
        yield _refused(f"{member!r} changed after signing", "signature", {**_next(), member: value})


def _bad_ops() -> Iterable[Vector]:
    def refused(name: str, ops: list[Vector] | None, commits: list[Vector] | None) -> Vector:
        return _refused(name, "ops", _next(ops, commits))

    yield refused("from another head", [_op(_MAIN, _B, _C)], [_listed(_B), _listed(_C, _B)])
    yield refused("creates a branch that is there", [_op(_MAIN, None, _B, "main")], None)
    yield refused("moves a branch that is not there", [_op(_DEV, _A, _B)], None)
    yield refused("deletes a branch that is not there", [_op(_DEV, _A, None)], [])
    yield refused("deletes from another head", [_op(_MAIN, _B, None)], [_listed(_B)])
    yield refused("moves to an unrelated commit", None, [_listed(_B)])
    yield refused("moves to a commit that is not listed", None, [])
    yield refused("moves over a commit that is not listed", [_op(_MAIN, _A, _C)], [_listed(_C, _B)])
    yield refused(
        "a child before its parent", [_op(_MAIN, _A, _C)], [_listed(_C, _B), _listed(_B, _A)]
    )
    yield refused("a parent that nobody knows", None, [_listed(_B, _A, _C)])
    yield refused("a commit as its own parent", None, [_listed(_B, _A, _B)])
    yield refused("creates a branch at an unknown commit", [_op(_DEV, None, _B, "dev")], [])
    yield refused(
        "a known commit with another root", None, [_listed(_A, root=fixed("root")), _listed(_B, _A)]
    )
    yield refused(
        "a known commit with other parents", None, [_listed(_D), _listed(_A, _D), _listed(_B, _A)]
    )
    b = _listed(_B, _A)
    main = [_op(_MAIN, _A, _C)]
    yield refused("a revert to another state", main, [b, _listed(_C, _B, same=_A)])
    yield refused("a revert to an unknown commit", main, [b, _listed(_C, _B, same=_D)])
    side = [b, _listed(_D, _A), _listed(_C, _B, root=_ROOTS[_D], same=_D)]
    yield refused("a revert to a commit that is no ancestor", main, side)
    yield refused("a revert to itself", main, [b, _listed(_C, _B, same=_C)])
    at_b = [_FIRST, _NEXT]
    back = _push(3, _hash(_PUSH, _NEXT), [_op(_MAIN, _B, _A)], [_listed(_A)])
    yield _refused("moves a branch back", "ops", back, at_b)
