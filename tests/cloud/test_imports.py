"""A start pays only for what it uses, and writes nothing to stderr that is no log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.emulators import PROJECT, new_database
from tests.support.functions import ROOT, cloud_environment

_TELL = "import json, sys; print(json.dumps(sorted(sys.modules)))"
_ANSWER = """
import main
from werkzeug.wrappers import Request
assert main.api(Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/health"})).status_code == 200
"""
_FORK = """
import os, sys
from sopor_server.adapters.firestore import FirestoreMetadataStore
store = FirestoreMetadataStore.open(*sys.argv[1:])
for _ in range(2):
    child = os.fork()
    if child == 0:
        try:
            store.check()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert "grpc" not in sys.modules
store.check()
"""
_NOTICE = """
import datetime, sys
if sys.argv[1] == "quiet":
    from sopor_server.adapters.google.quiet import keep_quiet
    keep_quiet()
import google.api_core
google.api_core.check_python_version(today=datetime.date(2035, 1, 1))
"""
GOOGLE = {"google.api_core", "google.auth", "google_crc32c", "grpc", "requests", "urllib3"}
SQLITE = {"sqlite3", "sopor_server.adapters.files", "sopor_server.adapters.sqlite"}


def run(program: str, *arguments: str, settings: Mapping[str, str]) -> tuple[str, str]:
    """Runs a program; returns what it wrote to stdout and to stderr."""
    kept = {name: value for name, value in os.environ.items() if name[:6] != "SOPOR_"}
    folders = os.pathsep.join((str(ROOT / "functions"), str(ROOT / "shared")))
    path = {"PYTHONPATH": folders, "SOPOR_LOG": "off"}
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**kept, **path, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, ran.stderr


def imported(program: str, settings: Mapping[str, str]) -> set[str]:
    told, noise = run(program + _TELL, settings=settings)
    assert noise == ""
    return set(json.loads(told))


def test_before_the_first_request_nothing_is_imported() -> None:
    found = imported("import main\n", {})
    assert "main" in found
    assert not found & {*GOOGLE, *SQLITE, "pydantic", "cryptography", "sopor_server.bootstrap"}


def test_sqlite_and_files_need_nothing_of_googles(tmp_path: Path) -> None:
    found = imported(_ANSWER, {"SOPOR_DATA": str(tmp_path / "data")})
    assert found >= SQLITE
    assert not found & GOOGLE


def test_the_cloud_needs_no_sqlite(firestore_emulator: str, storage_emulator: str) -> None:
    found = imported(_ANSWER, cloud_environment(firestore_emulator, storage_emulator))
    assert found >= {"google.cloud.firestore_v1", "google.cloud.storage", "grpc"}
    assert not found & SQLITE


def test_a_store_that_is_opened_before_a_fork_connects_after_it(firestore_emulator: str) -> None:
    """As servers do that load the program once and answer in worker processes."""
    told = run(_FORK, PROJECT, new_database(), firestore_emulator, settings={})
    assert told == ("", "")


def test_notices_of_pythons_that_will_not_be_supported_are_left_out() -> None:
    assert "FutureWarning" in run(_NOTICE, "as it comes", settings={})[1]
    assert run(_NOTICE, "quiet", settings={}) == ("", "")
