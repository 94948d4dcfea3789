"""Swapped keys and members who are none: nothing is wrapped to a key of the server's (P6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import randbytes

import pytest

from sopor.crypto.account import AccountKeys, AccountSecret
from sopor.crypto.invites import InviteCode
from sopor.errors import InvalidInput, VerificationError
from sopor.organization import managing
from sopor.organization.drafting import Drafting
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer
from sopor_core.membership import (
    AccountRekey,
    Body,
    Invite,
    Join,
    MembershipEntry,
    MembershipLog,
    NewEpochs,
    Role,
    Scope,
    join_message,
    rekey_message,
)
from sopor_core.signing import JOIN, REKEY, signed_message
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts
from tests.adversary.company import Company, at_terminal, membership
from tests.adversary.loot import Loot
from tests.adversary.scene import Scene, asleep, shown_members
from tests.support.evil import EvilServer
from tests.support.tampering import Exchange, Tamper
from tests.support.world import Device

LOGIN = "ghost@example.com"


@dataclass(frozen=True)
class Invited:
    """Somebody holds a code of Ada's; ``log`` is the true log with the invite at its end."""

    code: InviteCode
    log: tuple[bytes, ...]


@pytest.fixture
def ada(company: Company) -> Device:
    """A device of Ada's of its own."""
    return asleep(company.ada, randbytes(4).hex())


@pytest.fixture
def invited(ada: Device) -> Invited:
    code = managing.invite(ada.team(), Role.EDITOR, {}, days=7).code
    return Invited(InviteCode.from_text(code), membership(ada))


@pytest.fixture
def newcomer(company: Company) -> Device:
    """Bob, who is removed, may come back; the copy of his device knows nothing of the team."""
    device = asleep(company.bob, randbytes(4).hex())
    for log in device.home.glob("organizations/*/*.log"):
        log.unlink()
    return device


@pytest.fixture
def ghost() -> AccountKeys:
    """Keys that the server made."""
    return AccountKeys(AccountSecret.random())


def shows_log(entries: tuple[bytes, ...]) -> Tamper:
    """Shows this membership log to everybody who asks."""
    return lambda exchange: (
        shown_members(exchange, entries)
        if exchange.method == "GET" and "/entries?" in exchange.path
        else exchange
    )


@contextmanager
def nothing_is_wrapped(evil: EvilServer) -> Iterator[None]:
    """Asserts that no entry, and so no wrap, is sent."""
    since = len(evil.exchanges)
    yield
    sent = [each for each in evil.exchanges[since:] if each.method == "POST"]
    assert [each.path for each in sent if "/entries" in each.path] == []


def forked_invite(company: Company, invited: Invited, **changes: object) -> tuple[bytes, ...]:
    """Has Carol, made admin, invite in the place of Ada: a log that Ada never saw."""
    log = MembershipLog.replay(company.org, invited.log[:-1])
    admin = Drafting(log, company.ada.account().keys, dict)
    carol = company.carol.account()
    promoted = admin.entry(admin.set_role(carol.identity.account, Role.ADMIN, None), 1)
    log.append(promoted)
    drafting = Drafting(log, carol.keys, dict)
    body = drafting.invite(invited.code, Role.EDITOR, {})
    lie = drafting.entry(replace(body, **changes), 2)  # type: ignore[arg-type]
    log.append(lie)
    return (*invited.log[:-1], promoted.encoded, lie.encoded)


# --------------------------------------------------------------------------------- who joins


def test_another_organization_in_its_place_is_refused(
    company: Company, scene: Scene, newcomer: Device, invited: Invited
) -> None:
    """By a process: the code names the organization by its hash."""
    company.evil.tamper = shows_log(scene.his.membership)
    terminal = at_terminal(newcomer)
    with nothing_is_wrapped(company.evil):
        answer = terminal(
            "sopor org join --code-stdin --json", stdin=f"{invited.code.to_text()}\n", code=10
        )
    assert answer.error["code"] == "verification-failed"
    assert "membership: the genesis is of another organization" in answer.error["message"]


def test_an_inviter_with_other_keys_is_refused(
    company: Company, newcomer: Device, invited: Invited
) -> None:
    """Carol, an admin in the server's log, invites with the same public keys as Ada did."""
    company.evil.tamper = shows_log(forked_invite(company, invited))
    with nothing_is_wrapped(company.evil), pytest.raises(VerificationError) as refused:
        managing.join(newcomer.account(), invited.code)
    assert refused.value.layer is Layer.MEMBERSHIP
    assert "other keys for who invited you" in refused.value.message


@pytest.mark.parametrize("swapped", ["key", "encryption", "both"])
def test_an_invite_with_keys_of_the_server_is_refused(
    company: Company, newcomer: Device, invited: Invited, ghost: AccountKeys, swapped: str
) -> None:
    keys = {"key": ghost.identity.signing, "encryption": ghost.identity.encryption}
    changes = keys if swapped == "both" else {swapped: keys[swapped]}
    company.evil.tamper = shows_log(forked_invite(company, invited, **changes))
    with nothing_is_wrapped(company.evil), pytest.raises(VerificationError) as refused:
        managing.join(newcomer.account(), invited.code)
    assert refused.value.layer is Layer.MEMBERSHIP


def test_a_log_that_ends_before_the_invite_gets_nothing(
    company: Company, newcomer: Device, invited: Invited
) -> None:
    company.evil.tamper = shows_log(invited.log[:-1])
    with nothing_is_wrapped(company.evil), pytest.raises(InvalidInput, match="used or cancelled"):
        managing.join(newcomer.account(), invited.code)


# ------------------------------------------------------------------------ who is a member already


Ghost = Callable[[Company, Invited, MembershipLog, AccountKeys], Body]


def own_invite(_company: Company, _invited: Invited, log: MembershipLog, keys: AccountKeys) -> Body:
    """An invite that the server made, for itself."""
    code = InviteCode.new(log.org, keys.identity, 2**31)
    wraps = {scope: bytes(80) for scope in log.access.scopes}
    mine = code.keys
    return Invite(mine.invite, mine.key, mine.encryption, Role.ADMIN, {}, 2**40, wraps)


def joining(company: Company, invited: Invited, log: MembershipLog, keys: AccountKeys) -> Body:
    """A join with Ada's open invite, whose code the server does not have."""
    invite = invited.code.keys.invite
    message = join_message(company.org, invite, log.head.hash, keys.identity, LOGIN)
    proof = keys.sign(signed_message(JOIN, message))
    return Join(invite, keys.identity, LOGIN, wraps_of(log, invited), proof)


def stolen_join(company: Company, invited: Invited, log: MembershipLog, keys: AccountKeys) -> Body:
    """A join of the invited person, in which the server puts its own key."""
    bob = company.bob.account().keys.identity
    mine = invited.code.keys
    proof = mine.vouch(log.head.hash, bob, LOGIN)
    identity = replace(bob, encryption=keys.identity.encryption)
    return Join(mine.invite, identity, LOGIN, wraps_of(log, invited), proof)


def rekeying(company: Company, _invited: Invited, log: MembershipLog, keys: AccountKeys) -> Body:
    """New keys of Carol's, which she did not make."""
    identity = replace(keys.identity, account=company.carol.account().identity.account)
    proof = keys.sign(signed_message(REKEY, rekey_message(company.org, log.head.hash, identity)))
    seat = log.access.members[identity.account]
    wraps = {scope: bytes(80) for scope in log.access.scopes_of(seat)}
    return AccountRekey(identity, wraps, proof)


def wraps_of(log: MembershipLog, invited: Invited) -> dict[Scope, bytes]:
    seat = log.access.invites[invited.code.keys.invite].seat
    return {scope: bytes(80) for scope in log.access.scopes_of(seat)}


GHOSTS: dict[str, tuple[Ghost, str, tuple[Layer, ...]]] = {
    "the server invites in Ada's name": (own_invite, "ada", (Layer.SIGNATURE,)),
    "the server invites in its own name": (own_invite, "ghost", (Layer.ROLE,)),
    "the server joins without the code": (joining, "ghost", (Layer.SIGNATURE,)),
    "the server's key in a join": (stolen_join, "bob", (Layer.SIGNATURE,)),
    "the server's key as Carol's new one": (rekeying, "carol", (Layer.SIGNATURE,)),
}


@pytest.mark.parametrize("name", GHOSTS)
def test_a_ghost_is_refused_and_gets_no_key(
    company: Company, ada: Device, invited: Invited, ghost: AccountKeys, name: str
) -> None:
    """The ghost comes with the answer to a change that Ada makes: she must wrap to all members."""
    make, poses_as, layers = GHOSTS[name]
    log = MembershipLog.replay(company.org, invited.log)
    people = {
        "ghost": ghost.identity.account,
        "ada": company.ada.account().identity.account,
        "bob": company.bob.account().identity.account,
        "carol": company.carol.account().identity.account,
    }
    head = log.head
    body = make(company, invited, log, ghost)
    lie = MembershipEntry(log.org, head.seq + 1, head.hash, people[poses_as], 3, body).sign(ghost)
    company.evil.tamper = moved_by(lie)
    with pytest.raises(VerificationError) as refused:
        managing.rotate(ada.team(), [])
    assert refused.value.layer in layers, refused.value
    company.evil.honest()
    managing.rotate(ada.team(), [])
    after = membership(ada)
    newest = MembershipEntry.parse(after[-1]).body
    assert isinstance(newest, NewEpochs)
    true = MembershipLog.replay(company.org, after)
    assert ghost.identity.account not in true.access.members
    assert Loot(ghost, ()).opens(true, after, (), company.project) == set()
    for scope, epoch in newest.epochs.items():
        wanted = true.access.recipients(scope)
        assert set(epoch.wraps) == wanted.accounts
        assert set(epoch.invites) == wanted.invites


def moved_by(lie: MembershipEntry) -> Tamper:
    """Refuses to append to the membership log, as this entry came in between."""
    place = [lie.seq, b64encode(lie.hash)]
    problem = {"code": "membership-moved", "status": 409, "title": "Moved", "detail": "moved"}
    control = {"head": place, "members": place, "more": False, "problem": problem}
    body = join_parts(
        [
            Part(PartKind.CONTROL, json.dumps(control).encode()),
            Part(PartKind.MEMBERSHIP_ENTRY, lie.encoded),
        ]
    )

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.method != "POST" or "/entries" not in exchange.path:
            return exchange
        return replace(exchange, status=409, media_type=MEDIA_TYPE, body=body)

    return tamper
