"""Tries a real server with requests that Schemathesis makes of the OpenAPI document.

    python tests/fuzz/api.py path/to/schemathesis [seconds] [options of `schemathesis run`]

Schemathesis brings packages that nothing else here needs, so it lives in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sopor_core.wire.parts import MEDIA_TYPE  # noqa: E402
from tests.support.server import running_server  # noqa: E402
from tests.support.story import Person  # noqa: E402

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "ignored_auth",
)
"""Left out is what calls an answer wrong for being a refusal: most of these bodies are signed."""
PLENTY = "1000000000"


def readable(value: Any) -> Any:
    """Returns a part of the document as Schemathesis 4.32 reads it.

    It takes no `prefixItems`, and sends no media type that it does not know.
    """
    if isinstance(value, list):
        return [readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "requestBody" in value:
        content = value["requestBody"]["content"]
        if MEDIA_TYPE in content:
            value = {key: item for key, item in value.items() if key != "requestBody"}
    return {key: readable(item) for key, item in value.items() if key != "prefixItems"}


def main(arguments: Sequence[str]) -> int:
    """Runs Schemathesis against a server of its own; returns its exit code."""
    program, seconds, *options = [*arguments, "120"] if len(arguments) == 1 else arguments
    with TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        whole = json.loads((ROOT / "functions" / "openapi.json").read_text("utf-8"))
        document.write_text(json.dumps(readable(whole)), "utf-8")
        limits = {"SOPOR_LOGIN_RATE": PLENTY, "SOPOR_REQUEST_RATE": PLENTY}
        with running_server(Path(folder) / "data", SOPOR_LOG="warning", **limits) as server:
            token = Person.register(server.url).session["access_token"]
            done = subprocess.run(
                [
                    program, "run", document, "--url", server.url,
                    "--checks", ",".join(CHECKS), "--header", f"Authorization: Bearer {token}",
                    "--max-time", seconds, "--continue-on-failure", "--warnings", "off", *options,
                ],
                check=False,
            )  # fmt: skip
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
