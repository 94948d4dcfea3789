"""What only streams need is not imported for requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
_ANSWER = """
import json, sys
import main
from werkzeug.wrappers import Request
for path in ("/v1/health", "/v1/meta", "/v1/events"):
    main.api(Request({"REQUEST_METHOD": "GET", "PATH_INFO": path}))
print(json.dumps(sorted(sys.modules)))
"""


def test_requests_import_nothing_of_streams(tmp_path: Path) -> None:
    folders = os.pathsep.join((str(ROOT / "functions"), str(ROOT / "shared")))
    settings = {"PYTHONPATH": folders, "SOPOR_LOG": "off", "SOPOR_DATA": str(tmp_path)}
    asked = subprocess.run(
        [sys.executable, "-c", _ANSWER],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    found = set(json.loads(asked.stdout))
    assert "sopor_server.app.status" in found
    assert not found & {"asyncio", "concurrent.futures", "starlette", "uvicorn"}
    assert not [name for name in found if name.startswith("sopor_server.streams")]
    assert "sopor_server.adapters.sqlite.signals" not in found
