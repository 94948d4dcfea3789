"""Vectors of labels and wraps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.vectors.making.reference import (
    EPOCHS_JSON,
    KEY,
    OTHER_PROJECT,
    PROJECT,
    SECRETS,
    Person,
    Vector,
    bad,
    branch_id,
    commitment,
    fixed,
    flipped,
    good,
    hpke_seal,
    label,
    label_plaintext,
    u16,
    wrap_info,
)
from tests.vectors.making.scenes import ADA, BOB, BOOKS, CLEO, DAN, EVE, PETS, scene
from tests.vectors.making.team import Invitation, Team, previous

_BRANCH, _PROJECT, _ORGANIZATION = 1, 2, 3


def labels() -> list[Vector]:
    """Sealed names of branches (`branch` is the id), projects and organizations."""
    vectors = [
        good(f"branch {name[:20]}, {len(name.encode())} bytes", **_branch(name), text=name)
        for name in ("main", "feature/\u00fcber", "a" * 62, "a" * 63, "a" * 250)
    ]
    vectors.append(good("branch in epoch 2", **_branch("main", epoch=2), text="main"))
    vectors += [
        good(f"project {name[:20]}", **_project(name.encode()), text=name)
        for name in ("Petstore", "\u043f\u0440\u043e\u0435\u043a\u0442 7", "p" * 250)
    ]
    main = _branch("main")
    sealed = bytes.fromhex(main["label"])
    start = u16(4) + b"main"
    dev = branch_id(KEY, "dev")
    vectors += [
        bad("flipped bit in the tag", "ops", **{**main, "label": flipped(sealed).hex()}),
        bad("flipped bit in the nonce", "ops", **{**main, "label": flipped(sealed, 0).hex()}),
        bad("flipped bit in the text", "ops", **{**main, "label": flipped(sealed, 20).hex()}),
        bad("cut", "ops", **{**main, "label": sealed[:-1].hex()}),
        bad("shorter than a tag", "ops", **{**main, "label": sealed[:27].hex()}),
        bad("empty", "ops", **{**main, "label": ""}),
        bad("of another branch", "ops", **{**main, "branch": dev.hex()}),
        bad(
            "the name of another branch",
            "ops",
            **_raw(_BRANCH, dev, label_plaintext(b"main"), branch=dev.hex()),
        ),
        bad("sealed as a project's", "ops", **_branch("main", kind=_PROJECT)),
        bad("of another project", "ops", **_branch("main", project=OTHER_PROJECT)),
        bad("of another epoch", "ops", **{**_branch("main", epoch=2), "epoch": 1}),
        bad("of an epoch without key", "epoch", **{**main, "epoch": 3}),
        bad("padding that is not zero", "ops", **_main(start + bytes(57) + b"\x01")),
        bad("a block of padding too much", "ops", **_main(start + bytes(58 + 64))),
        bad("no padding", "ops", **_main(start)),
        bad("a length beyond the text", "ops", **_main(u16(63) + b"main" + bytes(58))),
        bad("no length", "ops", **_main(b"")),
        bad("a name that is not UTF-8", "ops", **_main(label_plaintext(b"\xff\xfe"))),
    ]
    vectors += [
        bad(f"the branch name {name!r}", "ops", **_branch(name))
        for name in ("", "a..b", "a b", "-a", "a.lock", "a/", "HEAD", "@", "a\x07", "a" * 251)
    ]
    vectors += [
        bad("a project's, flipped", "membership", **_flipped_project()),
        bad("a project without name", "membership", **_project(b"")),
        bad("a project's name with a control character", "membership", **_project(b"a\x1bb")),
        bad("a project's name of 251 bytes", "membership", **_project(b"p" * 251)),
        bad("a branch's as a project's", "membership", **_raw(_BRANCH, b"", label_plaintext(b"a"))),
        bad(
            "an organization's as a project's",
            "membership",
            **_raw(_ORGANIZATION, b"", label_plaintext(b"a")),
        ),
    ]
    return [*vectors, *_organizations()]


def _organizations() -> Iterable[Vector]:
    def sealed(plaintext: bytes, kind: int = _ORGANIZATION, **other: Any) -> Vector:
        return _raw(kind, b"", plaintext, organization=True, **other)

    analysts = label_plaintext(b"Analysts")
    yield good("an organization", **sealed(analysts), text="Analysts")
    yield good("an organization in epoch 2", **sealed(analysts, epoch=2), text="Analysts")
    layer = "membership"
    yield bad("an organization, of another home", layer, **sealed(analysts, project=OTHER_PROJECT))
    yield bad("an organization, sealed as a project", layer, **sealed(analysts, _PROJECT))
    yield bad("an organization, sealed as a branch", layer, **sealed(analysts, _BRANCH))
    yield bad("an organization, of another epoch", layer, **{**sealed(analysts), "epoch": 2})
    yield bad("an organization, no epoch's key", "epoch", **{**sealed(analysts), "epoch": 3})
    yield bad("an organization without name", layer, **sealed(label_plaintext(b"")))
    yield bad("an organization of 251 bytes", layer, **sealed(label_plaintext(b"o" * 251)))
    yield bad("an organization with a line break", layer, **sealed(label_plaintext(b"a\nb")))
    yield bad("an organization, not padded", layer, **sealed(analysts[:12]))
    flipped_one = flipped(bytes.fromhex(sealed(analysts)["label"]), 15)
    yield bad("an organization, flipped", layer, **{**sealed(analysts), "label": flipped_one.hex()})


def _raw(
    kind: int,
    subject: bytes,
    plaintext: bytes,
    *,
    epoch: int = 1,
    project: bytes = PROJECT,
    **other: Any,
) -> Vector:
    sealed = label(project, epoch, SECRETS[epoch], kind, subject, plaintext)
    return {
        "project": PROJECT.hex(),
        "epochs": EPOCHS_JSON,
        "epoch": epoch,
        "label": sealed.hex(),
        **other,
    }


def _branch(name: str, kind: int = _BRANCH, **other: Any) -> Vector:
    branch = branch_id(KEY, name)
    return _raw(kind, branch, label_plaintext(name.encode()), branch=branch.hex(), **other)


def _main(plaintext: bytes) -> Vector:
    branch = branch_id(KEY, "main")
    return _raw(_BRANCH, branch, plaintext, branch=branch.hex())


def _project(name: bytes) -> Vector:
    return _raw(_PROJECT, b"", label_plaintext(name))


def _flipped_project() -> Vector:
    vector = _project(b"Petstore")
    return {**vector, "label": flipped(bytes.fromhex(vector["label"])).hex()}


def wraps() -> list[Vector]:
    """Epoch secrets wrapped with HPKE; `private` is the X25519 key of the member or invite.

    `org` is zeros for the home of an organization.
    """
    org, home = fixed("organization"), bytes(32)
    invitation = Invitation(org, "Eve")
    invited = (invitation.id, invitation.encryption, invitation.encryption_seed)
    ada, bob = _recipient(Person("Ada")), _recipient(Person("Bob"))
    return [
        *_wraps_of("a project", org, ada, bob),
        *_wraps_of("a home", home, ada, bob),
        *_wraps_of("a project, for an invite", org, invited, bob),
        *_wraps_of("a home, for an invite", home, invited, bob),
    ]


_Recipient = tuple[bytes, bytes, bytes]


def _recipient(person: Person) -> _Recipient:
    return (person.account, person.encryption, person.encryption_seed)


def _wraps_of(what: str, org: bytes, to: _Recipient, other: _Recipient) -> Iterable[Vector]:
    account, encryption, private = to

    def vector(info: bytes, secret: bytes = SECRETS[1], key: bytes = encryption) -> Vector:
        return {
            "org": org.hex(),
            "project": PROJECT.hex(),
            "epoch": 1,
            "account": account.hex(),
            "private": private.hex(),
            "commitment": commitment(PROJECT, 1, SECRETS[1]).hex(),
            "wrap": hpke_seal(key, fixed("ephemeral"), info, secret).hex(),
        }

    def refused(name: str, found: Vector, **change: str) -> Vector:
        return bad(f"{what}: {name}", "epoch", **{**found, **change})

    right = wrap_info(org, PROJECT, 1, account)
    wrap = vector(right)
    value = bytes.fromhex(wrap["wrap"])
    yield good(f"{what}: wrapped secret", **wrap, secret=SECRETS[1].hex())
    yield refused("flipped bit in the tag", wrap, wrap=flipped(value).hex())
    yield refused("flipped bit in the key share", wrap, wrap=flipped(value, 0).hex())
    yield refused("flipped bit in the secret", wrap, wrap=flipped(value, 40).hex())
    yield refused("a byte missing", wrap, wrap=value[:-1].hex())
    yield refused("a byte too much", wrap, wrap=value.hex() + "00")
    yield refused("key share of small order", wrap, wrap=bytes(80).hex())
    elsewhere = fixed("another organization") if any(org) else fixed("organization")
    for name, info in (
        ("for another organization", wrap_info(elsewhere, PROJECT, 1, account)),
        ("for another scope", wrap_info(org, OTHER_PROJECT, 1, account)),
        ("for another epoch", wrap_info(org, PROJECT, 2, account)),
        ("for another recipient", wrap_info(org, PROJECT, 1, other[0])),
    ):
        yield refused(name, vector(info))
    yield refused("to another key", vector(right, key=other[1]))
    yield refused("another secret than committed to", vector(right, SECRETS[2]))
    yield refused("a secret of 31 bytes", vector(right, SECRETS[1][:31]))
    of_epoch_2 = commitment(PROJECT, 2, SECRETS[1]).hex()
    yield refused("the commitment of another epoch", wrap, commitment=of_epoch_2)


def previous_secrets() -> list[Vector]:
    """The secrets of all epochs, from the newest one (`secret`) down."""
    secrets = [fixed(f"secret of epoch {n}") for n in (1, 2, 3)]

    def vector(name: str, change: dict[int, dict[str, str]], **other: Any) -> Vector:
        epochs = []
        for number, secret in enumerate(secrets, 1):
            epoch = {"commitment": commitment(PROJECT, number, secret).hex()}
            if number > 1:
                sealed = previous(PROJECT, number, secrets[number - 2], secret)
                epoch["previous"] = sealed.hex()
            epochs.append(epoch | change.get(number, {}))
        newest = {"project": PROJECT.hex(), "secret": secrets[-1].hex(), "epochs": epochs}
        return {"name": name, **newest, **other}

    def refused(name: str, number: int, **change: bytes) -> Vector:
        changed = {key: value.hex() for key, value in change.items()}
        return vector(name, {number: changed}, layer="epoch")

    right = previous(PROJECT, 3, secrets[1], secrets[2])
    other = fixed("another secret")
    vectors = [
        vector("three epochs", {}, secrets=[secret.hex() for secret in secrets]),
        refused("flipped bit in the tag", 3, previous=flipped(right)),
        refused("flipped bit in the nonce", 3, previous=flipped(right, 0)),
        refused("flipped bit in the secret", 2, previous=flipped(_second(secrets), 20)),
        refused("a byte missing", 3, previous=right[:-1]),
        refused("nothing", 3, previous=b""),
        refused("that of another epoch", 3, previous=_second(secrets)),
        refused("another secret", 3, previous=previous(PROJECT, 3, other, secrets[2])),
        refused("another secret of the first epoch", 2, previous=_second([other, secrets[1]])),
        refused("of another scope", 3, previous=previous(OTHER_PROJECT, 3, *secrets[1:])),
        refused("for another epoch", 3, previous=previous(PROJECT, 4, *secrets[1:])),
        refused("under another secret", 3, previous=previous(PROJECT, 3, secrets[1], other)),
        refused("another commitment", 1, commitment=commitment(PROJECT, 1, other)),
        refused("a commitment as epoch 2", 1, commitment=commitment(PROJECT, 2, secrets[0])),
    ]
    only = vector("one epoch", {}, secrets=[secrets[0].hex()])
    vectors.append(only | {"secret": secrets[0].hex(), "epochs": only["epochs"][:1]})
    return vectors


def _second(secrets: list[bytes]) -> bytes:
    return previous(PROJECT, 2, secrets[0], secrets[1])


_OPENED = ("team", "removed", "left", "rekeyed", "joined")


def opening() -> list[Vector]:
    """The secrets of a scope for one recipient of a membership log, the first one first.

    `private` is the X25519 key of `account`, or the secret in the code of `invite`.
    """
    return [vector for log in _OPENED for vector in _opened(log)]


def _opened(log: str) -> Iterable[Vector]:
    team, logs = scene(log), {name: scene(name).texts for name in _OPENED}
    for name, scope in (("home", team.home), ("pets", PETS), ("books", BOOKS)):
        found = {"logs": logs, "log": log, "org": team.org.hex(), "scope": scope.hex()}
        secrets = [secret.hex() for secret in team.secrets[scope]]
        for person in (ADA, BOB, CLEO, CLEO.rekeyed(), DAN, EVE):
            one = {**found, "account": person.account.hex()}
            one["private"] = person.encryption_seed.hex()
            text = f"{log}: the {name}, by {person.name}"
            known = team.people.get(person.account, BOB)
            opens = person.account in team.accounts(scope) and known.secret == person.secret
            yield good(text, **one, secrets=secrets) if opens else bad(text, "epoch", **one)
        for person in (EVE, CLEO):
            text = f"{log}: the {name}, by the invite of {person.name}"
            yield _opened_by_invite(team, text, scope, found, person)


def _opened_by_invite(team: Team, name: str, scope: bytes, found: Vector, who: Person) -> Vector:
    invited = Invitation(team.org, who.name)
    one = {**found, "invite": invited.id.hex(), "private": invited.secret.hex()}
    if invited.id not in team.invited(scope):
        return bad(name, "epoch", **one)
    return good(name, **one, secrets=[secret.hex() for secret in team.secrets[scope]])
