"""Vectors of membership entries that are refused for keys, projects and the organization itself.

As in `refusals`, each is signed by somebody who might make it, and has one fault.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from tests.vectors.making.membership import altered, refused
from tests.vectors.making.reference import Person, Vector, b64, fixed, hpke_seal
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
from tests.vectors.making.team import Draft, Team, license_of

_Change = Callable[[Any], Any]


def renewals() -> list[Vector]:
    """Vectors of epochs, wraps, projects, names and licenses."""
    return [*_epochs(), *_wraps(), *_projects(), *_organization(), *_plans()]


# ------------------------------------------------------------------------------------------ epochs


def _wrap(team: Team, scope: bytes, to: bytes, key: bytes) -> str:
    info = b"sopor/1 epoch\0" + team.org + scope + b"\0\0\0\2" + to
    return b64(hpke_seal(key, fixed("ephemeral"), info, fixed("secret")))


def _epoch_faults(team: Team, scope: bytes) -> dict[str, tuple[str, _Change]]:
    """What can be wrong with the new epoch of a project: the layer, and a change of the epoch."""
    eve, ada = b64(invitation(team, EVE).id), b64(ADA.account)

    def put(path: str, value: Any) -> _Change:
        return lambda epoch: altered(epoch, path, value)

    def drop(*path: str) -> _Change:
        def change(epoch: Vector) -> Vector:
            changed = copy.deepcopy(epoch)
            inner = changed[path[0]] if len(path) > 1 else changed
            inner.pop(path[-1], None)
            return changed

        return change

    def moved(epoch: Vector) -> Vector:
        changed = drop("invites", eve)(epoch)
        return altered(changed, f"wraps.{eve}", b64(bytes(80)))

    stranger = _wrap(team, scope, GUS.account, GUS.encryption)
    head = b64(fixed("another head"))
    return {
        "with the number of the present one": ("epoch", put("epoch", 1)),
        "with a number left out": ("epoch", put("epoch", 3)),
        "with the number 0": ("parse", put("epoch", 0)),
        "with a number beyond 32 bits": ("parse", put("epoch", 2**32)),
        "with a number that is true": ("parse", put("epoch", True)),
        "without its number": ("parse", drop("epoch")),
        "without a commitment": ("parse", drop("commitment")),
        "with a commitment of 31 bytes": ("parse", put("commitment", b64(bytes(31)))),
        "without the previous secret": ("epoch", drop("previous")),
        "with an empty previous secret": ("parse", put("previous", "")),
        "with a previous secret of 59 bytes": ("parse", put("previous", b64(bytes(59)))),
        "without a cut": ("membership", drop("cut")),
        "with a cut at nothing that has a hash": ("membership", put("cut", [0, head])),
        "with a cut at something without hash": ("membership", put("cut", [3, b64(bytes(32))])),
        "with a cut of three": ("parse", put("cut", [3, head, 1])),
        "with a cut that is an object": ("parse", put("cut", {"seq": 3, "hash": head})),
        "with a cut at a negative place": ("parse", put("cut", [-1, head])),
        "with a cut at true": ("parse", put("cut", [True, head])),
        "with a cut beyond 2^53": ("parse", put("cut", [2**53, head])),
        "with a cut of 31 bytes": ("parse", put("cut", [3, b64(bytes(31))])),
        "for a stranger as well": ("membership", put(f"wraps.{b64(GUS.account)}", stranger)),
        "without one member": ("membership", drop("wraps", ada)),
        "for nobody": ("membership", put("wraps", {})),
        "without an open invite": ("membership", drop("invites", eve)),
        "for an invite that is not open": ("membership", put(f"invites.{ada}", stranger)),
        "with an invite among the members": ("membership", moved),
        "without the members' part": ("parse", drop("wraps")),
        "without the invites' part": ("parse", drop("invites")),
        "with a wrap of 79 bytes": ("parse", put(f"wraps.{ada}", b64(bytes(79)))),
        "with a wrap of 81 bytes": ("parse", put(f"wraps.{ada}", b64(bytes(81)))),
        "with a wrap that is null": ("parse", put(f"wraps.{ada}", None)),
        "for an account of 15 bytes": ("parse", put(f"wraps.{b64(bytes(15))}", stranger)),
        "with wraps in a list": ("parse", put("wraps", [])),
        "with an unknown member": ("parse", put("extra", 1)),
    }


def _epochs() -> Iterable[Vector]:
    team = scene("team")
    faulty = {
        "remove": (BOB, team.remove(DAN)),
        "set_role": (BOB, team.set_role(CLEO, "none", PETS)),
        "epoch": (BOB, team.new_epochs(PETS, team.home)),
        "invite_cancel": (ADA, team.cancel(invitation(team, FINN).id)),
    }
    scope = b64(PETS)
    for type_, (actor, draft) in faulty.items():
        for name, (layer, change) in _epoch_faults(team, PETS).items():
            body = copy.deepcopy(draft.body)
            body["epochs"][scope] = change(body["epochs"][scope])
            entry = team.entry(actor, type_, body)
            yield refused(f"{type_}: an epoch {name}", layer, "team", entry)
        yield from _scope_faults(team, type_, actor, draft)
    for type_, person, draft in (
        ("remove", DAN, faulty["remove"][1]),
        ("set_role", CLEO, faulty["set_role"][1]),
    ):
        body = copy.deepcopy(draft.body)
        wrap = _wrap(team, PETS, person.account, person.encryption)
        body["epochs"][scope]["wraps"][b64(person.account)] = wrap
        name = f"{type_}: an epoch for who loses access as well"
        yield refused(name, "membership", "team", team.entry(BOB, type_, body))
    body = copy.deepcopy(faulty["invite_cancel"][1].body)
    finn = invitation(team, FINN)
    body["epochs"][scope]["invites"][b64(finn.id)] = _wrap(team, PETS, finn.id, finn.encryption)
    last = team.entry(ADA, "invite_cancel", body)
    yield refused("invite_cancel: an epoch for the invite as well", "membership", "team", last)
    yield from _epochs_that_are_due()
    yield from _cuts()


def _scope_faults(team: Team, type_: str, actor: Person, draft: Draft) -> Iterable[Vector]:
    def vector(name: str, layer: str, epochs: Any) -> Vector:
        entry = team.entry(actor, type_, {**draft.body, "epochs": epochs})
        return refused(f"{type_}: {name}", layer, "team", entry)

    epochs = draft.body["epochs"]
    epoch = epochs[b64(PETS)]
    short = {b64(bytes(15)): epoch}
    yield vector("an epoch of a scope of 15 bytes", "parse", short)
    yield vector("epochs in a list", "parse", [epoch])
    yield vector("an epoch that is null", "parse", {**epochs, b64(PETS): None})
    for name, scope in (("a scope that is not there", NEW), ("an account", DAN.account)):
        yield vector(f"an epoch of {name}", "membership", {**epochs, b64(scope): epoch})
    if b64(team.home) in epochs:
        home = {**epochs[b64(team.home)], "cut": [0, b64(bytes(32))]}
        yield vector("a cut in the home", "membership", {**epochs, b64(team.home): home})
    if type_ != "epoch":
        yield vector("no epochs", "membership", {})
        for scope in epochs:
            some = {key: value for key, value in epochs.items() if key != scope}
            if some:
                name = "the home" if scope == b64(team.home) else f"project {scope[:4]}"
                yield vector(f"no epoch of {name}", "membership", some)


def _epochs_that_are_due() -> Iterable[Vector]:
    team, left, gone = scene("team"), scene("left"), scene("project deleted")

    def vector(name: str, layer: str, log: str, by: Person, *scopes: bytes) -> Vector:
        draft = scene(log).new_epochs(*scopes)
        return refused(f"epoch: {name}", layer, log, scene(log).entry(by, "epoch", draft.body))

    yield vector("an editor makes one that is not due", "role", "team", CLEO, PETS)
    yield vector(
        "an editor makes one that is due and one that is not", "role", "left", CLEO, PETS, BOOKS
    )
    yield vector(
        "an editor makes that of the home, which is not due", "role", "team", CLEO, team.home
    )
    yield vector("who left makes what is due", "role", "left", DAN, PETS)
    empty = left.entry(BOB, "epoch", {"epochs": {}})
    yield refused("epoch: none", "parse", "left", empty)
    old = copy.deepcopy(left.new_epochs(PETS).body)
    old["epochs"][b64(PETS)]["wraps"][b64(DAN.account)] = _wrap(
        left, PETS, DAN.account, DAN.encryption
    )
    yield refused(
        "epoch: for who left as well", "membership", "left", left.entry(BOB, "epoch", old)
    )
    deleted = {**gone.new_epochs(PETS).body["epochs"]}
    deleted[b64(BOOKS)] = team.new_epochs(BOOKS).body["epochs"][b64(BOOKS)]
    last = gone.entry(BOB, "epoch", {"epochs": deleted})
    yield refused("epoch: of a deleted project", "membership", "project deleted", last)
    viewer = scene("left")
    viewer.take(ADA, viewer.set_role(CLEO, "viewer", BOOKS))
    viewer.take(BOB, viewer.rekey(BOB.rekeyed()))
    prefix = viewer.texts[len(left.texts) :]
    last = viewer.entry(CLEO, "epoch", viewer.new_epochs(BOOKS).body)
    name = "epoch: due, by who is a viewer in that project"
    yield refused(name, "role", "left", *prefix, last)
    shut = scene("team")
    shut.take(BOB, shut.rekey(BOB.rekeyed()))
    last = shut.entry(DAN, "epoch", shut.new_epochs(BOOKS).body)
    name = "epoch: due, by who has no role in that project"
    yield refused(name, "role", "team", shut.texts[-1], last)


def _cuts() -> Iterable[Vector]:
    cut = scene("cut")
    body = cut.new_epochs(PETS).body
    for name, place in (
        ("behind an earlier one", [2, b64(fixed("an earlier head"))]),
        ("behind all entries", [0, b64(bytes(32))]),
        ("at the same place as an earlier one, with another hash", [3, b64(fixed("other"))]),
    ):
        changed = altered(body, f"epochs.{b64(PETS)}.cut", place)
        last = cut.entry(BOB, "epoch", changed)
        yield refused(f"epoch: a cut that goes back {name}", "membership", "cut", last)


# ------------------------------------------------------------------------------------------- wraps


def _wraps() -> Iterable[Vector]:
    team = scene("team")
    giving = {
        "invite": (ADA, team.invite(ADA, invitation(team, GUS), "viewer", {BOOKS: "none"})),
        "join": (EVE, team.join(EVE, invitation(team, EVE))),
        "set_role": (BOB, team.set_role(DAN, "viewer", BOOKS)),
        "account_rekey": (CLEO, team.rekey(CLEO.rekeyed())),
    }
    for type_, (actor, draft) in giving.items():
        wraps = draft.body["wraps"]
        scope, wrap = next(iter(wraps.items()))

        def vector(
            name: str,
            layer: str,
            changed: Any,
            type_: str = type_,
            actor: Person = actor,
            body: Vector = draft.body,
        ) -> Vector:
            entry = team.entry(actor, type_, {**body, "wraps": changed})
            return refused(f"{type_}: {name}", layer, "team", entry)

        yield vector("no wraps", "membership", {})
        for missing in wraps:
            some = {key: value for key, value in wraps.items() if key != missing}
            if some:
                yield vector(f"without the wrap of {missing[:4]}", "membership", some)
        for name, other in (
            ("a scope that is not there", NEW),
            ("an account as the scope", CLEO.account),
        ):
            yield vector(f"a wrap of {name}", "membership", {**wraps, b64(other): wrap})
        yield vector("a wrap of 79 bytes", "parse", {**wraps, scope: b64(bytes(79))})
        yield vector("a wrap that is null", "parse", {**wraps, scope: None})
        yield vector("a scope of 15 bytes", "parse", {b64(bytes(15)): wrap})
        yield vector("wraps in a list", "parse", [wrap])
    invite = giving["invite"][1].body
    books = {**invite["wraps"], b64(BOOKS): invite["wraps"][b64(PETS)]}
    last = team.entry(ADA, "invite", {**invite, "wraps": books})
    yield refused("invite: a wrap of a project without a role", "membership", "team", last)
    role = giving["set_role"][1].body
    home = {**role["wraps"], b64(team.home): role["wraps"][b64(BOOKS)]}
    last = team.entry(BOB, "set_role", {**role, "wraps": home})
    yield refused("set_role: a wrap of what the member has", "membership", "team", last)


# ------------------------------------------------------------------------ projects, organization


def _projects() -> Iterable[Vector]:
    team = scene("team")
    draft = team.project_new(NEW)

    def vector(name: str, layer: str, body: Any, log: str = "team") -> Vector:
        entry = scene(log).entry(BOB, "project_new", body)
        return refused(f"project_new: {name}", layer, log, entry)

    for name, project in (("that is there", PETS), ("that is the home", team.home)):
        body = {**draft.body, "project": b64(project)}
        yield vector(f"a project {name}", "membership", body)
    gone = scene("project deleted").project_new(NEW).body
    body = {**gone, "project": b64(BOOKS)}
    yield vector("a project that was deleted", "membership", body, "project deleted")
    first = draft.body["first"]
    faults = _epoch_faults(team, NEW)
    for name, (layer, change) in faults.items():
        if "cut" in name or "previous" in name or "number" in name:
            continue
        yield vector(f"a first epoch {name}", layer, {**draft.body, "first": change(first)})
    for name, member, value in (
        ("that is the second", "epoch", 2),
        ("with a previous one", "previous", b64(bytes(60))),
        ("with a cut", "cut", [0, b64(bytes(32))]),
    ):
        changed = {**first, member: value}
        yield vector(f"a first epoch {name}", "epoch", {**draft.body, "first": changed})
    yield vector("a label over its size", "parse", {**draft.body, "label": b64(bytes(349))})
    yield from _project_changes(team)


def _project_changes(team: Team) -> Iterable[Vector]:
    named = team.project_set(PETS, name="Zoo").body

    def vector(name: str, layer: str, body: Any, log: str = "team") -> Vector:
        entry = scene(log).entry(BOB, "project_set", body)
        return refused(f"project_set: {name}", layer, log, entry)

    yield vector("nothing", "parse", {"project": b64(PETS)})
    yield vector("an unknown status", "parse", {"project": b64(PETS), "status": "frozen"})
    yield vector("a label without its epoch", "parse", {**named, "label": named["label"][1]})
    yield vector("a label of three", "parse", {**named, "label": [*named["label"], 1]})
    yield vector("a label of epoch 0", "parse", {**named, "label": [0, named["label"][1]]})
    yield vector("a label over its size", "parse", {**named, "label": [1, b64(bytes(349))]})
    for name, project in (
        ("that is not there", NEW),
        ("that is the home", team.home),
        ("that is an account", DAN.account),
    ):
        yield vector(f"a project {name}", "membership", {**named, "project": b64(project)})
    gone = {"project": b64(BOOKS), "status": "active"}
    yield vector("a deleted project lives again", "membership", gone, "project deleted")
    yield vector(
        "a deleted project is deleted",
        "membership",
        gone | {"status": "deleted"},
        "project deleted",
    )
    yield vector("a label under an old epoch", "epoch", named, "cut")
    yield vector(
        "a label under a coming epoch", "epoch", {**named, "label": [2, named["label"][1]]}
    )
    yield vector("a label under an epoch that is due to end", "epoch", named, "left")


def _organization() -> Iterable[Vector]:
    team = scene("team")
    body = team.rename().body

    def vector(name: str, layer: str, body: Any, log: str = "team") -> Vector:
        entry = scene(log).entry(ADA, "org_set", body)
        return refused(f"org_set: {name}", layer, log, entry)

    yield vector("a label and a deletion", "parse", {**body, "deleted": True})
    yield vector("deleted false", "parse", {"deleted": False})
    yield vector("deleted 1", "parse", {"deleted": 1})
    yield vector("a label that is null", "parse", {"label": None})
    yield vector("a label of a text", "parse", {"label": body["label"][1]})
    yield vector("a label under a coming epoch", "epoch", {"label": [2, body["label"][1]]})
    yield vector("a label under an epoch that is due to end", "epoch", body, "left")
    yield vector("a label under an old epoch", "epoch", body, "removed")
    yield vector("a personal organization is deleted", "membership", {"deleted": True}, "personal")


def _plans() -> Iterable[Vector]:
    team = scene("team")

    def vector(name: str, layer: str, license_: Any) -> Vector:
        entry = team.entry(ADA, "plan", {"license": license_})
        return refused(f"plan: {name}", layer, "team", entry)

    right = license_of(team.org)
    yield vector("a license of another organization", "membership", license_of(fixed("org")))
    yield vector("a license that is null", "parse", None)
    yield vector("seats that are negative", "parse", license_of(team.org, seats=-1))
    yield vector("a plan that is a number", "parse", license_of(team.org, plan=1))
    yield vector("an unknown member of the license", "parse", {**right, "extra": 1})
    yield vector("a license of version 2", "parse", license_of(team.org, v=2))
