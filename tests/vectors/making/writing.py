"""Vectors of push entries as the membership log judges them: roles, cuts, status, epochs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.vectors.making.reference import (
    Person,
    Vector,
    b64,
    bad,
    canonical,
    entry_hash,
    fixed,
    good,
)
from tests.vectors.making.scenes import (
    ADA,
    BOB,
    BOOKS,
    CLEO,
    DAN,
    EVE,
    GUS,
    PETS,
    invitation,
    scene,
)
from tests.vectors.making.team import MEMBERSHIP, TIME, Team

_PUSH = "sopor/1 push"


@dataclass
class Story:
    """An organization, and the push log of one of its projects."""

    name: str
    team: Team
    project: bytes = PETS
    log: list[str] = field(default_factory=list)

    def copy(self, name: str) -> Story:
        return Story(name, self.team.copy(), self.project, [*self.log])

    @property
    def now(self) -> int:
        """The newest membership entry."""
        return len(self.team.texts)

    def cite(self, seq: int) -> list[Any]:
        return [seq, b64(entry_hash(MEMBERSHIP, self.team.texts[seq - 1].encode()))]

    def entry(self, by: Person, cited: int | None = None, epoch: int | None = None) -> str:
        """The next push entry: a branch of its own."""
        seq = len(self.log) + 1
        commit = fixed(f"commit {seq}")
        entry = {
            "v": 1,
            "project": b64(self.project),
            "seq": seq,
            "prev": b64(self.head),
            "op": b64(fixed(f"operation {seq} of {by.name}", 16)),
            "epoch": epoch or len(self.team.secrets[self.project]),
            "members": self.cite(cited or self.now),
            "actor": b64(by.account),
            "time": TIME + seq,
            "ops": [
                {
                    "branch": b64(fixed(f"branch {seq}", 16)),
                    "old": None,
                    "new": b64(commit),
                    "label": b64(fixed("label", 92)),
                }
            ],
            "commits": [{"id": b64(commit), "parents": [], "root": b64(fixed("root"))}],
            "packs": [],
        }
        return canonical(by.sign(_PUSH, entry)).decode()

    @property
    def head(self) -> bytes:
        return entry_hash(_PUSH, self.log[-1].encode()) if self.log else bytes(32)

    def push(self, *people: Person) -> None:
        for person in people:
            self.log.append(self.entry(person))
        self.team.heads[self.project] = (len(self.log), self.head)


@cache
def _stories() -> dict[str, Story]:
    found: dict[str, Story] = {}

    def story(name: str, before: str | None = None) -> Story:
        found[name] = found[before].copy(name) if before else Story(name, scene("team"))
        return found[name]

    team = story("team")
    team.push(ADA, CLEO, BOB)
    removed = story("removed", "team")
    removed.team.take(BOB, removed.team.remove(CLEO))
    viewer = story("viewer", "team")
    viewer.team.take(BOB, viewer.team.set_role(CLEO, "viewer"))
    reader = story("reader of one project", "team")
    reader.team.take(BOB, reader.team.set_role(CLEO, "viewer", PETS))
    writer = story("writer of one project", "team")
    writer.team.take(BOB, writer.team.set_role(DAN, "editor", PETS))
    left = story("left", "team")
    left.team.take(CLEO, left.team.leave(CLEO))
    renewed = story("left and renewed", "left")
    renewed.team.take(BOB, renewed.team.new_epochs(renewed.team.home, PETS))
    rekeyed = story("rekeyed", "team")
    rekeyed.team.take(CLEO, rekeyed.team.rekey(CLEO.rekeyed()))
    again = story("rekeyed and renewed", "rekeyed")
    again.team.take(BOB, again.team.new_epochs(again.team.home, PETS))
    twice = story("cut twice", "removed")
    twice.push(BOB, ADA)
    twice.team.take(ADA, twice.team.new_epochs(PETS))
    empty = story("cut while empty")
    empty.team.heads = {}
    empty.team.take(ADA, empty.team.new_epochs(PETS))
    archived = story("archived", "team")
    archived.team.take(BOB, archived.team.project_set(PETS, "archived"))
    revived = story("archived and active again", "archived")
    revived.team.take(BOB, revived.team.project_set(PETS, "active"))
    deleted = story("project deleted", "team")
    deleted.team.take(BOB, deleted.team.project_set(PETS, "deleted"))
    ended = story("organization deleted", "team")
    ended.team.take(ADA, ended.team.delete())
    joined = story("joined", "team")
    joined.team.take(EVE, joined.team.join(EVE, invitation(joined.team, EVE)))
    books = Story("books", scene("team"), BOOKS)
    home = Story("home", scene("team"))
    home.project = home.team.home
    foreign = Story("foreign", scene("team"), fixed("a foreign project", 16))
    foreign.team.secrets[foreign.project] = [bytes(32)]
    return found | {"books": books, "home": home, "foreign": foreign}


def writing() -> list[Vector]:
    """Push entries after a push log, judged by the membership log `logs[team]`."""
    return [*_by_role(), *_behind_cuts(), *_by_status(), *_by_epoch(), *_by_key()]


def _vector(name: str, story: Story, entry: str, log: list[str] | None = None) -> Vector:
    return {
        "name": name,
        "logs": {name: story.team.texts for name, story in _stories().items()},
        "team": story.name,
        "org": story.team.org.hex(),
        "project": story.project.hex(),
        "log": story.log if log is None else log,
        "entry": entry,
    }


def _accepted(name: str, story: Story, entry: str, log: list[str] | None = None) -> Vector:
    found = _vector(name, story, entry, log)
    return good(**found, hash=entry_hash(_PUSH, entry.encode()).hex())


def _refused(
    name: str, layer: str, story: Story, entry: str, log: list[str] | None = None
) -> Vector:
    found = _vector(name, story, entry, log)
    return bad(layer=layer, **found)


def _by_role() -> Iterable[Vector]:
    stories = _stories()
    team, books = stories["team"], stories["books"]
    for name, person in (("an owner", ADA), ("an admin", BOB), ("an editor", CLEO)):
        yield _accepted(f"by {name}", team, team.entry(person))
    yield _refused("by a viewer", "role", team, team.entry(DAN))
    yield _refused("by a stranger", "role", team, team.entry(GUS))
    yield _refused("by who has an open invite", "role", team, team.entry(EVE))
    invited = Person("Eve", invitation(team.team, EVE).id)
    yield _refused("in the name of an open invite", "role", team, team.entry(invited))
    yield _refused("by who has no role in the project", "role", books, books.entry(DAN))
    joined = stories["joined"]
    yield _accepted("by a viewer who is editor there", joined, joined.entry(EVE))
    yield _refused(
        "by a member, under a state before it joined", "role", joined, joined.entry(EVE, team.now)
    )
    writer = stories["writer of one project"]
    yield _accepted("by a viewer who became editor there", writer, writer.entry(DAN))
    yield _refused(
        "by a viewer, under a state before it became editor",
        "role",
        writer,
        writer.entry(DAN, team.now),
    )
    reader = stories["reader of one project"]
    yield _refused("by an editor who is viewer there", "role", reader, reader.entry(CLEO))
    viewer = stories["viewer"]
    yield _refused("by an editor who was made viewer", "role", viewer, viewer.entry(CLEO))
    removed = stories["removed"]
    yield _refused("by a removed member", "role", removed, removed.entry(CLEO))
    home, foreign = stories["home"], stories["foreign"]
    yield _refused("into the home", "membership", home, home.entry(ADA))
    yield _refused("into a project of nobody", "membership", foreign, foreign.entry(ADA))
    early = Story("team", team.team, PETS)
    yield _refused("under a state before the project", "membership", early, early.entry(ADA, 1))
    yield _accepted("under an older state", joined, joined.entry(CLEO, team.now))
    back = Story("joined", joined.team, PETS, [*joined.log, joined.entry(ADA)])
    yield _refused("under a state that goes back", "membership", back, back.entry(CLEO, team.now))


def _behind_cuts() -> Iterable[Vector]:
    stories = _stories()
    before = stories["team"].now
    for name in ("removed", "viewer", "reader of one project", "left and renewed"):
        story = stories[name]
        late = story.entry(CLEO, before, epoch=1)
        yield _refused(
            f"by who lost the right, under the state before: {name}", "role", story, late
        )
    removed = stories["removed"]
    late = removed.entry(BOB, before, epoch=1)
    yield _refused("by somebody else, under the state before a cut", "role", removed, late)
    yield _accepted("behind a cut, under the state that cuts", removed, removed.entry(BOB))
    yield _accepted("the entry at a cut", removed, removed.log[2], removed.log[:2])
    yield _accepted("an entry before a cut", removed, removed.log[1], removed.log[:1])
    shorter = Story(removed.name, removed.team, PETS, removed.log[:2])
    yield _refused(
        "another entry at a cut", "fork", removed, shorter.entry(ADA, before, 1), shorter.log
    )
    yield _refused(
        "an entry before a cut, under the state that cuts",
        "membership",
        Story(removed.name, removed.team, PETS, removed.log[:1]),
        Story(removed.name, removed.team, PETS, removed.log[:1]).entry(BOB),
    )
    yield from _two_cuts(before)
    empty = stories["cut while empty"]
    yield _refused(
        "the first entry, under the state before a cut", "role", empty, empty.entry(CLEO, before, 1)
    )
    yield _accepted("the first entry behind a cut", empty, empty.entry(CLEO))


def _two_cuts(before: int) -> Iterable[Vector]:
    twice = _stories()["cut twice"]
    assert len(twice.log) == 5
    yield _accepted("behind two cuts", twice, twice.entry(BOB))
    yield _refused(
        "behind two cuts, under the first", "role", twice, twice.entry(BOB, before + 1, 2)
    )
    yield _accepted("between two cuts", twice, twice.log[3], twice.log[:3])
    middle = Story(twice.name, twice.team, PETS, twice.log[:3])
    yield _refused(
        "between two cuts, under the state before both",
        "role",
        middle,
        middle.entry(BOB, before, 1),
    )
    yield _refused("between two cuts, under the second", "membership", middle, middle.entry(BOB))
    last = Story(twice.name, twice.team, PETS, twice.log[:4])
    yield _refused("another entry at the second cut", "fork", last, last.entry(BOB, before + 1, 2))


def _by_status() -> Iterable[Vector]:
    stories = _stories()
    before = stories["team"].now
    archived = stories["archived"]
    yield _refused("into an archived project", "role", archived, archived.entry(ADA))
    revived = stories["archived and active again"]
    yield _accepted("into a project that is active again", revived, revived.entry(CLEO))
    late = revived.entry(CLEO, before + 1)
    yield _refused("under the state in which it was archived", "role", revived, late)
    deleted = stories["project deleted"]
    yield _refused("into a deleted project", "role", deleted, deleted.entry(ADA))
    ended = stories["organization deleted"]
    yield _refused("into a deleted organization", "role", ended, ended.entry(ADA))


def _by_epoch() -> Iterable[Vector]:
    stories = _stories()
    left, renewed, removed = stories["left"], stories["left and renewed"], stories["removed"]
    yield _refused("into a project that is due", "epoch", left, left.entry(ADA))
    yield _refused(
        "into a project that is due, under the next epoch", "epoch", left, left.entry(ADA, epoch=2)
    )
    yield _accepted("under the epoch that was due", renewed, renewed.entry(ADA))
    due = renewed.entry(ADA, left.now, epoch=2)
    yield _refused("under the new epoch and the state in which it was due", "role", renewed, due)
    yield _refused("under the epoch before", "epoch", removed, removed.entry(BOB, epoch=1))
    yield _refused("under the epoch after", "epoch", removed, removed.entry(BOB, epoch=3))


def _by_key() -> Iterable[Vector]:
    stories = _stories()
    rekeyed, again = stories["rekeyed"], stories["rekeyed and renewed"]
    before, new = stories["team"].now, CLEO.rekeyed()
    yield _refused("after a rekey, before the new epochs", "epoch", rekeyed, rekeyed.entry(new))
    yield _accepted("by the new key", again, again.entry(new))
    yield _refused("by the old key", "signature", again, again.entry(CLEO))
    yield _refused(
        "by the old key, under the old state", "role", again, again.entry(CLEO, before, 1)
    )
    yield _accepted(
        "by the old key, under the old state, before anything is cut",
        rekeyed,
        rekeyed.entry(CLEO, before),
    )
    early = rekeyed.entry(new, before)
    yield _refused("by the new key, under the old state", "signature", rekeyed, early)
