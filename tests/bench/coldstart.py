"""Prints how long a function takes from the start of its process to its first answer.

The first answer of `api` is that to ``/v1/health``, which asks both storages; that of `events` says
that there is no token, as it streams for nobody else, and asks none. A run on SQLite and files and
one on the emulators of Google's; the latter imports what finds credentials on Google Cloud as well,
which the emulators would not need. What Google adds (a machine, a container) is not in it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from http.client import HTTPConnection

from tests.support import emulators
from tests.support.functions import ROOT, cloud_environment

_FRAMEWORK = "from functions_framework._cli import _cli; _cli()"
_CREDENTIALS = "import google.auth.compute_engine, google.auth.transport.requests; "
_API_REQUEST = """
import functions_framework._cli, gunicorn.app.base, main
from werkzeug.wrappers import Request
assert main.api(Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/health"})).status_code == 200
"""
_EVENTS_REQUEST = """
import asyncio, functions_framework._cli, functions_framework.aio, uvicorn_worker, main
from starlette.requests import Request
scope = {"type": "http", "method": "GET", "path": "/v1/events", "query_string": b"",
    "headers": [], "http_version": "1.1", "scheme": "http", "client": ("::1", 1)}
async def ask():
    assert (await main.events(Request(scope))).status_code == 401
asyncio.run(ask())
"""


@dataclass(frozen=True)
class Function:
    """A function, and what it is asked first."""

    name: str
    path: str
    status: int
    request: str
    settings: dict[str, str] = field(default_factory=dict)


FUNCTIONS = (
    Function("api", "/v1/health", 200, _API_REQUEST),
    Function("events", "/v1/events", 401, _EVENTS_REQUEST, {"FUNCTION_USE_ASGI": "true"}),
)


def first_answer(
    function: Function, settings: Mapping[str, str], before: str
) -> tuple[float, float]:
    """Starts a function; returns the seconds until it answered, and those of its processors.

    The latter hardly depend on what else the machine does.
    """
    port = emulators.unused_port()
    source = str(ROOT / "functions" / "main.py")
    arguments = ["--source", source, "--target", function.name]
    arguments += ["--host", "127.0.0.1", "--port", str(port)]
    environment = _environment(settings) | function.settings
    begun, worked = time.perf_counter(), _processor_seconds()
    process = subprocess.Popen(
        [sys.executable, "-c", before + _FRAMEWORK, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port, function):
            if process.poll() is not None:
                raise SystemExit("the function did not start")
            time.sleep(0.002)
        passed = time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(timeout=60)
    return passed, _processor_seconds() - worked


def _processor_seconds() -> float:
    """Returns what ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _answers(port: int, function: Function) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", function.path)
        return connection.getresponse().status == function.status
    except ConnectionError:
        return False
    finally:
        connection.close()


def profile(
    function: Function, settings: Mapping[str, str], before: str
) -> list[tuple[str, float]]:
    """Returns the packages that take most of the import, with their own milliseconds."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", before + function.request],
        env=_environment(settings)
        | {"PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT / 'shared'}"},
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    spent: Counter[str] = Counter()
    for line in ran.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|", 2)
        if own.strip().isdigit():
            spent[_package(name.strip())] += int(own)
    return [(name, micros / 1000) for name, micros in spent.most_common(12)]


def _package(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "google" else parts[0]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name[:6] != "SOPOR_"}
    return kept | {"SOPOR_LOG": "off", "THREADS": "16", **settings}


def show(name: str, settings: Mapping[str, str], before: str, runs: int) -> None:
    """Measures the functions on one kind of storage and prints what was found."""
    for function in FUNCTIONS:
        show_function(function, name, settings, before, runs)


def show_function(
    function: Function, name: str, settings: Mapping[str, str], before: str, runs: int
) -> None:
    """Measures one function."""
    first_answer(function, settings, before)
    found = [first_answer(function, settings, before) for _ in range(runs)]
    passed = sorted(passed for passed, _ in found)
    print(f"\n{function.name}, {name}: median of {runs} {statistics.median(passed):.3f} s", end="")
    print(f" (from {passed[0]:.3f} to {passed[-1]:.3f})", end="")
    print(f", of processors {statistics.median(worked for _, worked in found):.3f} s")
    for package, millis in profile(function, settings, before):
        print(f"  {millis:7.1f} ms  {package}")


def main() -> int:
    """Measures both; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        show("SQLite and files", {"SOPOR_DATA": str(folder / "data")}, "", runs)
        try:
            addresses = []
            for command in (emulators.firestore_command, emulators.storage_command):
                port = emulators.unused_port()
                running = emulators.running(command(port), port, folder / command.__name__)
                addresses.append(stack.enter_context(running))
        except emulators.MissingError as missing:
            print(f"not on this machine: {missing}", file=sys.stderr)
            return 1
        settings = cloud_environment(*addresses)
        show("Firestore and Cloud Storage", settings, _CREDENTIALS, runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
