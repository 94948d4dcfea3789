"""One of several processes that push to the same branch at the same moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sopor.errors import PushRejected
from sopor.repository import Repository
from tests.support.world import Device

FILE = "project.json"
_TOO_LONG = 300.0
_start: list[Barrier] = []


def take_part(barrier: Barrier) -> None:
    """Gives a new process what it waits at before each push."""
    _start.append(barrier)


@dataclass
class Run:
    """What one process did: its commits in order, and what it was told when it came too late."""

    commits: list[str] = field(default_factory=list)
    rejections: list[tuple[str, str | None]] = field(default_factory=list)


def race(device: Device, folder: str, document: str, rounds: int, *, plain: bool) -> Run:
    """Edits one document in each round, and publishes it at the same moment as the others.

    Args:
        device: where the working copy is.
        folder: the working copy's folder there.
        document: what this process edits.
        rounds: how often.
        plain: whether to push, and pull where that is told, instead of `sync`.
    """
    (barrier,) = _start
    run = Run()
    publish: Callable[[Repository, Run], None] = _push_until_taken if plain else _sync
    try:
        with device.open(folder) as repository:
            for number in range(rounds):
                _edit(repository.root / FILE, document, f"{document} in round {number}")
                made = repository.commit(f"{document} in round {number}")
                run.commits.append(made.commit.id.hex())
                barrier.wait(_TOO_LONG)
                publish(repository, run)
    except BaseException:
        barrier.abort()
        raise
    return run


def _edit(path: Path, document: str, name: str) -> None:
    export = json.loads(path.read_bytes())
    for resource in export["resources"]:
        if resource["_id"] == document:
            resource["name"] = name
    path.write_text(json.dumps(export, indent=2))


def _sync(repository: Repository, _run: Run) -> None:
    repository.sync()


def _push_until_taken(repository: Repository, run: Run) -> None:
    while True:
        try:
            repository.push()
        except PushRejected as rejected:
            run.rejections.append((rejected.message, rejected.hint))
            repository.pull()
        else:
            return
