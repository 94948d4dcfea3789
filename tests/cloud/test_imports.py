"""A start pays only for what it uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.functions import ROOT, cloud_environment

_TELL = "import json, sys; print(json.dumps(sorted(sys.modules)))"
_ANSWER = """
import main
from werkzeug.wrappers import Request
assert main.api(Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/health"})).status_code == 200
"""
GOOGLE = {"google.auth", "google_crc32c", "requests", "urllib3"}
SQLITE = {"sqlite3", "sopor_server.adapters.files", "sopor_server.adapters.sqlite"}


def imported(program: str, settings: Mapping[str, str]) -> set[str]:
    kept = {name: value for name, value in os.environ.items() if name[:6] != "SOPOR_"}
    path = {"PYTHONPATH": str(ROOT / "functions"), "SOPOR_LOG": "off"}
    ran = subprocess.run(
        [sys.executable, "-c", program + _TELL],
        env={**kept, **path, **settings},
        stdout=subprocess.PIPE,
        check=True,
    )
    return set(json.loads(ran.stdout))


def test_before_the_first_request_nothing_is_imported() -> None:
    found = imported("import main\n", {})
    assert "main" in found
    assert not found & {*GOOGLE, *SQLITE, "pydantic", "cryptography", "sopor_server.bootstrap"}


def test_sqlite_and_files_need_nothing_of_googles(tmp_path: Path) -> None:
    found = imported(_ANSWER, {"SOPOR_DATA": str(tmp_path / "data")})
    assert found >= SQLITE
    assert not found & GOOGLE


def test_the_cloud_needs_no_sqlite_and_no_client_libraries(
    firestore_emulator: str, storage_emulator: str
) -> None:
    found = imported(_ANSWER, cloud_environment(firestore_emulator, storage_emulator))
    assert found >= {"google.auth", "urllib3"}
    assert not found & {*SQLITE, "grpc", "google.api_core"}
