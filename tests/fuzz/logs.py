"""Targets for the entries of both logs: their form, and their place after a log.

Nobody guesses a signature. So the place is tried with input that a member signed, whoever the input
says that its actor is.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from sopor_core import canonical
from sopor_core.errors import VerificationError
from sopor_core.ids import BranchId, CommitId, OrgId, ProjectId
from sopor_core.membership import MembershipEntry, MembershipLog
from sopor_core.push_entry import ListedCommit, PushEntry
from sopor_core.push_log import EMPTY_LOG, LogPosition, check_entry
from tests.fuzz.examples import Vector, good, vectors
from tests.fuzz.target import Target, canonical_reader
from tests.vectors.making.reference import Person, b64

_PEOPLE = {b64(who.account): who for who in map(Person, ("Ada", "Bob", "Cleo", "Dan", "Eve"))}
_TEAM = "team"


def _signed(data: bytes, label: str) -> bytes:
    """Returns an entry with the signature of its actor, or of somebody where that is nobody."""
    value = canonical.parse_json(data)
    if not isinstance(value, dict):
        return data
    actor = value.get("actor")
    signer = _PEOPLE.get(actor) if isinstance(actor, str) else None
    return canonical.encode((signer or next(iter(_PEOPLE.values()))).sign(label, value))


@cache
def _push_log() -> tuple[MembershipLog, LogPosition]:
    """Returns the members, and the place after the first entry of a push log."""
    vector = good("push")[0]
    members = [entry.encode() for entry in vector["membership"]]
    membership = MembershipLog.replay(OrgId.from_hex(vector["org"]), members)
    heads: dict[BranchId, CommitId | None] = {}
    listed: dict[CommitId, ListedCommit] = {}
    head, cited = EMPTY_LOG, 0
    for text in vector["log"]:
        entry = PushEntry.parse(text.encode())
        head, cited = entry.citation, entry.members.seq
        heads.update({op.branch: op.new for op in entry.ops})
        listed.update({commit.id: commit for commit in entry.commits})
    project = ProjectId.from_hex(vector["project"])
    return membership, LogPosition(project, head, cited, heads.get, listed.get)


def place_push(data: bytes) -> bool:
    """Signs input as a push entry and puts it after a log."""
    membership, position = _push_log()
    try:
        entry = PushEntry.parse(_signed(data, "sopor/1 push"))
        check_entry(entry, position, membership)
    except VerificationError:
        return False
    assert (entry.seq, entry.prev) == (position.head.seq + 1, position.head.hash)
    assert entry.project == position.project
    return True


@cache
def _members() -> MembershipLog:
    return MembershipLog.replay(_team_org(), [each.encode() for each in _team()])


def _team_org() -> OrgId:
    return OrgId.from_hex(next(each["org"] for each in _of_team()))


def _of_team() -> list[Vector]:
    return [each for each in vectors("membership") if each["log"] == _TEAM]


def _team() -> list[str]:
    texts: list[str] = vectors("membership")[0]["logs"][_TEAM]
    return texts


def place_membership(data: bytes) -> bool:
    """Signs input as a membership entry and asks whether it may follow a log."""
    log = _members()
    try:
        entry = MembershipEntry.parse(_signed(data, "sopor/1 membership"))
        log.check(entry)
    except VerificationError:
        return False
    assert (entry.seq, entry.prev) == (log.head.seq + 1, log.head.hash)
    return True


def found_organization(data: bytes) -> bool:
    """Signs input as the first entry of the organization that it makes."""
    try:
        entry = MembershipEntry.parse(_signed(data, "sopor/1 membership"))
        log = MembershipLog(OrgId(entry.hash))
        log.append(entry)
    except VerificationError:
        return False
    assert log.head == entry.citation
    return True


def _following() -> list[bytes]:
    """Returns what follows the team's log in others that begin with it, and one refused by type."""
    team, found = _team(), dict[bytes, None]()
    for texts in vectors("membership")[0]["logs"].values():
        if texts[: len(team)] == team and len(texts) > len(team):
            found[texts[len(team)].encode()] = None
    refused: dict[object, bytes] = {}
    for vector in vectors("refusals"):
        if vector["log"] == _TEAM and vector["entries"]:
            data = vector["entries"][-1].encode()
            with suppress(VerificationError):
                refused.setdefault(MembershipEntry.parse(data).type, data)
    return [*found, *refused.values()]


def logs() -> dict[str, Target]:
    """Returns the targets by name."""
    pushes = [each["entry"].encode() for each in good("push")]
    members = list({each.encode(): None for each in _team()}) + _following()
    return {
        "push": canonical_reader(PushEntry.parse, lambda entry: entry.encoded, pushes),
        "push.placed": Target(place_push, pushes),
        "membership": canonical_reader(_made_again, lambda made: made.encoded, members),
        "membership.placed": Target(place_membership, _following()),
        "membership.founded": Target(found_organization, members[:1]),
    }


def _made_again(data: bytes) -> MembershipEntry:
    """Reads an entry and makes it anew from its fields, without the bytes that it came from."""
    read = MembershipEntry.parse(data)
    return MembershipEntry(
        read.org, read.seq, read.prev, read.actor, read.time, read.body, read.signature
    )
