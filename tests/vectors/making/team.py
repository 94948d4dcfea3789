"""Organizations as shared/SPEC.md sections 6 and 8 define them, written once more.

    team = Team(ADA)
    team.take(ADA, team.project_new(PETS))
    team.take(ADA, team.remove(DAN))

A `Draft` is what an entry would hold and the organization after it; `entry` signs one, also one
whose body was changed. Nothing here refuses anything.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.vectors.making.reference import (
    Person,
    Vector,
    b64,
    canonical,
    commitment,
    entry_hash,
    fixed,
    hkdf,
    hpke_seal,
    label,
    label_plaintext,
    public_of_seed,
    seal,
    u32,
    wrap_info,
)

MEMBERSHIP = "sopor/1 membership"
TIME = 1_700_000_000_000
NOWHERE: tuple[int, bytes] = (0, bytes(32))
OPERATOR = fixed("license key")
"""The seed of the key of who runs the server."""
_PROJECT, _ORGANIZATION = 2, 3
_ADMINISTERS, _WRITES = ("owner", "admin"), ("owner", "admin", "editor")


class Invitation:
    """What follows from the secret of an invite code (section 8.3)."""

    def __init__(self, org: bytes, name: str) -> None:
        self.secret = fixed(f"invite for {name}", 16)
        self.token = hkdf(self.secret, org, b"sopor/1 invite token")[:16]
        self.id = sha256(b"sopor/1 invite\0" + self.token).digest()[:16]
        self.seed = hkdf(self.secret, org, b"sopor/1 invite key")
        self.encryption_seed = hkdf(self.secret, org, b"sopor/1 invite encryption")
        self.key = public_of_seed(self.seed)
        private = X25519PrivateKey.from_private_bytes(self.encryption_seed)
        self.encryption = private.public_key().public_bytes_raw()

    def prove(self, message: Vector) -> str:
        """The proof of a join."""
        return proof(self.seed, "sopor/1 join", message)


def proof(seed: bytes, name: str, message: Vector) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return b64(key.sign(name.encode() + b"\0" + canonical(message)))


def signing_seed(person: Person) -> bytes:
    return hkdf(person.secret, b"", b"sopor/1 signing")


@dataclass
class Seat:
    """A role, and other roles in some projects."""

    role: str
    projects: dict[bytes, str] = field(default_factory=dict)

    def role_in(self, project: bytes) -> str:
        return self.role if self.role in _ADMINISTERS else self.projects.get(project, self.role)


@dataclass
class Open:
    """An open invite."""

    invitation: Invitation
    inviter: bytes
    seat: Seat
    expires: int


class Draft(NamedTuple):
    """The type and body of an entry, and the organization after it."""

    type: str
    body: Vector
    after: Team


class Team:
    """An organization after some entry."""

    def __init__(self, owner: Person, kind: str = "team", name: str = "Analysts") -> None:
        self.people = {owner.account: owner}
        self.seats = {owner.account: Seat("owner")}
        self.invites: dict[bytes, Open] = {}
        self.home = fixed(f"home of {name}", 16)
        self.secrets = {self.home: [fixed(f"secret of the home of {name}")]}
        self.status: dict[bytes, str] = {}
        self.due: set[bytes] = set()
        self.heads: dict[bytes, tuple[int, bytes]] = {}
        self.cuts: dict[bytes, list[tuple[int, int, bytes]]] = {}
        self.deleted = False
        self.license: Vector | None = None
        self.texts: list[str] = []
        self.org = bytes(32)
        first = self.first(self.home)
        sealed = self.label(_ORGANIZATION, self.home, name)
        self.labels = {self.home: (1, sealed)}
        body = {
            "kind": kind,
            "nonce": b64(self.home),
            "owner": owner.identity(),
            "login": owner.login,
            "home": first,
            "label": b64(sealed),
        }
        self.genesis = self.entry(owner, "genesis", body)
        self.texts = [canonical(self.genesis).decode()]
        self.org = self.head

    def copy(self) -> Team:
        return copy.deepcopy(self)

    # ----------------------------------------------------------------------------------- entries

    @property
    def head(self) -> bytes:
        return entry_hash(MEMBERSHIP, self.texts[-1].encode()) if self.texts else bytes(32)

    def entry(self, actor: Person, type_: str, body: Any, /, **other: Any) -> Vector:
        """The next entry, signed by its actor."""
        seq = len(self.texts) + 1
        entry = {
            "v": 1,
            "seq": seq,
            "prev": b64(self.head),
            "type": type_,
            "actor": b64(actor.account),
            "time": TIME + seq,
            "body": body,
        }
        if self.texts:
            entry["org"] = b64(self.org)
        return actor.sign(MEMBERSHIP, {**entry, **other})

    def take(self, actor: Person, draft: Draft) -> Team:
        """Appends a draft; returns itself."""
        text = canonical(self.entry(actor, draft.type, draft.body)).decode()
        self.__dict__ = draft.after.__dict__ | {"texts": [*self.texts, text]}
        return self

    # -------------------------------------------------------------------------------------- keys

    @property
    def scopes(self) -> list[bytes]:
        return [self.home, *(p for p, status in self.status.items() if status != "deleted")]

    def has(self, seat: Seat, scope: bytes) -> bool:
        return scope == self.home or seat.role_in(scope) != "none"

    def scopes_of(self, seat: Seat) -> list[bytes]:
        return [scope for scope in self.scopes if self.has(seat, scope)]

    def accounts(self, scope: bytes) -> list[bytes]:
        return [account for account, seat in self.seats.items() if self.has(seat, scope)]

    def invited(self, scope: bytes) -> list[bytes]:
        return [invite for invite, given in self.invites.items() if self.has(given.seat, scope)]

    def writers(self, scope: bytes) -> set[bytes]:
        found = {a for a, seat in self.seats.items() if seat.role_in(scope) in _WRITES}
        return set() if scope == self.home else found

    def wrap(self, scope: bytes, to: bytes, key: bytes) -> str:
        """The present secret of a scope, wrapped for an account or invite."""
        number = len(self.secrets[scope])
        info = wrap_info(bytes(32) if scope == self.home else self.org, scope, number, to)
        ephemeral = fixed(f"ephemeral {scope.hex()} {number} {to.hex()}")
        return b64(hpke_seal(key, ephemeral, info, self.secrets[scope][-1]))

    def wraps(self, scopes: Collection[bytes], to: bytes, key: bytes) -> dict[str, str]:
        return {b64(scope): self.wrap(scope, to, key) for scope in scopes}

    def first(self, scope: bytes) -> Vector:
        """The epoch of a scope's newest secret, as its first."""
        number = len(self.secrets[scope])
        return {
            "epoch": number,
            "commitment": b64(commitment(scope, number, self.secrets[scope][-1])),
            "wraps": {
                b64(a): self.wrap(scope, a, self.people[a].encryption) for a in self.accounts(scope)
            },
            "invites": {
                b64(i): self.wrap(scope, i, self.invites[i].invitation.encryption)
                for i in self.invited(scope)
            },
        }

    def next(self, scope: bytes) -> Vector:
        """A new epoch of a scope; this organization has it from now on."""
        secrets = self.secrets[scope]
        number = len(secrets) + 1
        secrets.append(fixed(f"secret {number} of {scope.hex()} after {self.head.hex()}"))
        epoch = self.first(scope) | {"previous": b64(previous(scope, number, *secrets[-2:]))}
        self.due.discard(scope)
        if scope != self.home:
            seq, head = self.heads.get(scope, NOWHERE)
            epoch["cut"] = [seq, b64(head)]
            self.cuts.setdefault(scope, []).append((len(self.texts) + 1, seq, head))
        return epoch

    def taken(self, after: Team) -> list[bytes]:
        """The scopes that need a new epoch when `after` follows."""
        return [
            scope
            for scope in self.scopes
            if scope in after.scopes
            and (
                set(self.accounts(scope)) - set(after.accounts(scope))
                or set(self.invited(scope)) - set(after.invited(scope))
                or self.writers(scope) - after.writers(scope)
            )
        ]

    def epochs(self, scopes: Collection[bytes], after: Team) -> Vector:
        return {b64(scope): after.next(scope) for scope in scopes}

    def label(self, kind: int, scope: bytes, name: str) -> bytes:
        number, secret = len(self.secrets[scope]), self.secrets[scope][-1]
        return label(scope, number, secret, kind, b"", label_plaintext(name.encode()))

    # ------------------------------------------------------------------------------------ drafts

    def invite(
        self,
        by: Person,
        invitation: Invitation,
        role: str,
        projects: dict[bytes, str] | None = None,
        expires: int = TIME + 100_000,
    ) -> Draft:
        after, seat = self.copy(), Seat(role, projects or {})
        after.invites[invitation.id] = Open(invitation, by.account, seat, expires)
        body = {
            "invite": b64(invitation.id),
            "key": b64(invitation.key),
            "encryption": b64(invitation.encryption),
            "role": role,
            "projects": {b64(project): other for project, other in seat.projects.items()},
            "expires": expires,
            "wraps": self.wraps(self.scopes_of(seat), invitation.id, invitation.encryption),
        }
        return Draft("invite", body, after)

    def cancel(self, invite: bytes) -> Draft:
        after = self.copy()
        del after.invites[invite]
        epochs = self.epochs(self.taken(after), after)
        return Draft("invite_cancel", {"invite": b64(invite), "epochs": epochs}, after)

    def join(self, person: Person, invitation: Invitation, **signed: Any) -> Draft:
        after = self.copy()
        given = after.invites.pop(invitation.id, Open(invitation, b"", Seat("viewer"), 0))
        after.people[person.account] = person
        after.seats[person.account] = given.seat
        message = {
            "org": b64(self.org),
            "invite": b64(invitation.id),
            "prev": b64(self.head),
            "identity": person.identity(),
            "login": person.login,
            **signed,
        }
        body = {
            "invite": b64(invitation.id),
            "identity": person.identity(),
            "login": person.login,
            "wraps": self.wraps(self.scopes_of(given.seat), person.account, person.encryption),
            "proof": invitation.prove(message),
        }
        return Draft("join", body, after)

    def set_role(self, person: Person, role: str, project: bytes | None = None) -> Draft:
        after, seat = self.copy(), self.seats[person.account]
        if project is not None:
            changed = Seat(seat.role, {**seat.projects, project: role})
        else:
            changed = Seat(role, {} if role in _ADMINISTERS else dict(seat.projects))
        after.seats[person.account] = changed
        if role != "owner" and project is None:
            kept = ("admin", "editor", "viewer") if role == "admin" else ()
            after.invites = {
                invite: given
                for invite, given in after.invites.items()
                if given.inviter != person.account or given.seat.role in kept
            }
        gained = set(after.scopes_of(changed)) - set(self.scopes_of(seat))
        body = {
            "account": b64(person.account),
            "role": role,
            "wraps": self.wraps(sorted(gained), person.account, person.encryption),
            "epochs": self.epochs(self.taken(after), after),
        }
        return Draft("set_role", body | ({"project": b64(project)} if project else {}), after)

    def _without(self, person: Person) -> Team:
        after = self.copy()
        after.seats.pop(person.account, None)
        after._end_invites(person)
        return after

    def _end_invites(self, inviter: Person) -> None:
        self.invites = {i: v for i, v in self.invites.items() if v.inviter != inviter.account}

    def remove(self, person: Person) -> Draft:
        after = self._without(person)
        epochs = self.epochs(self.taken(after), after)
        return Draft("remove", {"account": b64(person.account), "epochs": epochs}, after)

    def leave(self, person: Person) -> Draft:
        after = self._without(person)
        after.due |= set(self.taken(after))
        return Draft("remove", {"account": b64(person.account), "epochs": {}}, after)

    def rekey(self, new: Person, **signed: Any) -> Draft:
        after = self.copy()
        after.people[new.account] = new
        after._end_invites(new)
        own = self.scopes_of(self.seats[new.account])
        after.due |= set(own) | set(self.taken(after))
        message = {
            "org": b64(self.org),
            "prev": b64(self.head),
            "identity": new.identity(),
            **signed,
        }
        body = {
            "identity": new.identity(),
            "wraps": self.wraps(own, new.account, new.encryption),
            "proof": proof(signing_seed(new), "sopor/1 rekey", message),
        }
        return Draft("account_rekey", body, after)

    def project_new(self, project: bytes, name: str = "Petstore") -> Draft:
        after = self.copy()
        after.status[project] = "active"
        after.secrets[project] = [fixed(f"secret of {project.hex()}")]
        sealed = after.label(_PROJECT, project, name)
        after.labels[project] = (1, sealed)
        body = {
            "project": b64(project),
            "first": after.first(project),
            "label": b64(sealed),
        }
        return Draft("project_new", body, after)

    def project_set(
        self, project: bytes, status: str | None = None, name: str | None = None
    ) -> Draft:
        after = self.copy()
        body: Vector = {"project": b64(project)}
        if name is not None:
            sealed = self.label(_PROJECT, project, name)
            body["label"] = [len(self.secrets[project]), b64(sealed)]
            after.labels[project] = (len(self.secrets[project]), sealed)
        if status is not None:
            body["status"] = status
            after.status[project] = status
        if status == "deleted":
            after.due.discard(project)
            for seat in after.seats.values():
                seat.projects.pop(project, None)
        return Draft("project_set", body, after)

    def rename(self, name: str = "Synthesists") -> Draft:
        sealed, number = self.label(_ORGANIZATION, self.home, name), len(self.secrets[self.home])
        after = self.copy()
        after.labels[self.home] = (number, sealed)
        return Draft("org_set", {"label": [number, b64(sealed)]}, after)

    def delete(self) -> Draft:
        after = self.copy()
        after.deleted = True
        return Draft("org_set", {"deleted": True}, after)

    def new_epochs(self, *scopes: bytes) -> Draft:
        after = self.copy()
        return Draft("epoch", {"epochs": self.epochs(scopes, after)}, after)

    def plan(self, seed: bytes = OPERATOR, /, **change: Any) -> Draft:
        after = self.copy()
        after.license = license_of(self.org, seed, **change)
        return Draft("plan", {"license": after.license}, after)

    # ----------------------------------------------------------------------------------- outcome

    def state(self) -> Vector:
        """What a reader of the log knows; ids in hexadecimal, in order."""
        return {
            "members": {
                account.hex(): {
                    "role": seat.role,
                    "projects": {p.hex(): role for p, role in sorted(seat.projects.items())},
                    "signing": self.people[account].signing.hex(),
                    "encryption": self.people[account].encryption.hex(),
                }
                for account, seat in sorted(self.seats.items())
            },
            "invites": {i.hex(): given.inviter.hex() for i, given in sorted(self.invites.items())},
            "projects": {p.hex(): status for p, status in sorted(self.status.items())},
            "scopes": {
                scope.hex(): {
                    "epoch": len(self.secrets[scope]),
                    "accounts": sorted(a.hex() for a in self.accounts(scope)),
                    "invites": sorted(i.hex() for i in self.invited(scope)),
                    "due": scope in self.due,
                    "label": [self.labels[scope][0], self.labels[scope][1].hex()],
                }
                for scope in sorted(self.scopes)
            },
            "cuts": {
                project.hex(): [[members, seq, head.hex()] for members, seq, head in cuts]
                for project, cuts in sorted(self.cuts.items())
            },
            "deleted": self.deleted,
            "license": self.license,
        }


def previous(scope: bytes, number: int, before: bytes, secret: bytes) -> bytes:
    """The secret of the epoch before, sealed under that of epoch `number`."""
    info = b"sopor/1 previous\0"
    key = hkdf(secret, scope, info + u32(number))
    nonce = fixed(f"previous {scope.hex()} {number}", 12)
    return seal(key, nonce, before, info + scope + u32(number))


def license_of(org: bytes, seed: bytes = OPERATOR, /, **change: Any) -> Vector:
    unsigned = {
        "v": 1,
        "org": b64(org),
        "plan": "studio",
        "seats": 10,
        "projects": 0,
        "bytes": 2**40,
        "expires": None,
        **change,
    }
    return {**unsigned, "sig": proof(seed, "sopor/1 license", unsigned)}
