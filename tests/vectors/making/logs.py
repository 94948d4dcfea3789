"""Vectors of the two logs: membership and push."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterable
from typing import Any

from tests.vectors.making.reference import (
    KEY,
    OTHER_PROJECT,
    PROJECT,
    SECRETS,
    Person,
    Vector,
    b64,
    bad,
    branch_id,
    canonical,
    commitment,
    entry_hash,
    fixed,
    flipped,
    good,
    hpke_seal,
    label,
    label_plaintext,
    wrap_info,
)

_MEMBERSHIP, _PUSH = "sopor/1 membership", "sopor/1 push"
_ADA, _BOB = Person("Ada"), Person("Bob")
_ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
_TIME = 1_700_000_000_000
_ORDER = 2**252 + 27742317777372353535851937790883648493


def _text(entry: Vector) -> str:
    return canonical(entry).decode()


def _hash(name: str, text: str) -> bytes:
    return entry_hash(name, text.encode())


# ------------------------------------------------------------------------------------ membership


def _genesis(owner: dict[str, str] | None = None, **other: Any) -> Vector:
    body = {"kind": "team", "nonce": b64(fixed("nonce", 16)), "owner": owner or _ADA.identity()}
    return _membership(1, bytes(32), "genesis", body, **other)


def _membership(seq: int, prev: bytes, type_: str, body: Vector, **other: Any) -> Vector:
    entry = {
        "v": 1,
        "seq": seq,
        "prev": b64(prev),
        "type": type_,
        "actor": b64(_ADA.account),
        "time": _TIME + seq,
        "body": body,
        **other,
    }
    return _ADA.sign(_MEMBERSHIP, entry)


_GENESIS = _text(_genesis())
_ORG = _hash(_MEMBERSHIP, _GENESIS)


def _new_project(project: bytes = PROJECT, **other: Any) -> Vector:
    info = wrap_info(_ORG, project, 1, _ADA.account)
    wrap = hpke_seal(_ADA.encryption, fixed("ephemeral"), info, SECRETS[1])
    return {
        "project": b64(project),
        "epoch": 1,
        "commitment": b64(commitment(project, 1, SECRETS[1])),
        "wraps": {b64(_ADA.account): b64(wrap)},
        "label": b64(label(project, 1, SECRETS[1], 2, b"", label_plaintext(b"Petstore"))),
        **other,
    }


def _second(body: Vector | None = None, **other: Any) -> Vector:
    fields = {"org": b64(_ORG), **other}
    return _membership(2, _ORG, "project_new", body or _new_project(), **fields)


_SECOND = _text(_second())
_THIRD = _text(
    _membership(
        3,
        _hash(_MEMBERSHIP, _SECOND),
        "project_new",
        _new_project(OTHER_PROJECT),
        org=b64(_ORG),
    )
)
MEMBERSHIP = [_GENESIS, _SECOND, _THIRD]


def membership() -> list[Vector]:
    """Membership logs; good ones with what their replay gives."""
    projects = [PROJECT.hex(), OTHER_PROJECT.hex()]
    vectors = [
        good(
            f"{count} entries",
            org=_ORG.hex(),
            entries=MEMBERSHIP[:count],
            members={_ADA.account.hex(): "owner"},
            projects=projects[: count - 1],
            hashes=[_hash(_MEMBERSHIP, text).hex() for text in MEMBERSHIP[:count]],
        )
        for count in (1, 2, 3)
    ]
    personal = _text(_ADA.sign(_MEMBERSHIP, _with(_genesis(), "body.kind", "personal")))
    vectors.append(
        good(
            "a personal organization",
            org=_hash(_MEMBERSHIP, personal).hex(),
            entries=[personal],
            members={_ADA.account.hex(): "owner"},
            projects=[],
            hashes=[_hash(_MEMBERSHIP, personal).hex()],
        )
    )
    vectors += [*_bad_genesis(), *_bad_second(), *_bad_chain()]
    return vectors


def _log(name: str, layer: str, *entries: str, org: bytes = _ORG) -> Vector:
    return bad(name, layer, org=org.hex(), entries=list(entries))


def _bad_genesis() -> Iterable[Vector]:
    def alone(name: str, layer: str, text: str) -> Vector:
        return _log(f"genesis: {name}", layer, text, org=_hash(_MEMBERSHIP, text))

    def changed(path: str, value: Any) -> str:
        return _text(_ADA.sign(_MEMBERSHIP, _with(_genesis(), path, value)))

    yield _log("the genesis of another organization", "membership", _GENESIS, org=fixed("org"))
    yield alone("not canonical", "canonical", _GENESIS + " ")
    yield alone("version 2", "parse", changed("v", 2))
    yield alone("unknown member", "parse", changed("extra", 1))
    yield alone("unknown member of the body", "parse", changed("body.extra", 1))
    yield alone("unknown type", "parse", changed("type", "set_role"))
    yield alone("unknown kind", "parse", changed("body.kind", "guild"))
    yield alone("nonce of 15 bytes", "parse", changed("body.nonce", b64(bytes(15))))
    yield alone(
        "an account that does not follow",
        "account",
        changed("body.owner", {**_ADA.identity(), "account": b64(_BOB.account)}),
    )
    yield alone("an actor who is not the owner", "membership", changed("actor", b64(_BOB.account)))
    yield alone("a genesis that names its organization", "membership", changed("org", b64(_ORG)))
    yield alone("entry 2 as the first", "chain", changed("seq", 2))
    yield alone("seq of zero", "parse", changed("seq", 0))
    yield alone("a first entry with a predecessor", "fork", changed("prev", b64(fixed("prev"))))
    yield alone("signature of another key", "signature", _text(_BOB.sign(_MEMBERSHIP, _genesis())))
    yield alone("signature under another label", "signature", _text(_ADA.sign(_PUSH, _genesis())))
    yield alone("signature of other content", "signature", _text({**_genesis(), "time": 1}))
    yield alone("no signature", "parse", _text({k: v for k, v in _genesis().items() if k != "sig"}))
    for name, key in (
        ("of order 1", b"\x01" + bytes(31)),
        ("of order 2", bytes([0xEC, *[0xFF] * 30, 0x7F])),
        ("of order 4", bytes(32)),
        ("of order 8", bytes.fromhex(_ORDER_8)),
        ("that is not canonical", bytes([0xEE, *[0xFF] * 30, 0x7F])),
    ):
        owner = {**_ADA.identity(), "signing": b64(key)}
        yield alone(f"a signing key {name}", "signature", changed("body.owner", owner))


def _bad_second() -> Iterable[Vector]:
    def then(name: str, layer: str, entry: Vector | str) -> Vector:
        text = entry if isinstance(entry, str) else _text(entry)
        return _log(f"new project: {name}", layer, _GENESIS, text)

    def body(**change: Any) -> Vector:
        return _second(_new_project(**change))

    wraps = _new_project()["wraps"]
    extra = {**wraps, b64(_BOB.account): wraps[b64(_ADA.account)]}
    yield then("of another organization", "membership", _second(org=b64(fixed("org"))))
    yield then("without its organization", "membership", _without_org())
    yield then("by somebody who is no member", "role", _second(actor=b64(_BOB.account)))
    yield then(
        "a second genesis", "membership", _membership(2, _ORG, "genesis", _genesis()["body"])
    )
    yield then("key wrapped to nobody", "membership", body(wraps={}))
    yield then("key wrapped to a stranger as well", "membership", body(wraps=extra))
    yield then(
        "key wrapped to a stranger alone",
        "membership",
        body(wraps={b64(_BOB.account): wraps[b64(_ADA.account)]}),
    )
    yield then("epoch 2 as the first", "parse", body(epoch=2))
    yield then("wrap of 79 bytes", "parse", body(wraps={b64(_ADA.account): b64(bytes(79))}))
    yield then(
        "wrap for an account of 15 bytes", "parse", body(wraps={b64(bytes(15)): b64(bytes(80))})
    )
    yield then("commitment of 31 bytes", "parse", body(commitment=b64(bytes(31))))
    yield then("label over its size", "parse", body(label=b64(bytes(349))))
    yield then("unknown member of the body", "parse", body(extra=1))
    yield then(
        "member of the body missing",
        "parse",
        _second({k: v for k, v in _new_project().items() if k != "label"}),
    )
    yield then("signature of another key", "signature", _BOB.sign(_MEMBERSHIP, _second()))
    yield then("signature under another label", "signature", _ADA.sign(_PUSH, _second()))
    yield then("signature of other content", "signature", {**_second(), "time": 1})
    yield then("flipped signature", "signature", _sig(_second(), lambda s: flipped(s, 3)))
    yield then(
        "signature with its number raised by the order", "signature", _sig(_second(), _malleable)
    )
    yield then("signature of 63 bytes", "parse", _sig(_second(), lambda s: s[:-1]))
    yield then("not canonical", "canonical", " " + _SECOND)
    yield then("a member twice", "canonical", _SECOND[:-1] + ',"v":1}')


def _without_org() -> Vector:
    return _membership(2, _ORG, "project_new", _new_project())


def _bad_chain() -> Iterable[Vector]:
    yield _log("an entry missing", "chain", _GENESIS, _THIRD)
    yield _log("an entry twice", "chain", _GENESIS, _SECOND, _SECOND)
    yield _log("entries swapped", "chain", _GENESIS, _THIRD, _SECOND)
    yield _log("no genesis", "chain", _SECOND)
    renumbered = _ADA.sign(_MEMBERSHIP, _with(_second(), "seq", 3))
    yield _log("an entry renumbered", "chain", _GENESIS, _text(renumbered))
    other = _ADA.sign(_MEMBERSHIP, _with(_second(), "prev", b64(fixed("prev"))))
    yield _log("another predecessor", "fork", _GENESIS, _text(other))
    again = _membership(
        3, _hash(_MEMBERSHIP, _SECOND), "project_new", _new_project(), org=b64(_ORG)
    )
    yield _log("a project twice", "membership", _GENESIS, _SECOND, _text(again))


# ------------------------------------------------------------------------------------------ push

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
    return [seq, b64(_hash(_MEMBERSHIP, MEMBERSHIP[seq - 1]))]


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
        "time": _TIME + seq,
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
        "membership": MEMBERSHIP,
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
    yield _refused("signature of 65 bytes", "parse", _sig(_next(), lambda s: s + b"\0"))
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
    yield _refused("signed under another label", "signature", _ADA.sign(_MEMBERSHIP, _next()))
    yield _refused("flipped signature", "signature", _sig(_next(), lambda s: flipped(s, 0)))
    yield _refused("a signature of zeros", "signature", _sig(_next(), lambda s: bytes(len(s))))
    yield _refused(
        "signature with its number raised by the order", "signature", _sig(_next(), _malleable)
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


# --------------------------------------------------------------------------------------- helpers


def _with(entry: Vector, path: str, value: Any) -> Vector:
    changed = copy.deepcopy(entry)
    *parents, last = path.split(".")
    inner = changed
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return changed


def _sig(entry: Vector, change: Callable[[bytes], bytes]) -> Vector:
    return {**entry, "sig": b64(change(base64.urlsafe_b64decode(entry["sig"] + "==")))}


def _malleable(signature: bytes) -> bytes:
    number = int.from_bytes(signature[32:], "little") + _ORDER
    return signature[:32] + number.to_bytes(32, "little")
