"""A team on an evil server, one of whose members is removed and works with the server then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from unittest.mock import patch

from sopor.crypto.invites import InviteCode
from sopor.organization import managing
from sopor.repository import Repository
from sopor.repository.connection import Connection
from sopor.sync.publish import BranchMove
from sopor_core.ids import OrgId, ProjectId
from sopor_core.membership import MembershipEntry, Role
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.wire.parts import Part, PartKind
from tests.adversary.scene import FILE, asleep, edit
from tests.support.evil import EvilServer, Parts, instead_of_pulls
from tests.support.tampering import Tamper
from tests.support.terminal import Terminal
from tests.support.world import Device, World, request, v4_export, workspace

PROJECT = "petstore"


@dataclass(frozen=True)
class Company:
    """Who is there, and what each of them knew when.

    Bob was an editor and is removed; Carol is an editor, Vic a viewer. Devices named ``asleep_...``
    are copies from before the removal. The server's data from then is kept as ``"before"``.
    """

    evil: EvilServer
    ada: Device
    bob: Device
    carol: Device
    vic: Device
    asleep_ada: Device
    asleep_carol: Device
    project: ProjectId
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]
    pushed: tuple[Parts, ...]
    """The push log at the end, each entry with its packs; Bob was removed after the second."""

    @property
    def org(self) -> OrgId:
        """The team."""
        return OrgId(MembershipEntry.parse(self.after[0]).hash)

    @property
    def ends_before(self) -> Citation:
        """Where the membership log ended before the removal."""
        return MembershipEntry.parse(self.before[-1]).citation

    @property
    def ends_after(self) -> Citation:
        """Where the membership log ends."""
        return MembershipEntry.parse(self.after[-1]).citation


def found(world: World, evil: EvilServer) -> Company:
    """Tells the story up to the time when Bob is gone and others went on."""
    ada, bob, carol, vic = (world.device(name) for name in ("ada", "bob", "carol", "vic"))
    managing.create(ada.account(), "Acme")
    author = ada.start(PROJECT, {FILE: v4_export(workspace(), request(1), request(2))})
    author.commit("Start")
    author.push(org="Acme")
    for device, role in ((bob, Role.EDITOR), (carol, Role.EDITOR), (vic, Role.VIEWER)):
        admit(ada, device, role)
    push(author, "Two")
    for device in (bob, carol, vic):
        device.clone(PROJECT).close()
    author.close()
    asleep_ada, asleep_carol = asleep(ada, "asleep"), asleep(carol, "asleep")
    before = membership(ada)
    managing.remove(ada.team(), bob.account().login)
    managing.rename(ada.team(), "Acme without Bob")
    with ada.open(PROJECT) as author:
        push(author, "Three", "Four")
        author.switch("after-bob", create=True)
        author.push()
        pushed = groups_of(author)
        project = author.context.project
    with carol.open(PROJECT) as reader:
        reader.pull()
    after = membership(ada)
    return Company(
        evil, ada, bob, carol, vic, asleep_ada, asleep_carol, project, before, after, pushed
    )


def admit(owner: Device, device: Device, role: Role) -> None:
    """Invites somebody, who joins."""
    code = managing.invite(owner.team(), role, {}, days=7).code
    managing.join(device.account(), InviteCode.from_text(code))


def push(repository: Repository, *names: str) -> None:
    """Pushes one edit for each name."""
    for name in names:
        edit(repository, "req_1", name=name)
        repository.commit(name)
        repository.push()


def membership(device: Device) -> tuple[bytes, ...]:
    """Returns the verified membership log of the device's team."""
    return tuple(entry.encoded for entry in device.team().entries)


def groups_of(repository: Repository) -> tuple[Parts, ...]:
    """Returns the verified push log, each entry with its packs."""
    store = repository.context.store
    found = [store.log.entry(seq) for seq in range(1, store.log.pin.seq + 1)]
    return tuple(
        group(entry, [store.files.read(pack.id) for pack in entry.packs])
        for entry in found
        if entry is not None
    )


def group(entry: PushEntry, packs: Sequence[bytes]) -> Parts:
    """Returns an entry and its packs as an answer has them."""
    return [
        Part(PartKind.PUSH_ENTRY, entry.encoded),
        *(Part(PartKind.PACK, pack) for pack in packs),
    ]


def forged_push(device: Device, name: str) -> Parts:
    """Returns what somebody would push next whose client checks nothing; nobody is asked."""
    unchecked = patch("sopor.sync.publish.check_entry", lambda entry, *_: entry)
    with unchecked, device.open(PROJECT) as repository:
        edit(repository, "req_2", name=name)
        head = repository.commit(name).commit.id
        prepared = Connection.of(repository.context).prepare([BranchMove("main", head)])
        return group(prepared.entry, list(prepared.packs.values()))


def shows(groups: Sequence[Parts], ends: Citation, members: Sequence[bytes] = ()) -> Tamper:
    """Answers every pull with these push entries and membership entries, as if that were all."""
    entries = [PushEntry.parse(parts[0].data) for parts in groups]
    head = entries[-1].citation
    return answers(head, ends, [*members_as_parts(members), *(p for g in groups for p in g)])


def answers(head: Citation, ends: Citation, parts: Sequence[Part]) -> Tamper:
    """Answers every pull with these parts."""
    body = {"head": [head.seq, head.hash.b64], "members": [ends.seq, ends.hash.b64], "more": False}
    return instead_of_pulls(200, [Part(PartKind.CONTROL, json.dumps(body).encode()), *parts])


def members_as_parts(entries: Sequence[bytes]) -> Parts:
    """Returns membership entries as an answer has them."""
    return [Part(PartKind.MEMBERSHIP_ENTRY, data) for data in entries]


def at_terminal(device: Device) -> Terminal:
    """Returns a terminal in a device's working copy."""
    root = device.folder / "terminal"
    terminal = Terminal.create(root)
    environment = terminal.environment | {"SOPOR_HOME": str(device.home)}
    return Terminal(device.folder / PROJECT, environment)
