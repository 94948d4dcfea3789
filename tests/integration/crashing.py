"""A process that does one thing to a working copy and is killed in the midst of it.

What the process asks of the system is counted; before or after the call of some number it kills
itself, as `kill -9` would. So each moment at which something is written, renamed, sent or received
can be chosen, and the choice gives the same moment again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from sopor.errors import SoporError
from sopor.repository import Repository
from tests.support.world import Device

_FORK = get_context("forkserver")
_FORK.set_forkserver_preload(["tests.integration.crashing"])
_CALLS = frozenset(
    {
        *("write", "fsync", "replace", "rename", "link", "unlink", "mkdir", "flock"),
        *("commit", "rollback", "executemany", "close"),
        *("sendall", "send", "recv_into"),
    }
)
ACTIONS: dict[str, Callable[..., object]] = {
    "commit": Repository.commit,
    "push": Repository.push,
    "pull": Repository.pull,
    "sync": Repository.sync,
    "merge": Repository.merge,
    "merge_keeping_edits": partial(Repository.merge, keep_edits=True),
    "merge_abort": Repository.merge_abort,
    "merge_continue": Repository.merge_continue,
    "resolve": Repository.resolve,
    "switch": Repository.switch,
    "revert": Repository.revert,
    "revert_to": Repository.revert_to,
    "restore": Repository.restore,
}


class Moments:
    """Counts calls to the system, and kills the process at one of them."""

    def __init__(self, last: int | None) -> None:
        """Takes the number of the call at which the process ends, None for never."""
        self.count = 0
        self._last = last

    def __call__(self, _frame: FrameType, event: str, called: Any) -> None:
        """Is told of every call."""
        if event in ("c_call", "c_return") and called.__name__ in _CALLS:
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def run(
    device: Device, folder: str, action: str, arguments: tuple[Any, ...], last: int | None
) -> int | None:
    """Does something to a working copy in a process of its own.

    Returns:
        the number of calls if it came to its end, or None if it was killed.

    Raises:
        SoporError: what the action raised.
    """
    return _in_a_process(_act, device, folder, action, arguments, last)


def begin(device: Device, action: str, folder: str, last: int | None) -> int | None:
    """Does `init` in a folder, or clones the project ``shop`` into it, as `run` does."""
    return _in_a_process(_begin, device, folder, action, last)


def _in_a_process(target: Callable[..., None], *arguments: Any) -> int | None:
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=target, args=(sender, *arguments))
    process.start()
    sender.close()
    try:
        answer: int | SoporError | None = receiver.recv()
    except EOFError:
        answer = None
    finally:
        receiver.close()
        process.join()
    if isinstance(answer, SoporError):
        raise answer
    assert process.exitcode == (-signal.SIGKILL if answer is None else 0)
    process.close()
    return answer


def _act(
    sender: Connection,
    device: Device,
    folder: str,
    action: str,
    arguments: tuple[Any, ...],
    last: int | None,
) -> None:
    with device.open(folder) as repository:
        _told(sender, last, lambda: ACTIONS[action](repository, *arguments))


def _begin(sender: Connection, device: Device, folder: str, action: str, last: int | None) -> None:
    def act() -> None:
        with device.start(folder, {}) if action == "init" else device.clone("shop", folder):
            pass

    _told(sender, last, act)


def _told(sender: Connection, last: int | None, act: Callable[[], object]) -> None:
    moments = Moments(last)
    sys.setprofile(moments)
    try:
        act()
    except SoporError as error:
        sys.setprofile(None)
        sender.send(error)
    else:
        sys.setprofile(None)
        sender.send(moments.count)
