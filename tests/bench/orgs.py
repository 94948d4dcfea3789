"""Prints what organizations cost a client: removing one of many members, joining, replaying a log.

Everything is computed as the client does it, without a server: drafting, signing, and checking the
entry, as before it is sent. Beside the time that passed stands that of the processor, which hardly
depends on what else the machine does. Bytes are those of the entry, or of the log. How many
requests each takes is asserted in `tests/integration/test_team_costs.py`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sopor.crypto.account import AccountKeys, AccountSecret
from sopor.crypto.founding import genesis_entry
from sopor.crypto.invites import InviteCode
from sopor.crypto.keys import EpochSecret
from sopor.organization.drafting import Drafting, join
from sopor_core.ids import OrgId, ProjectId
from sopor_core.membership import Body, MembershipEntry, MembershipLog, Role
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG

_DAY_SECONDS = 86_400
START = 1_700_000_000_000


@dataclass
class Team:
    """A log in memory that its owner writes."""

    owner: AccountKeys
    log: MembershipLog
    entries: list[bytes] = field(default_factory=list)

    @classmethod
    def found(cls) -> Team:
        """Founds a team."""
        owner = _person()
        genesis = genesis_entry(owner, "owner@example.com", "Acme", "team", START)
        team = cls(owner, MembershipLog(OrgId(genesis.hash)))
        team.take(genesis)
        return team

    def take(self, entry: MembershipEntry) -> None:
        """Appends an entry, parsed from its bytes as when it came from a server."""
        self.log.append(MembershipEntry.parse(entry.encoded))
        self.entries.append(entry.encoded)

    @property
    def drafting(self) -> Drafting:
        """What the owner writes with, without anything remembered."""
        return Drafting(self.log, self.owner, self._heads)

    def _heads(self) -> dict[ProjectId, Citation]:
        return dict.fromkeys(self.log.projects(), EMPTY_LOG)

    def act(self, body: Body) -> None:
        """Appends an entry of the owner's."""
        self.take(self.drafting.entry(body, START))

    def invite(self) -> InviteCode:
        """Invites somebody and returns the code."""
        identity = self.log.identity(self.owner.identity.account)
        code = InviteCode.new(self.log.org, identity, START // 1000 + _DAY_SECONDS)
        self.act(self.drafting.invite(code, Role.EDITOR, {}))
        return code

    def joining(self, code: InviteCode, keys: AccountKeys, login: str) -> MembershipEntry:
        """Returns the entry by which somebody joins."""
        body = join(self.log, code, keys, login)
        return Drafting(self.log, keys, self._heads).entry(body, START)

    def grow(self, members: int, projects: int) -> Team:
        """Brings the team to a size."""
        while len(self.log.projects()) < projects:
            draft = self.drafting.project_new(ProjectId.random(), EpochSecret.random(), "Petstore")
            self.act(draft)
        for number in range(len(self.log.access.members), members):
            self.take(self.joining(self.invite(), _person(), f"member{number}@example.com"))
        return self


def _person() -> AccountKeys:
    return AccountKeys(AccountSecret.random())


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    milliseconds: float
    processor: float
    bytes: int


def removal(team: Team, runs: int) -> Row:
    """Measures making and checking the entry that removes a member."""
    gone = next(each for each in team.log.access.members if each != team.owner.identity.account)

    def remove() -> int:
        drafting = team.drafting
        entry = drafting.entry(drafting.remove(gone), START)
        team.log.check(entry)
        return len(entry.encoded)

    return _row(f"remove a member: {_size(team)}", remove, runs)


def joining(team: Team, runs: int) -> Row:
    """Measures replaying the log that an invited person reads, and making the entry that joins."""
    code = team.invite()
    keys = _person()

    def enter() -> int:
        seen = Team(team.owner, MembershipLog.replay(team.log.org, team.entries))
        entry = seen.joining(code, keys, "late@example.com")
        seen.log.check(entry)
        return len(entry.encoded)

    return _row(f"join, with the log read anew: {_size(team)}", enter, runs)


def replay(team: Team, runs: int) -> Row:
    """Measures reading a log from the beginning."""
    count = len(team.entries)

    def read() -> int:
        MembershipLog.replay(team.log.org, team.entries)
        return sum(map(len, team.entries))

    return _row(f"replay {count:,} entries: {_size(team)}", read, runs)


def _row(what: str, act: Callable[[], int], runs: int) -> Row:
    passed, worked, size = [], [], 0
    for _ in range(runs):
        begun, before = time.perf_counter(), time.process_time()
        size = act()
        worked.append(time.process_time() - before)
        passed.append(time.perf_counter() - begun)
    return Row(what, statistics.median(passed) * 1000, statistics.median(worked) * 1000, size)


def _size(team: Team) -> str:
    members, projects = len(team.log.access.members), len(team.log.projects())
    return f"{members} members, {projects} project{'s' if projects != 1 else ''}"


def measure(members: int, entries: int, runs: int) -> list[Row]:
    """Lets a team grow and measures on the way."""
    rows = []
    for projects in (1, 20):
        team = Team.found().grow(members, projects)
        rows += [removal(team, runs), joining(team, runs)]
    team = Team.found().grow(members, 1)
    while len(team.entries) < entries:
        team.act(team.drafting.name(f"Acme {len(team.entries)}"))
    return [*rows, replay(team, runs)]


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--entries", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    processors = f"{os.cpu_count()} processors {platform.machine()}"
    machine = f"{processors}, {platform.system()}, Python {platform.python_version()}"
    print(f"medians of {options.runs} runs on {machine}\n")
    print(f"{'':56} {'ms':>8} {'processor':>9} {'bytes':>11}")
    for row in measure(options.members, options.entries, options.runs):
        spent = f"{row.milliseconds:>8.0f} {row.processor:>9.0f}"
        print(f"{row.what:56} {spent} {row.bytes:>11,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
