"""Vectors of labels and wraps."""

from __future__ import annotations

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

_BRANCH, _PROJECT = 1, 2


def labels() -> list[Vector]:
    """Sealed names of branches (`branch` is the id) and projects."""
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
    ]
    return vectors


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
    """Epoch secrets wrapped with HPKE; `private` is the member's X25519 key."""
    ada, bob = Person("Ada"), Person("Bob")
    org, other = fixed("organization"), fixed("another organization")

    def vector(info: bytes, secret: bytes = SECRETS[1], to: Person = ada) -> Vector:
        value = hpke_seal(to.encryption, fixed("ephemeral"), info, secret)
        return {
            "org": org.hex(),
            "project": PROJECT.hex(),
            "epoch": 1,
            "account": ada.account.hex(),
            "private": ada.encryption_seed.hex(),
            "commitment": commitment(PROJECT, 1, SECRETS[1]).hex(),
            "wrap": value.hex(),
        }

    right = wrap_info(org, PROJECT, 1, ada.account)
    wrap = vector(right)
    value = bytes.fromhex(wrap["wrap"])
    return [
        good("wrapped secret", **wrap, secret=SECRETS[1].hex()),
        bad("flipped bit in the tag", "epoch", **{**wrap, "wrap": flipped(value).hex()}),
        bad("flipped bit in the key share", "epoch", **{**wrap, "wrap": flipped(value, 0).hex()}),
        bad("flipped bit in the secret", "epoch", **{**wrap, "wrap": flipped(value, 40).hex()}),
        bad("a byte missing", "epoch", **{**wrap, "wrap": value[:-1].hex()}),
        bad("a byte too much", "epoch", **{**wrap, "wrap": value.hex() + "00"}),
        bad("key share of small order", "epoch", **{**wrap, "wrap": bytes(80).hex()}),
        bad(
            "for another organization", "epoch", **vector(wrap_info(other, PROJECT, 1, ada.account))
        ),
        bad(
            "for another project", "epoch", **vector(wrap_info(org, OTHER_PROJECT, 1, ada.account))
        ),
        bad("for another epoch", "epoch", **vector(wrap_info(org, PROJECT, 2, ada.account))),
        bad("for another account", "epoch", **vector(wrap_info(org, PROJECT, 1, bob.account))),
        bad("to another key", "epoch", **vector(right, to=bob)),
        bad("another secret than committed to", "epoch", **vector(right, SECRETS[2])),
        bad("a secret of 31 bytes", "epoch", **vector(right, SECRETS[1][:31])),
        bad(
            "the commitment of another epoch",
            "epoch",
            **{**wrap, "commitment": commitment(PROJECT, 2, SECRETS[1]).hex()},
        ),
    ]
