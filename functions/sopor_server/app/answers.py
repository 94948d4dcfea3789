"""The forms that answers take. Headers are few: every request pays for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from sopor_core.canonical import Json
from sopor_core.push_entry import Citation
from sopor_core.wire import parts as wire_parts
from sopor_core.wire import problems
from sopor_core.wire.deflated import join_answer
from sopor_core.wire.parts import Part, PartKind
from sopor_server.errors import Behind, Refused

if TYPE_CHECKING:
    from pydantic import BaseModel


def empty(status: int) -> Response:
    """Returns an answer without a body."""
    response = Response(status=status)
    response.headers.remove("Content-Type")
    return response


def model(value: BaseModel, status: int = 200) -> Response:
    """Returns a model as JSON."""
    return Response(value.model_dump_json(exclude_none=True), status, mimetype="application/json")


def parts(some: Iterable[Part], status: int = 200) -> Response:
    """Returns parts, one after the other; entries may be compressed together."""
    return Response(join_answer(some), status, content_type=wire_parts.MEDIA_TYPE)


def data(content: bytes, status: int = 200) -> Response:
    """Returns bytes as they are."""
    return Response(content, status, content_type="application/octet-stream")


def elsewhere(address: str) -> Response:
    """Returns that the same request is answered at another address, which nobody may keep."""
    response = empty(307)
    response.headers["Location"] = address
    response.headers["Cache-Control"] = "no-store"
    return response


def control(
    head: Citation, members: Citation, more: bool, problem: dict[str, Json] | None = None
) -> Part:
    """Returns the control part of an answer that tells what is new."""
    content: dict[str, Json] = {
        "head": head.to_json(),
        "members": members.to_json(),
        "more": more,
    }
    if problem is not None:
        content["problem"] = problem
    return Part(PartKind.CONTROL, json.dumps(content, separators=(",", ":")).encode())


def refusal(error: Refused, request_id: str) -> Response:
    """Returns the problem document of a refusal, or the parts that hold it."""
    meaning = problems.MEANINGS[error.problem]
    problem: dict[str, Json] = {
        "type": "about:blank",
        "title": meaning.title,
        "status": meaning.status,
        "code": str(error.problem),
        "detail": error.message,
    }
    if request_id:
        problem["request_id"] = request_id
    if error.hint is not None:
        problem["hint"] = error.hint
    if error.heads is not None:
        problem["heads"] = {project.b64: head.to_json() for project, head in error.heads.items()}
    if isinstance(error, Behind):
        first = control(error.head, error.members, error.more, problem)
        return parts([first, *error.lacks], meaning.status)
    response = Response(
        json.dumps(problem, separators=(",", ":")),
        meaning.status,
        content_type=problems.MEDIA_TYPE,
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if meaning.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.size is not None:
        response.headers["Content-Range"] = f"bytes */{error.size}"
    return response
