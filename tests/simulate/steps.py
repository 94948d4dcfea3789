"""What devices do in a simulation: commands drawn from a seed, and how each is carried out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sopor.crypto.invites import InviteCode
from sopor.organization import managing
from sopor_core.membership import Role
from tests.simulate.copies import Copy

BRANCHES = ("main", "side", "third")
DEVICES = 3
OFTEN = {
    "edit": 40,
    "commit": 20,
    "sync": 14,
    "push": 9,
    "pull": 10,
    "fetch": 4,
    "switch": 6,
    "create": 3,
    "merge": 5,
    "settle": 7,
    "abort": 1,
    "revert_to": 2,
    "undo": 3,
    "restore": 2,
    "delete": 2,
    "delete_remote": 1,
    "reopen": 3,
    "rotate": 1,
    "invite_again": 1,
}


@dataclass(frozen=True)
class Step:
    """One command on one device; ``draw`` decides what it is given."""

    device: int
    command: str
    draw: int


def steps_of(seed: int, length: int) -> list[Step]:
    """Returns the commands of a seed."""
    drawn = random.Random(seed)
    commands = drawn.choices(list(OFTEN), list(OFTEN.values()), k=length)
    return [Step(drawn.randrange(DEVICES), each, drawn.randrange(2**30)) for each in commands]


def edit(copy: Copy, draw: int) -> None:
    """Changes, adds or drops one request in the working file."""
    if copy.merging is not None:
        return
    state = dict(copy.files)
    names = sorted(state)
    if draw % 11 == 0 or not names:
        name = f"req_{copy.number}{draw}"
        state[name] = {"name": f"new {draw}", "url": f"https://new.example.com/{draw}"}
    elif draw % 13 == 0:
        del state[names[draw % len(names)]]
    else:
        name = names[draw % len(names)]
        state[name] = {**state[name], ("name", "url")[draw % 2]: f"{copy.number} wrote {draw}"}
    copy.write(state)


def settle(copy: Copy, draw: int) -> None:
    """Resolves all conflicts and commits the merge; nothing where no merge is under way."""
    if copy.merging is not None:
        copy.repository.resolve((), _side(draw))
        copy.repository.merge_continue(f"settled {copy.number} {draw}")


def _side(draw: int) -> str:
    return ("ours", "theirs")[draw % 2]


def merge(copy: Copy, draw: int) -> None:
    """Merges another branch, of the device or of the server."""
    names = [*copy.refs, *(f"remote/{name}" for name in copy.remotes)]
    copy.repository.merge(sorted(names)[draw % len(names)])


def pick(copy: Copy, draw: int) -> str:
    """Returns a commit of the current branch, as a revision."""
    log = copy.repository.log(limit=6)
    return log[draw % len(log)].id.hex()


def switch(copy: Copy, draw: int) -> None:
    """Switches to a branch that is here or on the server."""
    names = sorted({*copy.refs, *copy.remotes})
    copy.repository.switch(names[draw % len(names)])


def undo(copy: Copy, draw: int) -> None:
    """Undoes a commit that is not the first."""
    revision = pick(copy, draw)
    if copy.repository.show(revision).commit.parents:
        copy.repository.revert(revision, f"undone {copy.number} {draw}")


def delete_remote(copy: Copy, draw: int) -> None:
    """Deletes a branch on the server that the device has as well."""
    name = BRANCHES[1 + draw % 2]
    if name in copy.refs and copy.remotes.get(name) is not None:
        copy.repository.delete_remote_branch(name)


_ALONE: dict[str, Callable[[Copy, int], object]] = {
    "edit": edit,
    "commit": lambda copy, draw: copy.repository.commit(f"commit {copy.number} {draw}"),
    "sync": lambda copy, _: copy.repository.sync(),
    "push": lambda copy, draw: copy.repository.push(all_branches=draw % 3 == 0),
    "pull": lambda copy, _: copy.repository.pull(),
    "fetch": lambda copy, _: copy.repository.fetch(),
    "switch": switch,
    "create": lambda copy, draw: copy.repository.create_branch(BRANCHES[1 + draw % 2]),
    "merge": merge,
    "settle": settle,
    "abort": lambda copy, _: copy.repository.merge_abort(),
    "revert_to": lambda copy, draw: copy.repository.revert_to(
        pick(copy, draw), f"back {copy.number} {draw}"
    ),
    "undo": undo,
    "restore": lambda copy, _: copy.repository.restore(["."]),
    "delete": lambda copy, draw: copy.repository.delete_branch(BRANCHES[1 + draw % 2]),
    "delete_remote": delete_remote,
    "reopen": lambda copy, _: copy.reopen(),
}


def carry_out(step: Step, copies: Sequence[Copy]) -> None:
    """Does what a step says; raises what the library raises."""
    copy = copies[step.device]
    if step.command == "rotate":
        managing.rotate(copies[0].team(), [])
    elif step.command == "invite_again":
        invite_again(copies)
    else:
        _ALONE[step.command](copy, step.draw)


def invite_again(copies: Sequence[Copy]) -> None:
    """Removes the editor, who owns the last copy, and lets them join again, as far as need be."""
    owner, editor = copies[0].team(), copies[-1].device.account()
    if editor.known.account in owner.log.access.members:
        managing.remove(owner, editor.login)
    code = managing.invite(owner, Role.EDITOR, {}, days=7).code
    managing.join(editor, InviteCode.from_text(code))
