"""Runs commands one after the other for the bench: a small program that stays small.

It stands alone and is started with ``python -I -S``: what a child is said to have used at most
includes what its parent held when it was forked, so the parent must hold next to nothing.
Each line on stdin is ``{"arguments", "folder", "environment", "output"}``, each line on stdout
``{"code", "seconds", "processor_seconds", "peak_kib"}``.
"""

import json
import os
import sys
import time


def run(order: dict[str, object]) -> dict[str, object]:
    """Runs one command and returns what it used, with all processes that it waited for."""
    begun = time.perf_counter()
    process = os.fork()
    if process == 0:
        _become(order)
    _, status, used = os.wait4(process, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.perf_counter() - begun,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_kib": used.ru_maxrss,
    }


def _become(order: dict[str, object]) -> None:
    """Replaces this process by the command, in a session of its own."""
    try:
        os.setsid()
        os.chdir(str(order["folder"]))
        output = os.open(str(order["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        arguments, environment = order["arguments"], order["environment"]
        os.execvpe(arguments[0], arguments, environment)  # type: ignore[index, arg-type]  # noqa: S606
    finally:
        os._exit(127)


def main() -> None:
    """Serves until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
