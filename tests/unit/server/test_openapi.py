"""The OpenAPI document, which is generated and kept beside the functions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sopor_core.wire.routes import ROUTES
from sopor_server import openapi
from sopor_server.app.endpoints import ENDPOINTS


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_file_is_fresh() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.rendered(), (
        "run `python -m sopor_server.openapi`"
    )


def test_it_is_written_by_a_command(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    subprocess.run(
        [sys.executable, "-m", "sopor_server.openapi", str(file)], check=True, timeout=120
    )
    assert json.loads(file.read_bytes()) == openapi.document()


def test_every_route_is_described() -> None:
    paths = openapi.document()["paths"]
    described = {
        (path, method.upper(), operation["operationId"])
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    assert described == {(route.path, route.method, str(route.operation)) for route in ROUTES}
    for route in ROUTES:
        operation = paths[route.path][route.method.lower()]
        assert operation["summary"]
        assert ("requestBody" in operation) == bool(ENDPOINTS[route.operation].media_type)
        assert (operation.get("security") == []) is not route.authenticated
        named = [item["name"] for item in operation["parameters"] if item.get("in") == "path"]
        assert all(f"{{{name}}}" in route.path for name in named)
        assert route.path.count("{") == len(named)


def test_every_reference_leads_somewhere() -> None:
    document = openapi.document()
    found = set(references(document))
    assert found
    for reference in found:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_requests_refuse_unknown_members_and_answers_do_not() -> None:
    schemas = openapi.document()["components"]["schemas"]
    assert schemas["LoginRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Session"]
