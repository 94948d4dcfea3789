"""Vectors of membership entries that are refused: every rule of section 8.2, one at a time.

Each entry is signed by somebody who might make it, and right but for what its name says.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from tests.vectors.making.membership import SMALL_ORDER_ENCRYPTION, altered, refused
from tests.vectors.making.reference import Person, Vector, b64, fixed
from tests.vectors.making.renewals import renewals
from tests.vectors.making.scenes import (
    ADA,
    BOB,
    BOOKS,
    CLEO,
    DAN,
    EVE,
    FINN,
    GUS,
    NEW,
    PETS,
    invitation,
    scene,
)
from tests.vectors.making.team import TIME, Draft, Invitation, Team, proof, signing_seed


def refusals() -> list[Vector]:
    """Membership entries that are refused after one of `logs`, by the layer that must do so."""
    return [
        *_by_the_wrong_role(),
        *_without_members(),
        *_invites(),
        *_joins(),
        *_roles(),
        *_removals(),
        *_rekeys(),
        *renewals(),
    ]


def _drafts(team: Team) -> dict[str, Draft]:
    """One right entry of every type after the team."""
    return {
        "invite": team.invite(ADA, invitation(team, GUS), "viewer", {BOOKS: "none"}),
        "invite_cancel": team.cancel(invitation(team, EVE).id),
        "join": team.join(EVE, invitation(team, EVE)),
        "set_role": team.set_role(DAN, "none", PETS),
        "remove": team.remove(DAN),
        "project_new": team.project_new(NEW),
        "project_set": team.project_set(PETS, "archived", "Zoo"),
        "org_set": team.rename(),
        "epoch": team.new_epochs(PETS, team.home),
        "account_rekey": team.rekey(CLEO.rekeyed()),
        "plan": team.plan(),
    }


_ACTORS = {"join": EVE, "account_rekey": CLEO, "invite": ADA, "org_set": ADA, "plan": ADA}


def _by_the_wrong_role() -> Iterable[Vector]:
    team = scene("team")
    people = {"an admin": BOB, "an editor": CLEO, "a viewer": DAN, "a stranger": GUS}
    for type_, draft in _drafts(team).items():
        if type_ in ("join", "account_rekey"):
            continue
        for who, person in people.items():
            if person is BOB and type_ not in ("org_set", "plan"):
                continue
            # The removal of Dan by Dan is a member that leaves.
            chosen = team.remove(CLEO) if type_ == "remove" else draft
            if person is CLEO and type_ == "remove":
                chosen = draft
            entry = team.entry(person, type_, chosen.body)
            yield refused(f"{type_} by {who}", "role", "team", entry)

    def by_admin(name: str, draft: Draft, log: str = "team") -> Vector:
        entry = scene(log).entry(BOB, draft.type, draft.body)
        return refused(f"{draft.type}: an admin {name}", "role", log, entry)

    yield by_admin("invites an owner", team.invite(BOB, invitation(team, GUS), "owner"))
    yield by_admin("cancels the invite of an owner", team.cancel(invitation(team, FINN).id))
    yield by_admin("makes an owner of an editor", team.set_role(CLEO, "owner"))
    yield by_admin("makes itself owner", team.set_role(BOB, "owner"))
    two = scene("team")
    two.take(FINN, two.join(FINN, invitation(two, FINN)))
    prefix = two.texts[len(team.texts) :]

    def after_finn(name: str, draft: Draft) -> Vector:
        entry = two.entry(BOB, draft.type, draft.body)
        return refused(f"{draft.type}: an admin {name}", "role", "team", *prefix, entry)

    yield after_finn("makes an admin of an owner", two.set_role(FINN, "admin"))
    yield after_finn("makes an owner of an owner", two.set_role(FINN, "owner"))
    yield after_finn("removes an owner", two.remove(FINN))
    demoted = scene("demoted")
    invite = demoted.invite(BOB, invitation(demoted, GUS), "viewer")
    yield refused(
        "invite by an admin that is no more", "role", "demoted", demoted.entry(BOB, *invite[:2])
    )


def _without_members() -> Iterable[Vector]:
    team = scene("team")
    for type_, draft in _drafts(team).items():
        actor = _ACTORS.get(type_, BOB)

        def vector(name: str, body: Any, by: Person = actor, type_: str = type_) -> Vector:
            return refused(f"{type_} {name}", "parse", "team", team.entry(by, type_, body))

        yield vector("with an unknown member", {**draft.body, "extra": 1})
        yield vector("without members", {})
        for member in draft.body:
            if (type_, member) in (("project_set", "status"), ("project_set", "label")):
                continue
            # A null here is refused below; without it the entry means something else.
            if (type_, member) in (("org_set", "label"), ("set_role", "project")):
                continue
            lacking = {key: value for key, value in draft.body.items() if key != member}
            yield vector(f"without {member!r}", lacking)
            yield vector(f"with {member!r} null", {**draft.body, member: None})


# ------------------------------------------------------------------------------ invites and joins


def _invites() -> Iterable[Vector]:
    team = scene("team")
    draft = team.invite(ADA, invitation(team, GUS), "viewer", {BOOKS: "none"})

    def vector(name: str, layer: str, body: Any, by: Person = ADA) -> Vector:
        return refused(f"invite: {name}", layer, "team", team.entry(by, "invite", body))

    def changed(name: str, layer: str, path: str, value: Any) -> Vector:
        return vector(name, layer, altered(draft.body, path, value))

    yield changed("the role none", "parse", "role", "none")
    yield changed("an unknown role", "parse", "role", "king")
    yield changed("the id of 15 bytes", "parse", "invite", b64(bytes(15)))
    yield changed("the id of 32 bytes", "parse", "invite", b64(bytes(32)))
    yield changed("expires is null", "parse", "expires", None)
    yield changed("expires beyond 2^53", "parse", "expires", 2**53)
    yield changed("expires is negative", "parse", "expires", -1)
    yield changed("the role owner in a project", "parse", f"projects.{b64(BOOKS)}", "owner")
    yield changed("the role admin in a project", "parse", f"projects.{b64(BOOKS)}", "admin")
    yield changed("a project of 15 bytes", "parse", "projects", {b64(bytes(15)): "none"})
    yield changed("a key of small order", "signature", "key", b64(bytes(32)))
    yield changed("a key of 31 bytes", "parse", "key", b64(bytes(31)))
    for name, key in SMALL_ORDER_ENCRYPTION.items():
        yield changed(f"an encryption key {name}", "account", "encryption", b64(key))
    for name, other in (
        ("of a project that is not there", NEW),
        ("in the home", team.home),
        ("in what is an account", DAN.account),
    ):
        roles = {b64(BOOKS): "none", b64(other): "viewer"}
        yield changed(f"a role {name}", "membership", "projects", roles)
    admin = team.invite(ADA, invitation(team, GUS), "admin", {BOOKS: "viewer"}).body
    yield vector("an admin with another role in a project", "membership", admin)
    same = team.invite(ADA, invitation(team, EVE), "viewer", {BOOKS: "none"}).body
    yield vector("an invite that is open", "membership", same)
    used = team.invite(ADA, invitation(team, DAN), "viewer", {BOOKS: "none"}).body
    yield vector("an invite that was used", "membership", used)
    cancelled = scene("cancelled")
    again = cancelled.invite(BOB, invitation(cancelled, EVE), "viewer")
    entry = cancelled.entry(BOB, *again[:2])
    yield refused("invite: one that was cancelled", "membership", "cancelled", entry)
    deleted = scene("project deleted")
    late = deleted.invite(BOB, invitation(deleted, GUS), "viewer", {BOOKS: "none"})
    entry = deleted.entry(BOB, *late[:2])
    yield refused("invite: a role in a deleted project", "membership", "project deleted", entry)
    personal = scene("personal")
    entry = personal.entry(ADA, *personal.invite(ADA, invitation(personal, GUS), "viewer")[:2])
    yield refused("invite: into a personal organization", "membership", "personal", entry)
    yield from _cancellations(team)


def _cancellations(team: Team) -> Iterable[Vector]:
    body = team.cancel(invitation(team, EVE).id).body
    for name, invite in (
        ("that nobody made", fixed("no invite", 16)),
        ("that was used", invitation(team, DAN).id),
        ("that is an account", DAN.account),
    ):
        last = team.entry(BOB, "invite_cancel", {**body, "invite": b64(invite)})
        yield refused(f"invite_cancel: of an invite {name}", "membership", "team", last)
    cancelled = scene("cancelled")
    again = {"invite": b64(invitation(cancelled, EVE).id), "epochs": {}}
    last = cancelled.entry(BOB, "invite_cancel", again)
    yield refused("invite_cancel: a second time", "membership", "cancelled", last)


def _joins() -> Iterable[Vector]:
    team = scene("team")
    eve = invitation(team, EVE)
    draft = team.join(EVE, eve)

    def vector(
        name: str, layer: str, body: Any, by: Person = EVE, log: str = "team", **other: Any
    ) -> Vector:
        entry = scene(log).entry(by, "join", body, **other)
        return refused(f"join: {name}", layer, log, entry)

    def proved(name: str, **signed: Any) -> Vector:
        return vector(f"a proof {name}", "signature", team.join(EVE, eve, **signed).body)

    yield proved("for another organization", org=b64(fixed("org")))
    yield proved("for another invite", invite=b64(invitation(team, FINN).id))
    yield proved("for another place in the log", prev=b64(fixed("prev")))
    yield proved("for another identity", identity=GUS.identity())
    yield proved("for another login", login="gus@example.com")
    yield proved("that signs more", extra=1)
    other = {**draft.body, "proof": team.join(EVE, invitation(team, FINN)).body["proof"]}
    yield vector("a proof by the key of another invite", "signature", other)
    message = _join_message(team, EVE, eve)
    for name, seed, label in (
        ("by the key of who joins", signing_seed(EVE), "sopor/1 join"),
        ("by the key of who invited", signing_seed(BOB), "sopor/1 join"),
        ("under another label", eve.seed, "sopor/1 rekey"),
    ):
        body = {**draft.body, "proof": proof(seed, label, message)}
        yield vector(f"a proof {name}", "signature", body)
    swapped = {**draft.body, "identity": GUS.identity()}
    yield vector("the keys of somebody else, whose entry it is", "signature", swapped, GUS)
    yield vector("the keys of somebody else", "signature", swapped, EVE, actor=b64(GUS.account))
    gus = b64(GUS.account)
    yield vector("in the name of somebody else", "membership", draft.body, EVE, actor=gus)
    eva = b64(EVE.account)
    yield vector("signed by somebody else", "signature", draft.body, GUS, actor=eva)
    signing = {**EVE.identity(), "signing": b64(GUS.signing)}
    yield vector(
        "the entry signed by another key", "signature", {**draft.body, "identity": signing}
    )
    known = team.join(DAN, eve).body
    yield vector("who is a member", "membership", known, DAN)
    twice = Person("Dan")
    twice.login = "dan.again@example.com"
    yield vector(
        "who is a member, with another login", "membership", team.join(twice, eve).body, DAN
    )
    yield vector("who is the inviter", "membership", team.join(BOB, eve).body, BOB)
    double = Person("Dan the second")
    yield vector("with the login of a member", "membership", team.join(double, eve).body, double)
    late = team.join(EVE, eve).body
    yield vector("after the invite has expired", "membership", late, time=TIME + 100_001)
    for name, log in (("was cancelled", "cancelled"), ("ended with its maker's role", "demoted")):
        after = scene(log)
        yield vector(f"by an invite that {name}", "membership", after.join(EVE, eve).body, log=log)
    joined = scene("joined")
    yield vector(
        "by an invite that was used", "membership", joined.join(GUS, eve).body, GUS, "joined"
    )
    nobody = Invitation(team.org, "nobody")
    yield vector("by an invite that nobody made", "membership", team.join(EVE, nobody).body)
    foreign = Invitation(fixed("another organization"), "Eve")
    yield vector("by a code of another organization", "membership", team.join(EVE, foreign).body)
    for name, key in SMALL_ORDER_ENCRYPTION.items():
        identity = {**EVE.identity(), "encryption": b64(key)}
        body = {**draft.body, "identity": identity}
        yield vector(f"an encryption key {name}", "account", body)
    for name, login in (("in upper case", "Eve@example.com"), ("with a space", "eve e")):
        yield vector(f"a login {name}", "parse", {**draft.body, "login": login})


def _join_message(team: Team, person: Person, by: Invitation) -> Vector:
    return {
        "org": b64(team.org),
        "invite": b64(by.id),
        "prev": b64(team.head),
        "identity": person.identity(),
        "login": person.login,
    }


# ------------------------------------------------------------------------------ roles and removals


def _roles() -> Iterable[Vector]:
    team = scene("team")

    def vector(name: str, layer: str, body: Any, by: Person = BOB, log: str = "team") -> Vector:
        return refused(f"set_role: {name}", layer, log, scene(log).entry(by, "set_role", body))

    plain = team.set_role(CLEO, "editor").body
    for name, account in (
        ("of a stranger", GUS.account),
        ("of an open invite", invitation(team, EVE).id),
        ("of the home", team.home),
    ):
        yield vector(name, "membership", {**plain, "account": b64(account)})
    removed = scene("removed")
    yield vector("of a removed member", "membership", plain, BOB, "removed")
    assert removed.org == team.org
    yield vector("the role none in the organization", "parse", {**plain, "role": "none"})
    in_project = team.set_role(DAN, "viewer", PETS).body
    yield vector("the role owner in a project", "parse", {**in_project, "role": "owner"})
    yield vector("the role admin in a project", "parse", {**in_project, "role": "admin"})
    yield vector("a project that is null", "parse", {**in_project, "project": None})
    for name, project in (
        ("that is not there", NEW),
        ("that is the home", team.home),
        ("that is an account", DAN.account),
    ):
        yield vector(f"in a project {name}", "membership", {**in_project, "project": b64(project)})
    late = {**in_project, "project": b64(BOOKS)}
    yield vector("in a deleted project", "membership", late, BOB, "project deleted")
    for name, person in (("an owner", ADA), ("an admin", BOB)):
        body = {**in_project, "account": b64(person.account), "role": "editor"}
        yield vector(f"of {name} in a project", "membership", body, ADA)
    yield vector("the last owner is made admin", "membership", _last_owner(team), ADA)
    # Less right to write needs the cut as much as less access does.
    for name, place in (("in the organization", None), ("in one project", PETS)):
        demotion = team.set_role(CLEO, "viewer", place).body
        yield vector(
            f"an editor is made viewer {name} without epochs",
            "membership",
            {**demotion, "epochs": {}},
        )
    home = team.set_role(CLEO, "viewer")
    epochs = {**home.body["epochs"], **team.new_epochs(team.home).body["epochs"]}
    yield vector(
        "a new epoch of the home, which nobody loses", "membership", {**home.body, "epochs": epochs}
    )
    kept = team.set_role(BOB, "editor").body
    some = {key: value for key, value in kept["epochs"].items() if key != b64(PETS)}
    yield vector(
        "without the epochs of what a cancelled invite loses",
        "membership",
        {**kept, "epochs": some},
        ADA,
    )
    useless = {**plain, "epochs": team.new_epochs(PETS).body["epochs"]}
    yield vector("an epoch that nothing asks for", "membership", useless)


def _last_owner(team: Team) -> Vector:
    return team.set_role(ADA, "admin").body


def _removals() -> Iterable[Vector]:
    team = scene("team")

    def vector(name: str, layer: str, body: Any, by: Person, log: str = "team") -> Vector:
        return refused(f"remove: {name}", layer, log, scene(log).entry(by, "remove", body))

    body = team.remove(DAN).body
    yield vector("of a stranger", "membership", {**body, "account": b64(GUS.account)}, BOB)
    yield vector(
        "of an open invite",
        "membership",
        {**body, "account": b64(invitation(team, EVE).id)},
        BOB,
    )
    yield vector("a second time", "membership", {**body, "epochs": {}}, BOB, "left")
    yield vector("who leaves makes epochs", "membership", body, DAN)
    yield vector("an admin leaves with epochs", "membership", team.remove(BOB).body, BOB)
    yield vector("the last owner leaves", "membership", team.leave(ADA).body, ADA)
    yield vector("the last owner is removed", "membership", team.remove(ADA).body, BOB)
    yield vector("without epochs", "membership", {**body, "epochs": {}}, BOB)
    admin = team.remove(BOB).body
    some = {key: value for key, value in admin["epochs"].items() if key != b64(BOOKS)}
    yield vector(
        "an admin, without one of its epochs", "membership", {**admin, "epochs": some}, ADA
    )
    extra = {**body["epochs"], **team.new_epochs(BOOKS).body["epochs"]}
    yield vector(
        "with an epoch of what the member had no role in",
        "membership",
        {**body, "epochs": extra},
        BOB,
    )
    ended = copy.deepcopy(admin)
    eve = invitation(team, EVE)
    ended["epochs"][b64(PETS)]["invites"][b64(eve.id)] = b64(bytes(80))
    yield vector("an admin, with a key for an invite that ends", "membership", ended, ADA)
    collision = scene("team")
    double = Invitation(team.org, "double")
    double.id = DAN.account
    collision.take(BOB, collision.invite(BOB, double, "viewer"))
    last = collision.entry(ADA, "remove", {"account": b64(DAN.account), "epochs": {}})
    name = "remove: an invite with the member's id stands in for it"
    yield refused(name, "membership", "team", collision.texts[-1], last)


# --------------------------------------------------------------------------------- rekeys


def _rekeys() -> Iterable[Vector]:
    team = scene("team")
    new = CLEO.rekeyed()
    draft = team.rekey(new)

    def vector(name: str, layer: str, body: Any, by: Person = CLEO) -> Vector:
        entry = team.entry(by, "account_rekey", body)
        return refused(f"account_rekey: {name}", layer, "team", entry)

    def proved(name: str, **signed: Any) -> Vector:
        return vector(f"a proof {name}", "signature", team.rekey(new, **signed).body)

    yield proved("for another organization", org=b64(fixed("org")))
    yield proved("for another place in the log", prev=b64(fixed("prev")))
    yield proved("for another identity", identity=CLEO.identity())
    yield proved("that signs more", extra=1)
    message = {"org": b64(team.org), "prev": b64(team.head), "identity": new.identity()}
    for name, seed, label in (
        ("by the old key", signing_seed(CLEO), "sopor/1 rekey"),
        ("under the label of a join", signing_seed(new), "sopor/1 join"),
        ("under the label of an entry", signing_seed(new), "sopor/1 membership"),
    ):
        body = {**draft.body, "proof": proof(seed, label, message)}
        yield vector(f"a proof {name}", "signature", body)
    yield vector("signed by the new key alone", "signature", draft.body, new)
    of_dan = Person("Cleo again", DAN.account)
    yield vector("of another member", "membership", team.rekey(of_dan).body)
    stranger = {**new.identity(), "account": b64(GUS.account)}
    message = {**message, "identity": stranger}
    body = {
        **draft.body,
        "identity": stranger,
        "proof": proof(signing_seed(new), "sopor/1 rekey", message),
    }
    yield vector("to another account", "membership", body)
    for name, key in SMALL_ORDER_ENCRYPTION.items():
        identity = {**new.identity(), "encryption": b64(key)}
        yield vector(f"an encryption key {name}", "account", {**draft.body, "identity": identity})
    identity = {**new.identity(), "signing": b64(bytes(32))}
    yield vector("a signing key of small order", "signature", {**draft.body, "identity": identity})
    by_stranger = Person("Gus again", GUS.account)
    body = {**draft.body, "identity": by_stranger.identity()}
    entry = team.entry(GUS, "account_rekey", body)
    yield refused("account_rekey: by a stranger", "role", "team", entry)
    invite = invitation(team, EVE)
    body = {**draft.body, "identity": {**new.identity(), "account": b64(invite.id)}}
    entry = team.entry(CLEO, "account_rekey", body, actor=b64(invite.id))
    yield refused("account_rekey: of an open invite", "role", "team", entry)
