"""Vectors of the notes that say who works on which branch."""

from __future__ import annotations

from typing import Any

from tests.vectors.making.reference import (
    OTHER_PROJECT,
    Person,
    Vector,
    b64,
    bad,
    canonical,
    fixed,
    flipped,
    good,
    hkdf,
    seal,
    u16,
    u32,
)
from tests.vectors.making.scenes import ADA, BOB, BOOKS, CLEO, DAN, EVE, PETS, scene

_LABEL = b"sopor/1 presence"
_NOW = 1_700_000_000_000
_MINUTE = 60_000
_LAPTOP, _TOWER = fixed("laptop", 16), fixed("tower", 16)
_SCENES = ("team", "removed", "rekeyed")


class _Desk:
    """Ada at her laptop in the pets, unless another is asked for."""

    def __init__(
        self,
        person: Person = ADA,
        device: bytes = _LAPTOP,
        project: bytes = PETS,
        epoch: int = 1,
        secret: bytes = scene("team").secrets[PETS][0],
    ) -> None:
        self.person, self.device, self.project = person, device, project
        self.epoch, self.secret = epoch, secret

    def note(self, label: str = _LABEL.decode(), **change: Any) -> Vector:
        times = {"since": _NOW - 9 * _MINUTE, "time": _NOW}
        note = {"v": 1, "branch": "main", "name": "laptop", **times, **change}
        bound = {
            "project": b64(self.project),
            "account": b64(self.person.account),
            "device": b64(self.device),
        }
        return {**note, "sig": self.person.sign(label, {**note, **bound})["sig"]}

    def seal(self, plain: bytes) -> bytes:
        where = self.project + u32(self.epoch)
        key = hkdf(self.secret, b"", _LABEL + b"\0" + where)
        associated = _LABEL + b"\0" + where + self.person.account + self.device
        return u32(self.epoch) + seal(key, fixed("presence nonce", 12), plain, associated)

    def sealed(self, note: Vector | None = None) -> bytes:
        return self.seal(_padded(canonical(self.note() if note is None else note)))


def _padded(note: bytes, size: int = 512) -> bytes:
    return (u16(len(note)) + note).ljust(size, b"\0")


def presence() -> list[Vector]:
    """Notes of `account` at `device`, read by who knows `log`, at the time `now`."""
    return [*_shown(), *_not_opened(), *_not_so_written(), *_not_of_members(), *_not_of_now()]


def _vector(sealed: bytes, log: str = "team", person: Person = ADA, **other: Any) -> Vector:
    team = scene(log)
    project = other.pop("project", PETS)
    return {
        "logs": {name: scene(name).texts for name in _SCENES},
        "log": log,
        "org": team.org.hex(),
        "project": project.hex(),
        "epochs": {str(n): key.hex() for n, key in enumerate(team.secrets[project], 1)},
        "account": person.account.hex(),
        "device": other.pop("device", _LAPTOP).hex(),
        "now": _NOW,
        "sealed": sealed.hex(),
        **other,
    }


def _one(text: str, desk: _Desk | None = None, log: str = "team", /, **change: Any) -> Vector:
    desk = desk or _Desk()
    note = desk.note(**change)
    told = {"device_name": note["name"]} | {key: note[key] for key in ("branch", "since", "time")}
    return good(text, **_vector(desk.sealed(note), log, desk.person), **told)


def _shown() -> list[Vector]:
    renewed = _Desk(epoch=2, secret=scene("removed").secrets[PETS][1])
    return [
        _one("an owner"),
        _one("an admin", _Desk(BOB)),
        _one("an editor", _Desk(CLEO)),
        _one("a viewer", _Desk(DAN)),
        _one("in epoch 2", renewed, "removed"),
        _one("with the keys of a rekey", _Desk(CLEO.rekeyed()), "rekeyed"),
        _one("long names", branch="b" * 250, name="n" * 64),
        _one("names beyond ASCII", branch="feature/\u00fcber", name="b\u00fcro \u4e00"),
        _one("come right now", since=_NOW),
        _one("five minutes ago", time=_NOW - 5 * _MINUTE),
        _one("in five minutes", time=_NOW + 5 * _MINUTE),
    ]


def _not_opened() -> list[Vector]:
    right, padded = _Desk().sealed(), _padded(canonical(_Desk().note()))
    team, books = scene("team"), _Desk(project=BOOKS, secret=scene("team").secrets[BOOKS][0])
    later = _Desk(epoch=2, secret=scene("removed").secrets[PETS][1])

    def refused(name: str, sealed: bytes, layer: str = "presence", **other: Any) -> Vector:
        return bad(name, layer, **_vector(sealed, **other))

    plain = {
        "padding that is not zero": padded[:-1] + b"\x01",
        "511 bytes": padded[:-1],
        "513 bytes": padded + b"\0",
        "a length beyond the end": u16(511) + padded[2:],
        "no length": b"",
    }
    return [
        refused("flipped bit in the tag", flipped(right)),
        refused("flipped bit in the nonce", flipped(right, 4)),
        refused("flipped bit in the note", flipped(right, 30)),
        refused("a byte missing", right[:-1]),
        refused("a byte too much", right + b"\0"),
        refused("the epoch alone", right[:4]),
        refused("nothing", b"", "epoch"),
        refused("three bytes", right[:3], "epoch"),
        *(refused(name, _Desk().seal(text)) for name, text in plain.items()),
        refused("of another device", _Desk(device=_TOWER).sealed()),
        refused("of another account", _Desk(BOB).sealed()),
        refused("of another project", books.sealed()),
        refused("of a project elsewhere", _Desk(project=OTHER_PROJECT).sealed()),
        refused("under another secret", _Desk(secret=team.secrets[BOOKS][0]).sealed()),
        refused("of a later epoch", later.sealed(), "epoch"),
        refused("of an earlier epoch", right, "epoch", log="removed"),
        refused("of epoch 0", _Desk(epoch=0).sealed(), "epoch"),
        refused("said to be of a later epoch", u32(2) + right[4:], log="removed"),
    ]


def _not_so_written() -> list[Vector]:
    desk = _Desk()
    right = desk.note()
    text = canonical(right)

    def refused(name: str, layer: str, plain: bytes) -> Vector:
        return bad(name, layer, **_vector(desk.seal(_padded(plain))))

    vectors = [
        refused("a space", "canonical", text.replace(b":", b": ", 1)),
        refused("a member twice", "canonical", text.replace(b'"v":1', b'"v":1,"v":1')),
        refused("no JSON", "canonical", b"main"),
        refused("an empty note", "canonical", b""),
        refused("a list", "parse", canonical([right])),
        refused("an unknown member", "parse", canonical(desk.note(extra=1))),
    ]
    for member in right:
        lacking = {key: value for key, value in right.items() if key != member}
        vectors.append(refused(f"without {member!r}", "parse", canonical(lacking)))
    for name, change in (
        ("version 2", {"v": 2}),
        ("a branch of 251 bytes", {"branch": "b" * 251}),
        ("a branch that is null", {"branch": None}),
        ("a name of 65 bytes", {"name": "n" * 65}),
        ("a name that is a number", {"name": 1}),
        ("a time as a text", {"time": "now"}),
        ("a negative time", {"time": -1}),
        ("a time that is true", {"time": True}),
        ("a since as a text", {"since": "long ago"}),
    ):
        vectors.append(refused(name, "parse", canonical(desk.note(**change))))
    for name in ("", "a..b", "a b", "-a", "a.lock", "HEAD", "a\x07"):
        note = canonical(desk.note(branch=name))
        vectors.append(refused(f"the branch name {name!r}", "presence", note))
    for name in ("", "a\nb", "\x1b[2J"):
        note = canonical(desk.note(name=name))
        vectors.append(refused(f"the device name {name!r}", "presence", note))
    return vectors


def _not_of_members() -> list[Vector]:
    desk, forged = _Desk(), _Desk()
    right = desk.note()

    def unsigned(name: str, note: Vector) -> Vector:
        return bad(name, "signature", **_vector(desk.sealed(note)))

    def stranger(name: str, there: _Desk, log: str = "team", **other: Any) -> Vector:
        return bad(name, "membership", **_vector(there.sealed(), log, there.person, **other))

    forged.person = BOB
    moved = [_Desk(device=_TOWER), _Desk(project=BOOKS), _Desk(BOB)]
    removed = scene("removed").secrets[PETS][1]
    books = scene("team").secrets[BOOKS][0]
    old_keys = _vector(_Desk(CLEO).sealed(), "rekeyed", CLEO)
    return [
        unsigned("signed by another member", {**right, "sig": forged.note()["sig"]}),
        unsigned("the signature of another device", moved[0].note()),
        unsigned("the signature of another project", moved[1].note()),
        unsigned("the signature of another account", moved[2].note()),
        unsigned("signed under another label", desk.note("sopor/1 push")),
        unsigned("another branch than was signed", {**right, "branch": "next"}),
        unsigned("another name than was signed", {**right, "name": "tower"}),
        unsigned("since another time than was signed", {**right, "since": _NOW}),
        unsigned("another time than was signed", {**right, "time": _NOW + 1}),
        unsigned("no signature's bytes", {**right, "sig": b64(bytes(64))}),
        bad("with keys from before a rekey", "signature", **old_keys),
        stranger("of a stranger", _Desk(EVE)),
        stranger("of a removed member", _Desk(CLEO, epoch=2, secret=removed), "removed"),
        stranger(
            "of a member without a role in the project",
            _Desk(DAN, project=BOOKS, secret=books),
            project=BOOKS,
        ),
    ]


def _not_of_now() -> list[Vector]:
    def refused(name: str, time: int, since: int = 0) -> Vector:
        desk = _Desk()
        note = desk.note(time=time, since=since)
        return bad(name, "presence", **_vector(desk.sealed(note)))

    return [
        refused("more than five minutes ago", _NOW - 5 * _MINUTE - 1),
        refused("more than five minutes ahead", _NOW + 5 * _MINUTE + 1),
        refused("of 1970", 0),
        refused("since a moment after it was told", _NOW, _NOW + 1),
    ]
