"""Runs `functions/main.py` as Google does: functions-framework in a process, on the emulators.

with running_function("api", environment, log) as function:
    requests.get(function.url + "/v1/meta")
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from sopor_core.encoding import b64encode
from sopor_core.ids import ServerId
from tests.support.emulators import PROJECT, new_bucket, new_database, unused_port

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 60


def cloud_environment(firestore: str, storage: str) -> dict[str, str]:
    """Returns the settings of a new server on the emulators."""
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "SOPOR_DATABASE": new_database(),
        "SOPOR_BUCKET": new_bucket(storage),
        "SOPOR_SERVER_ID": ServerId.random().b64,
        "SOPOR_SERVER_SECRET": b64encode(secrets.token_bytes(32)),
        "SOPOR_LOGIN_RATE": "100000",
        "FIRESTORE_EMULATOR_HOST": firestore,
        "STORAGE_EMULATOR_HOST": f"http://{storage}",
    }


@dataclass
class RunningFunction:
    """A function's process and its address."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Ends the process, with its worker."""
        self.process.terminate()
        self.process.wait(timeout=60)


def start_function(
    target: str, settings: Mapping[str, str], log: Path, port: int | None = None
) -> RunningFunction:
    """Starts a function and returns when it answers."""
    port = port or unused_port()
    kept = {name: value for name, value in os.environ.items() if name[:6] != "SOPOR_"}
    program = Path(sys.executable).with_name("functions-framework")
    source = str(ROOT / "functions" / "main.py")
    command = [str(program), "--source", source, "--target", target, "--host", "127.0.0.1"]
    with log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**kept, "THREADS": "8", **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    function = RunningFunction(f"http://127.0.0.1:{port}", process)
    try:
        _wait(function, log)
    except BaseException:
        function.stop()
        raise
    return function


@contextmanager
def running_function(
    target: str, settings: Mapping[str, str], log: Path, port: int | None = None
) -> Iterator[RunningFunction]:
    """Runs a function for the length of a ``with`` block."""
    function = start_function(target, settings, log, port)
    try:
        yield function
    finally:
        function.stop()


def _wait(function: RunningFunction, log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and function.process.poll() is None:
        try:
            requests.get(function.url, timeout=30)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the function did not start: {log.read_text(encoding='utf-8')}")
