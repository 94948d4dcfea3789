"""The last error of this device, kept for a bug report: types, modules, lines; no value, no text.

Kept as ``last-error.json`` beside the keystore, where there is one. A file path would name the
user, and a message may hold anything, so neither is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sopor.disk import read_private, write_private
from sopor.errors import StorageFault
from sopor.moments import now
from sopor.records import dataclass
from sopor_core import __version__

FILE = "last-error.json"
_MOST_ERRORS = 8
_MOST_FRAMES = 60


@dataclass(frozen=True, slots=True)
class LastError:
    """What failed when: the command's name, the code, and a list of errors, the last one first.

    Each has its type and its frames, the outermost first: module, function, line.
    """

    time: int
    command: str
    version: str
    code: str
    errors: tuple[tuple[str, tuple[tuple[str, str, int], ...]], ...]


def keep(home: Path, command: str, code: str, error: BaseException) -> None:
    """Keeps an error where there is a keystore; a disk that does not take it changes nothing."""
    content = {
        "time": now(),
        "command": command,
        "version": __version__,
        "code": code,
        "errors": [[_type(each), list(_frames(each.__traceback__))] for each in _chain(error)],
    }
    with suppress(StorageFault, OSError):
        if home.is_dir():
            write_private(home / FILE, json.dumps(content).encode(), durable=False)


def load(home: Path) -> LastError | None:
    """Returns the last error, or None; what does not read back is none."""
    with suppress(StorageFault, OSError, ValueError, KeyError, TypeError):
        data = read_private(home / FILE)
        return None if data is None else _parse(json.loads(data))
    return None


def _parse(value: dict[str, Any]) -> LastError:
    errors = tuple(
        (str(kind), tuple((str(module), str(name), int(line)) for module, name, line in frames))
        for kind, frames in value["errors"]
    )
    command, version, code = (str(value[name]) for name in ("command", "version", "code"))
    return LastError(int(value["time"]), command, version, code, errors)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and what led to it, also where a message hides that."""
    each: BaseException | None = error
    for _ in range(_MOST_ERRORS):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__


def _type(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, str, int]]:
    for _ in range(_MOST_FRAMES):
        if trace is None:
            return
        frame = trace.tb_frame
        module = str(frame.f_globals.get("__name__"))
        yield module, frame.f_code.co_qualname, trace.tb_lineno
        trace = trace.tb_next
