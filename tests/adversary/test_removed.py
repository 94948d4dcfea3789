"""Who is no member any more works together with the server: nobody takes what it signs (P5, P7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sopor.crypto.account import AccountKeys
from sopor.crypto.invites import InviteCode
from sopor.errors import ForkError, RollbackError, VerificationError
from sopor.organization import managing
from sopor.organization.ledger import Ledger
from sopor_core.errors import Layer
from sopor_core.membership import MembershipEntry, MembershipLog, Role, SetRole
from sopor_core.push_entry import BranchOp, PushEntry
from sopor_core.wire.parts import Part, PartKind, split_parts
from tests.adversary.company import (
    PROJECT,
    Company,
    answers,
    at_terminal,
    forged_push,
    members_as_parts,
    membership,
    push,
    shows,
)
from tests.adversary.loot import Loot
from tests.adversary.scene import asleep, assert_refused, edit
from tests.support.evil import EvilServer, Parts, in_pulls, instead_of_pulls, regrouped
from tests.support.evil import groups as groups_in
from tests.support.tampering import Exchange
from tests.support.world import Device


@pytest.fixture
def carol(company: Company, request: pytest.FixtureRequest) -> Device:
    """Carol's device of before the removal; each test has its own."""
    return asleep(company.asleep_carol, request.node.name[:40])


@pytest.fixture
def ada(company: Company, request: pytest.FixtureRequest) -> Device:
    """A device of Ada's of before the removal; each test has its own."""
    return asleep(company.asleep_ada, request.node.name[:40])


def see_the_removal(company: Company, device: Device) -> None:
    """Has a device look at its team, and none of its working copies."""
    account = device.account().known.account
    Ledger(device.home, account).adopt(company.org, list(company.after))


def resigned(parts: Parts, keys: AccountKeys, **changes: object) -> Parts:
    """Returns an entry with other fields, signed by somebody in the own name."""
    entry = PushEntry.parse(parts[0].data)
    fields = {"actor": keys.identity.account, **changes}
    changed = replace(entry, **fields).sign(keys)  # type: ignore[arg-type]
    return [Part(PartKind.PUSH_ENTRY, changed.encoded), *parts[1:]]


# ------------------------------------------------------------------------ what Bob signs later


def test_what_was_signed_under_the_old_state_is_refused_after_the_removal(
    company: Company, carol: Device
) -> None:
    lie = forged_push(asleep(company.bob, "signs"), "Bob was never here")
    removal = company.after[len(company.before) :]
    company.evil.tamper = shows([lie], company.ends_after, removal)
    with carol.open(PROJECT) as reader:
        refused = assert_refused(reader, reader.pull, VerificationError, Layer.ROLE)
        assert "before a change of the members" in refused.message


def test_a_device_that_saw_the_removal_elsewhere_takes_nothing_older(
    company: Company, ada: Device
) -> None:
    """Ada looked at her team on this device; in the working copy the server hides the removal."""
    see_the_removal(company, ada)
    lie = forged_push(asleep(company.bob, "hides"), "Bob was never here")
    company.evil.tamper = shows([lie], company.ends_before)
    terminal = at_terminal(ada)
    answer = terminal("sopor pull --json", code=11)
    assert answer.error["code"] == "rollback"
    with ada.open(PROJECT) as reader:
        assert_refused(reader, reader.pull, RollbackError)
        assert [commit.message for commit in reader.log()] == ["Two", "Start"]
    company.evil.honest()
    assert terminal("sopor pull --json").json["merge"]["kind"] == "fast-forward"


def test_who_did_not_see_the_removal_finds_out_with_it(company: Company, carol: Device) -> None:
    """A server can hide a removal as it can hide all that is new, but not for ever."""
    lie = forged_push(asleep(company.bob, "lies"), "Bob was never here")
    company.evil.tamper = shows([lie], company.ends_before)
    with carol.open(PROJECT) as reader:
        assert reader.fetch().entries == 1
        end = PushEntry.parse(lie[0].data).citation
        removal = members_as_parts(company.after[len(company.before) :])
        company.evil.tamper = answers(end, company.ends_after, removal)
        refused = assert_refused(reader, reader.pull, ForkError)
        assert "change of the members" in refused.message
        company.evil.honest()
        assert_refused(reader, reader.pull, ForkError)


def test_an_entry_on_top_of_everything_is_refused_whatever_it_cites(company: Company) -> None:
    """Bob and the server know where the log ends, and the ids of all commits."""
    keys = company.bob.account().keys
    end = PushEntry.parse(company.pushed[-1][0].data)
    last = PushEntry.parse(company.pushed[-2][0].data)
    (op,) = last.ops
    back = BranchOp(op.branch, op.new, None)
    for cited, epoch, layers in (
        (company.ends_before, 1, (Layer.MEMBERSHIP,)),
        (company.ends_after, 2, (Layer.ROLE,)),
        (company.ends_after, 1, (Layer.ROLE,)),
    ):
        lie = resigned(
            company.pushed[-2][:1],
            keys,
            seq=end.seq + 1,
            prev=end.hash,
            members=cited,
            epoch=epoch,
            ops=(back,),
            commits=(),
            packs=(),
            op=type(end.op).random(),
        )
        with asleep(company.carol, f"top-{cited.seq}-{epoch}").open(PROJECT) as reader:
            company.evil.tamper = shows([lie], company.ends_after)
            assert_refused(reader, reader.pull, VerificationError, *layers)


def test_another_past_before_the_cut_is_refused_by_old_and_new_devices(
    company: Company, carol: Device
) -> None:
    """Bob signs the second entry anew, as he might have done when he was an editor."""
    lie = resigned(company.pushed[1], company.bob.account().keys)
    groups = [company.pushed[0], lie, *company.pushed[2:]]
    with carol.open(PROJECT) as reader:
        company.evil.tamper = shows(
            groups[2:], company.ends_after, company.after[len(company.before) :]
        )
        reader.fetch()
        company.evil.tamper = shows([lie], company.ends_after)
        assert_refused(reader, reader.pull, VerificationError, Layer.CHAIN)
    company.evil.tamper = in_pulls(
        lambda parts: regrouped(parts, [groups[0], lie, *groups_in(parts)[2:]])
    )
    with pytest.raises(ForkError, match="the members agreed on"):
        carol.clone(PROJECT, "never")
    assert not (carol.folder / "never").exists()


def test_a_membership_entry_of_who_was_removed_is_refused(company: Company, carol: Device) -> None:
    """Bob makes himself admin: after his removal, and instead of it."""
    keys = company.bob.account().keys
    body = SetRole(keys.identity.account, Role.ADMIN, None, {}, {})
    log = MembershipLog.replay(company.org, company.before)
    for after, kind, layer in (
        (company.ends_after, VerificationError, Layer.ROLE),
        (company.ends_before, VerificationError, Layer.ROLE),
    ):
        lie = MembershipEntry(
            log.org, after.seq + 1, after.hash, keys.identity.account, 1, body
        ).sign(keys)
        known = company.after if after == company.ends_after else company.before
        with carol.open(PROJECT) as reader:
            shown = [*known[len(company.before) :], lie.encoded]
            end = PushEntry.parse(company.pushed[1][0].data).citation
            company.evil.tamper = answers(end, lie.citation, members_as_parts(shown))
            assert_refused(reader, reader.pull, kind, layer)


# ---------------------------------------------------------------------------------- the viewer


def test_what_a_viewer_signs_is_refused(company: Company, carol: Device) -> None:
    """A process of Carol's meets it; the error names the layer and the exit code says attack."""
    lie = forged_push(asleep(company.vic, "signs"), "A viewer writes")
    company.evil.tamper = shows([lie], company.ends_before)
    answer = at_terminal(carol)("sopor pull --json", code=10)
    assert answer.error["code"] == "verification-failed"
    assert "a viewer, who may not write" in answer.error["message"]
    with carol.open(PROJECT) as reader:
        assert_refused(reader, reader.pull, VerificationError, Layer.ROLE)


def test_a_viewer_in_an_editors_name_is_refused(company: Company, carol: Device) -> None:
    vic = company.vic.account().keys
    lie = forged_push(asleep(company.vic, "poses"), "A viewer writes")
    posing = resigned(lie, vic, actor=company.ada.account().keys.identity.account)
    company.evil.tamper = shows([posing], company.ends_before)
    with carol.open(PROJECT) as reader:
        assert_refused(reader, reader.pull, VerificationError, Layer.SIGNATURE)


# ----------------------------------------------------------------- what the keys of Bob still open


def loot_of(device: Device, entries: tuple[bytes, ...]) -> Loot:
    """Takes everything that opens something from a device."""
    with device.open(PROJECT) as repository:
        account = repository.context.accounts.of(repository.context.store)
        assert repository.context.org is not None
        log = MembershipLog.replay(repository.context.org, entries)
        return Loot.taken(account.keys, account.identity.account, log)


def test_the_disk_of_who_was_removed_opens_nothing_newer(company: Company) -> None:
    org = company.org
    log = MembershipLog.replay(org, company.after)
    newer = company.after[len(company.before) :]
    later = company.pushed[2:]
    bobs = loot_of(asleep(company.bob, "stolen"), company.before)
    assert bobs.opens(log, company.before, company.pushed[:2], company.project)
    assert bobs.opens(log, newer, later, company.project) == set()
    carols = loot_of(asleep(company.carol, "compared"), company.after)
    assert carols.opens(log, newer, later, company.project) == {
        "a wrap",
        "an epoch",
        "a name",
        "a pack",
        "a branch's name",
    }


def sent_packs(evil: EvilServer, since: int) -> list[bytes]:
    """Returns all packs that the server was sent, taken or refused."""
    return [
        part.data
        for exchange in evil.exchanges[since:]
        if exchange.method == "POST" and "/push" in exchange.path
        for part in split_parts(exchange.sent)
        if part.kind is PartKind.PACK
    ]


def test_who_removed_somebody_never_writes_under_the_old_key_again(
    company: Company, ada: Device
) -> None:
    """The server hides the removal from the working copy, and takes whatever it is sent."""
    see_the_removal(company, ada)
    bobs = loot_of(asleep(company.bob, "waits"), company.before)
    log = MembershipLog.replay(company.org, company.after)

    def take_all(exchange: Exchange) -> Exchange:
        taken = "/push" in exchange.path or "/pull" in exchange.path
        return replace(exchange, status=201, media_type=None, body=b"") if taken else exchange

    company.evil.tamper = take_all
    since = len(company.evil.exchanges)
    with ada.open(PROJECT) as author:
        push(author, "After Bob")
        assert author.context.keys.newest == 2
    packs = sent_packs(company.evil, since)
    parts = [Part(PartKind.PACK, pack) for pack in packs]
    assert len(packs) == 1
    lists = [[*company.pushed[2][:1], *parts]]
    assert bobs.opens(log, (), lists, company.project) == set()
    assert bobs.opens(log, (), [company.pushed[0]], company.project)


def test_a_server_that_hides_what_the_members_agreed_on_is_found_out(
    company: Company, ada: Device
) -> None:
    """Ada made new keys on this device; the cut tells how far the push log went then."""
    managing.rotate(ada.team(), [])
    company.evil.tamper = instead_of_pulls(204)
    with ada.open(PROJECT) as author:
        edit(author, "req_2", name="Late")
        author.commit("Late")
        for act in (author.pull, author.push):
            with pytest.raises(RollbackError, match="that the members agreed on"):
                act()
        company.evil.honest()
        author.sync()
        assert author.fsck().clean


def test_a_cancelled_code_opens_nothing_newer(company: Company) -> None:
    """Somebody has the code, and the server gives it everything."""
    ada = asleep(company.ada, "cancels")
    team = ada.team()
    code = InviteCode.from_text(managing.invite(team, Role.EDITOR, {}, days=7).code)
    with_code = membership(ada)
    taken = Loot.taken(code.keys, code.keys.invite, MembershipLog.replay(team.id, with_code))
    managing.cancel_invite(ada.team(), code.keys.invite.hex())
    newer = membership(ada)[len(with_code) :]
    since = len(company.evil.exchanges)
    with ada.open(PROJECT) as author:
        push(author, "After the code")
    packs = sent_packs(company.evil, since)
    later = [[*company.pushed[2][:1], *(Part(PartKind.PACK, pack) for pack in packs)]]
    assert packs
    log = MembershipLog.replay(team.id, [*with_code, *newer])
    assert taken.opens(log, with_code, company.pushed[2:], company.project)
    assert taken.opens(log, newer, later, company.project) == set()


def test_who_left_opens_nothing_of_the_next_push(company: Company) -> None:
    """Dora leaves; the next push of somebody who knows is under a key that she never had."""
    ada = asleep(company.ada, "stays")
    dora = asleep(company.vic, "leaves")
    known = membership(dora)
    doras = Loot.taken(
        dora.account().keys,
        dora.account().identity.account,
        MembershipLog.replay(dora.team().id, known),
    )
    managing.leave(dora.team())
    ada.team()
    since = len(company.evil.exchanges)
    with ada.open(PROJECT) as author:
        author.pull()
        push(author, "After Dora")
        newest = author.context.keys.newest
    packs = sent_packs(company.evil, since)
    log = ada.team().log
    newer = membership(ada)[len(known) :]
    later = [[*company.pushed[2][:1], *(Part(PartKind.PACK, pack) for pack in packs)]]
    assert packs
    assert newest == log.epochs(company.project)[-1].number
    assert doras.opens(log, known, company.pushed[2:], company.project)
    assert doras.opens(log, newer, later, company.project) == set()
