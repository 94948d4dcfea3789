"""Vectors of whole membership logs: what they come to, and what is refused of any entry."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.vectors.making.reference import (
    Person,
    Vector,
    b64,
    canonical,
    entry_hash,
    fixed,
    flipped,
    good,
)
from tests.vectors.making.scenes import (
    ADA,
    BOB,
    BOOKS,
    CLEO,
    DAN,
    EVE,
    FINN,
    GUS,
    PETS,
    invitation,
    logs,
    scene,
)
from tests.vectors.making.team import MEMBERSHIP, TIME, Team

_ORDER = 2**252 + 27742317777372353535851937790883648493
_SMALL_ORDER_SIGNING = {
    "of order 1": b"\x01" + bytes(31),
    "of order 2": bytes([0xEC, *[0xFF] * 30, 0x7F]),
    "of order 4": bytes(32),
    "of order 8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "that is not canonical": bytes([0xEE, *[0xFF] * 30, 0x7F]),
}
_P = 2**255 - 19
_ORDER_8_U = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
SMALL_ORDER_ENCRYPTION = {
    f"{u:#x} of small order": u.to_bytes(32, "little")
    for u in (0, 1, *_ORDER_8_U, _P - 1, _P, _P + 1, 2**255, 2**255 + 1, 2**255 + _P - 1)
}


def text(entry: Vector) -> str:
    return canonical(entry).decode()


def known(name: str, team: Team, entries: list[str] | None = None) -> Vector:
    """The inputs of a vector: a named log, and the entries that come after it."""
    return {"name": name, "org": team.org.hex(), "logs": logs(), "entries": entries or []}


def refused(name: str, layer: str, log: str, *entries: Vector | str) -> Vector:
    """Entries after a scene, the last of which is refused."""
    texts = [entry if isinstance(entry, str) else text(entry) for entry in entries]
    return known(name, scene(log), texts) | {"layer": layer, "log": log}


def membership() -> list[Vector]:
    """Membership logs: one of `logs`, then `entries`, the last of which is refused if one is.

    Good ones have the hash of the last entry and what their replay comes to.
    """
    vectors = [_accepted(f"the log {name!r}", scene(name), name) for name in logs()]
    founded = Team(ADA.rekeyed())
    vectors.append(_accepted("a team founded after a rekey", founded, "", founded.texts))
    for name, team in _stories().items():
        start = len(scene("team").texts)
        vectors.append(_accepted(name, team, "team", team.texts[start:]))
    return [*vectors, *_bad_genesis(), *_bad_chain(), *_bad_envelopes()]


def _accepted(name: str, team: Team, log: str, entries: list[str] | None = None) -> Vector:
    found = known(name, team, entries) | {"log": log}
    return good(**found, hash=team.head.hex(), state=team.state())


def _stories() -> dict[str, Team]:
    """What may follow the team, one rule a story."""
    stories: dict[str, Team] = {}

    def story(name: str) -> Team:
        stories[name] = scene("team")
        return stories[name]

    team = story("an invited owner joins, and the first one leaves")
    team.take(FINN, team.join(FINN, invitation(team, FINN)))
    team.take(ADA, team.leave(ADA))
    team = story("an editor makes the epochs that are due, but for what it may not write")
    team.take(DAN, team.leave(DAN))
    team.take(CLEO, team.new_epochs(team.home, PETS))
    team = story("an admin makes an epoch that is not due")
    team.take(BOB, team.new_epochs(BOOKS))
    team = story("an admin leaves, and its invites end")
    team.take(BOB, team.leave(BOB))
    team.take(ADA, team.new_epochs(*team.scopes))
    team = story("an admin is removed, and its invites end")
    team.take(ADA, team.remove(BOB))
    team = story("an admin is made viewer, and its invites end")
    team.take(ADA, team.set_role(BOB, "viewer"))
    team = story("an owner is made admin by another, and its invites of owners end")
    team.take(FINN, team.join(FINN, invitation(team, FINN)))
    team.take(FINN, team.invite(FINN, invitation(team, GUS), "owner"))
    team.take(ADA, team.set_role(FINN, "admin"))
    team = story("an owner and an admin are made what they are, and their invites stay")
    team.take(ADA, team.set_role(BOB, "admin"))
    team.take(FINN, team.join(FINN, invitation(team, FINN)))
    team.take(FINN, team.invite(FINN, invitation(team, GUS), "viewer"))
    team.take(ADA, team.set_role(FINN, "owner"))
    team = story("an owner is made admin, and its invites of others stay")
    team.take(FINN, team.join(FINN, invitation(team, FINN)))
    team.take(FINN, team.invite(FINN, invitation(team, GUS), "admin"))
    team.take(ADA, team.set_role(FINN, "admin"))
    team = story("a member gets and loses one project")
    team.take(BOB, team.set_role(DAN, "editor", BOOKS))
    team.take(BOB, team.set_role(DAN, "none", BOOKS))
    team = story("an editor reads one project only, which cuts it")
    team.take(BOB, team.set_role(CLEO, "viewer", PETS))
    team = story("who becomes admin has no other role in a project")
    team.take(BOB, team.set_role(DAN, "admin"))
    team = story("a removed member is invited again and joins with other keys")
    team.take(BOB, team.remove(CLEO))
    anew = CLEO.rekeyed()
    team.take(BOB, team.invite(BOB, invitation(team, anew), "viewer"))
    team.take(anew, team.join(anew, invitation(team, anew)))
    return stories | _more_stories()


def _more_stories() -> dict[str, Team]:
    stories: dict[str, Team] = {}

    def story(name: str) -> Team:
        stories[name] = scene("team")
        return stories[name]

    team = story("an admin is rekeyed, its invites end, and it makes the epochs with its new key")
    team.take(BOB, team.rekey(BOB.rekeyed()))
    team.take(BOB.rekeyed(), team.new_epochs(*team.scopes))
    team = story("a member is rekeyed twice")
    team.take(DAN, team.rekey(DAN.rekeyed()))
    team.take(DAN.rekeyed(), team.rekey(DAN.rekeyed().rekeyed()))
    team = story("a project is archived, gets an epoch, and is active again")
    team.take(ADA, team.project_set(PETS, "archived"))
    team.take(ADA, team.new_epochs(PETS))
    team.take(ADA, team.project_set(PETS, "active"))
    team = story("a project is deleted while it is due")
    team.take(DAN, team.leave(DAN))
    team.take(ADA, team.project_set(PETS, "deleted"))
    team.take(ADA, team.new_epochs(team.home))
    team = story("names are sealed under the new epochs")
    team.take(ADA, team.new_epochs(*team.scopes))
    team.take(ADA, team.rename())
    team.take(BOB, team.project_set(PETS, name="Zoo"))
    team = story("a name and a status in one entry")
    team.take(BOB, team.project_set(PETS, "archived", "Zoo"))
    team = story("a project of a team with open invites, and a second cut further on")
    team.take(ADA, team.new_epochs(PETS))
    team.heads[PETS] = (9, fixed("a later head"))
    team.take(ADA, team.new_epochs(PETS))
    team = story("an invite that has the id of an account that is removed then")
    other = invitation(team, GUS)
    other.id = CLEO.account
    team.take(BOB, team.invite(BOB, other, "editor"))
    team.take(ADA, team.remove(CLEO))
    team = story("a join in the last moment of an invite")
    late = invitation(team, GUS)
    expires = TIME + len(team.texts) + 2
    team.take(BOB, team.invite(BOB, late, "viewer", expires=expires))
    team.take(GUS, team.join(GUS, late))
    team = story("a license, and a newer one")
    team.take(ADA, team.plan())
    team.take(ADA, team.plan(seats=0, expires=TIME))
    team = story("a license that another key signed, which is the server's affair")
    team.take(ADA, team.plan(fixed("another license key")))
    return stories


# --------------------------------------------------------------------------------------- genesis


def _bad_genesis() -> Iterable[Vector]:
    team = Team(ADA)
    genesis = team.genesis

    def alone(name: str, layer: str, last: str) -> Vector:
        org = entry_hash(MEMBERSHIP, last.encode())
        found = known(f"genesis: {name}", team, [last])
        return found | {"layer": layer, "log": "", "org": org.hex()}

    def changed(path: str, value: Any) -> str:
        return text(ADA.sign(MEMBERSHIP, altered(genesis, path, value)))

    yield alone("of another organization", "membership", text(genesis)) | {"org": fixed("o").hex()}
    yield alone("not canonical", "canonical", text(genesis) + " ")
    changes: list[tuple[str, str, str, Any]] = [
        ("version 2", "parse", "v", 2),
        ("unknown member", "parse", "extra", 1),
        ("unknown member of the body", "parse", "body.extra", 1),
        ("type of another body", "parse", "type", "set_role"),
        ("unknown kind", "parse", "body.kind", "guild"),
        ("nonce of 15 bytes", "parse", "body.nonce", b64(bytes(15))),
        ("login in upper case", "parse", "body.login", "Ada@example.com"),
        ("login with a space", "parse", "body.login", "ada lovelace"),
        ("login that is empty", "parse", "body.login", ""),
        ("login of 129 characters", "parse", "body.login", "a" * 129),
        ("label over its size", "parse", "body.label", b64(bytes(349))),
        ("an actor who is not the owner", "membership", "actor", b64(BOB.account)),
        ("it names its organization", "membership", "org", b64(team.org)),
        ("entry 2 as the first", "chain", "seq", 2),
        ("seq of zero", "parse", "seq", 0),
        ("a predecessor", "fork", "prev", b64(fixed("prev"))),
        ("first epoch is the second", "epoch", "body.home.epoch", 2),
        ("first epoch has a previous one", "epoch", "body.home.previous", b64(bytes(60))),
        ("first epoch has a cut", "epoch", "body.home.cut", [0, b64(bytes(32))]),
        ("first epoch is for nobody", "membership", "body.home.wraps", {}),
    ]
    for name, layer, path, value in changes:
        yield alone(name, layer, changed(path, value))
    own = Team(ADA, "personal").genesis
    stranger = altered(own, "body.owner.account", b64(BOB.account))
    last = text(ADA.sign(MEMBERSHIP, stranger))
    yield alone("a personal one of an account that does not follow", "account", last)
    wrap = genesis["body"]["home"]["wraps"][b64(ADA.account)]
    both = {b64(ADA.account): wrap, b64(BOB.account): wrap}
    yield alone("first epoch is for a stranger", "membership", changed("body.home.wraps", both))
    invites = {b64(fixed("invite", 16)): wrap}
    yield alone("first epoch is for an invite", "membership", changed("body.home.invites", invites))
    for member in genesis["body"]:
        lacking = {k: v for k, v in genesis["body"].items() if k != member}
        yield alone(f"without {member!r}", "parse", changed("body", lacking))
    for name, key in _SMALL_ORDER_SIGNING.items():
        yield alone(f"a signing key {name}", "signature", changed("body.owner.signing", b64(key)))
    for name, key in SMALL_ORDER_ENCRYPTION.items():
        owner = {**ADA.identity(), "encryption": b64(key)}
        yield alone(f"an encryption key {name}", "account", changed("body.owner", owner))
    yield alone("an actor who is not the owner, with the key", "membership", _by_bob(genesis))
    yield alone("signature of another key", "signature", text(BOB.sign(MEMBERSHIP, genesis)))
    yield alone("signature under another label", "signature", text(ADA.sign("sopor/1 x", genesis)))
    yield alone("signature of other content", "signature", text({**genesis, "time": 1}))
    yield alone("other things first", "membership", _not_a_genesis())


def _by_bob(genesis: Vector) -> str:
    """Ada's genesis in Bob's name, whom its epoch is for."""
    wrap = genesis["body"]["home"]["wraps"][b64(ADA.account)]
    changed = altered(genesis, "actor", b64(BOB.account))
    changed = altered(changed, "body.home.wraps", {b64(BOB.account): wrap})
    return text(ADA.sign(MEMBERSHIP, changed))


def _not_a_genesis() -> str:
    entry = {**Team(ADA).entry(ADA, "org_set", {"deleted": True}), "seq": 1, "prev": b64(bytes(32))}
    return text(ADA.sign(MEMBERSHIP, {k: v for k, v in entry.items() if k != "org"}))


# --------------------------------------------------------------------------------- chain, envelope


def _bad_chain() -> Iterable[Vector]:
    team = scene("team")
    texts = team.texts

    def log(name: str, layer: str, *entries: str) -> Vector:
        return known(name, team, [*entries]) | {"layer": layer, "log": ""}

    yield log("an entry missing", "chain", texts[0], texts[2])
    yield log("an entry twice", "chain", *texts[:3], texts[2])
    yield log("entries swapped", "chain", texts[0], texts[2], texts[1])
    yield log("no genesis", "chain", texts[1])
    yield log("a second genesis of the same organization", "chain", texts[0], texts[0])
    entry = team.entry(ADA, "org_set", team.rename().body)
    for name, layer, member, value in (
        ("an entry renumbered", "chain", "seq", entry["seq"] + 1),
        ("the number of the newest entry", "chain", "seq", entry["seq"] - 1),
        ("another predecessor", "fork", "prev", b64(fixed("prev"))),
        ("zeros as the predecessor", "fork", "prev", b64(bytes(32))),
        ("the predecessor's predecessor", "fork", "prev", json.loads(texts[-1])["prev"]),
        ("of another organization", "membership", "org", b64(fixed("org"))),
        ("by somebody who is no member", "role", "actor", b64(GUS.account)),
        ("by an open invite", "role", "actor", b64(invitation(team, EVE).id)),
        ("by the home", "role", "actor", b64(team.home)),
    ):
        yield refused(name, layer, "team", ADA.sign(MEMBERSHIP, {**entry, member: value}))
    unnamed = {key: value for key, value in entry.items() if key != "org"}
    yield refused("without its organization", "membership", "team", ADA.sign(MEMBERSHIP, unnamed))
    second = team.entry(ADA, "genesis", team.genesis["body"])
    yield refused("a second genesis", "membership", "team", second)
    for log_, person in (("removed", CLEO), ("left", DAN)):
        gone = scene(log_)
        entry = gone.entry(person, "org_set", gone.rename().body)
        yield refused(f"by a member who is gone: {log_}", "role", log_, entry)
    rekeyed = scene("rekeyed")
    by_old = rekeyed.entry(CLEO, "remove", {"account": b64(CLEO.account), "epochs": {}})
    yield refused("by a key that was replaced", "signature", "rekeyed", by_old)
    early = team.entry(CLEO.rekeyed(), "remove", {"account": b64(CLEO.account), "epochs": {}})
    yield refused("by a key that comes later", "signature", "team", early)
    after = scene("deleted")
    for name, person, draft in (
        ("the same again", ADA, after.delete()),
        ("a new project", ADA, after.project_new(fixed("new", 16))),
        ("somebody leaves", DAN, after.leave(DAN)),
        ("somebody joins", EVE, after.join(EVE, invitation(after, EVE))),
        ("new epochs", BOB, after.new_epochs(PETS)),
    ):
        entry = after.entry(person, draft.type, draft.body)
        yield refused(f"after the end of the organization: {name}", "membership", "deleted", entry)


def _bad_envelopes() -> Iterable[Vector]:
    team = scene("team")
    entry = team.entry(BOB, "invite_cancel", team.cancel(invitation(team, EVE).id).body)
    whole = text(entry)

    def signed(changed: Vector, by: Person = BOB) -> Vector:
        return by.sign(MEMBERSHIP, changed)

    yield refused("not JSON", "canonical", "team", whole[:-1])
    yield refused("not canonical", "canonical", "team", " " + whole)
    yield refused("a member twice", "canonical", "team", whole[:-1] + ',"v":1}')
    scope = json.dumps(min(entry["body"]["epochs"]))
    doubled = whole.replace(f"{scope}:", f"{scope}:{{}},{scope}:", 1)
    yield refused("a scope twice", "canonical", "team", doubled)
    yield refused("a list", "parse", "team", f"[{whole}]")
    yield refused("signature of another member", "signature", "team", signed(entry, ADA))
    yield refused(
        "signature under another label", "signature", "team", BOB.sign("sopor/1 push", entry)
    )
    yield refused("signature of other content", "signature", "team", {**entry, "time": 1})
    for name, layer, change in (
        ("a flipped signature", "signature", lambda sig: flipped(sig, 3)),
        ("a signature with its number raised by the order", "signature", malleable),
        ("a signature of zeros", "signature", lambda sig: bytes(len(sig))),
        ("a signature of 63 bytes", "parse", lambda sig: sig[:-1]),
    ):
        yield refused(name, layer, "team", resigned(entry, change))
    for member in entry:
        lacking = {key: value for key, value in entry.items() if key != member}
        layer = "membership" if member == "org" else "parse"
        last = lacking if member == "sig" else signed(lacking)
        yield refused(f"without {member!r}", layer, "team", last)
    for name, member, value in (
        ("version 2", "v", 2),
        ("version true", "v", True),
        ("an unknown member", "extra", 1),
        ("an unknown type", "type", "coup"),
        ("a type that is not a text", "type", 1),
        ("a type in upper case", "type", "Remove"),
        ("seq of zero", "seq", 0),
        ("seq that is true", "seq", True),
        ("seq beyond 2^53", "seq", 2**53),
        ("a negative time", "time", -1),
        ("a time beyond 2^53", "time", 2**53),
        ("a time with a fraction", "time", "1"),
        ("an actor of 15 bytes", "actor", b64(bytes(15))),
        ("an actor of 32 bytes", "actor", b64(bytes(32))),
        ("an organization of 16 bytes", "org", b64(bytes(16))),
        ("an organization that is null", "org", None),
        ("a predecessor that is null", "prev", None),
        ("a body that is null", "body", None),
        ("a body that is a list", "body", []),
        ("the body of another type", "type", "remove"),
    ):
        yield refused(name, "parse", "team", signed({**entry, member: value}))
    unused = {**entry, "actor": entry["actor"][:-1] + chr(ord(entry["actor"][-1]) + 1)}
    yield refused("an actor with unused bits set", "parse", "team", signed(unused))


# --------------------------------------------------------------------------------------- helpers


def altered(entry: Vector, path: str, value: Any) -> Vector:
    """A copy with one member changed."""
    changed = copy.deepcopy(entry)
    *parents, last = path.split(".")
    inner = changed
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return changed


def resigned(entry: Vector, change: Callable[[bytes], bytes]) -> Vector:
    return {**entry, "sig": b64(change(base64.urlsafe_b64decode(entry["sig"] + "==")))}


def malleable(signature: bytes) -> bytes:
    number = int.from_bytes(signature[32:], "little") + _ORDER
    return signature[:32] + number.to_bytes(32, "little")
