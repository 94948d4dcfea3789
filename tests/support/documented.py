"""Holds answers of the server to `functions/openapi.json`: status, media type, shape, code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sopor_core.wire import models, parts, problems
from sopor_core.wire.parts import PartKind, split_parts
from sopor_core.wire.problems import MEANINGS, Code
from sopor_core.wire.routes import ROUTE, Operation

_FILE = Path(__file__).parents[2] / "functions" / "openapi.json"
_FAILED = 500


@cache
def document() -> Mapping[str, Any]:
    """Returns the OpenAPI document."""
    content: Mapping[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return content


def check_answer(operation: Operation, status: int, media_type: str, body: bytes) -> Code | None:
    """Raises AssertionError unless the answer is documented; returns the code of a problem.

    That the server failed (500) is documented, and never right.
    """
    route = ROUTE[operation]
    responses = document()["paths"][route.path][route.method.lower()]["responses"]
    response = responses.get(str(status))
    assert status != _FAILED, f"{operation} failed: {body!r}"
    if response is None or media_type == problems.MEDIA_TYPE:
        return _check_problem(operation, status, media_type, body)
    content = response.get("content", {})
    assert media_type in content if content else not media_type, f"{operation}: {media_type!r}"
    if not content:
        assert not body, f"{operation}: {status} has a body"
    elif media_type == "application/json":
        name = content[media_type]["schema"]["$ref"].rpartition("/")[2]
        getattr(models, name).model_validate_json(body, strict=False)
    elif media_type == parts.MEDIA_TYPE:
        return _check_parts(operation, status, body)
    return None


def _check_problem(operation: Operation, status: int, media_type: str, body: bytes) -> Code:
    where = f"{operation}: {status} {media_type} {body[:200]!r}"
    assert media_type == problems.MEDIA_TYPE, where
    return _checked(models.Problem.model_validate_json(body), status, where)


def _checked(problem: models.Problem, status: int, where: str) -> Code:
    code = Code(problem.code)
    assert (problem.status, problem.title) == (status, MEANINGS[code].title), where
    assert status == MEANINGS[code].status, where
    # People read it: what is wrong, and what to do where that helps.
    assert problem.detail, where
    assert problem.request_id, where
    return code


def _check_parts(operation: Operation, status: int, body: bytes) -> Code | None:
    first = next(split_parts(body), None)
    if first is None or first.kind is not PartKind.CONTROL:
        assert status < 400, f"{operation}: {status} without a control part"
        return None
    control = json.loads(first.data)
    if status < 400:
        return None
    where = f"{operation}: {control}"
    return _checked(models.Problem.model_validate(control["problem"]), status, where)
