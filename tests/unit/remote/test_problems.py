"""What a server refuses, in the client's words."""

from __future__ import annotations

import json

import pytest

from sopor import errors
from sopor.errors import exit_code
from sopor.remote.problems import Problem, error_of
from sopor_core.wire.problems import MEANINGS, Code

SERVER = "https://sopor.example.com"
EXPECTED: dict[Code, tuple[type[errors.SoporError], int]] = {
    Code.MALFORMED: (errors.ServerRefused, 7),
    Code.TOO_LARGE: (errors.ServerRefused, 7),
    Code.UNSUPPORTED_MEDIA_TYPE: (errors.ServerRefused, 7),
    Code.NOT_FOUND: (errors.NotFound, 3),
    Code.METHOD_NOT_ALLOWED: (errors.ServerRefused, 7),
    Code.UNAUTHENTICATED: (errors.SessionExpired, 6),
    Code.LOGIN_FAILED: (errors.LoginFailed, 6),
    Code.SESSION_EXPIRED: (errors.SessionExpired, 6),
    Code.DEVICE_REVOKED: (errors.SessionExpired, 6),
    Code.SIGN_ON_REQUIRED: (errors.SignOnRequired, 6),
    Code.SIGN_ON_REFUSED: (errors.SignOnFailed, 6),
    Code.FORBIDDEN: (errors.PermissionDenied, 7),
    Code.LOGIN_TAKEN: (errors.StateConflict, 4),
    Code.ENTRY_REFUSED: (errors.ServerRefused, 7),
    Code.LOG_MOVED: (errors.ServerRefused, 7),
    Code.MEMBERSHIP_MOVED: (errors.ServerRefused, 7),
    Code.HEADS_MOVED: (errors.ServerRefused, 7),
    Code.LOG_SHORTER: (errors.RollbackError, 11),
    Code.LOG_DIVERGED: (errors.ForkError, 11),
    Code.PACK_MISSING: (errors.ServerRefused, 7),
    Code.PACK_MISMATCH: (errors.ServerRefused, 7),
    Code.NO_DIRECT: (errors.NotFound, 3),
    Code.QUOTA_EXCEEDED: (errors.QuotaExceeded, 7),
    Code.INVITE_CLOSED: (errors.ServerRefused, 7),
    Code.PROJECT_ARCHIVED: (errors.PermissionDenied, 7),
    Code.PROJECT_DELETED: (errors.ServerRefused, 7),
    Code.ORGANIZATION_DELETED: (errors.ServerRefused, 7),
    Code.RATE_LIMITED: (errors.RateLimited, 8),
    Code.UPGRADE_REQUIRED: (errors.ServerRefused, 7),
    Code.RANGE_NOT_SATISFIABLE: (errors.ServerRefused, 7),
    Code.UNAVAILABLE: (errors.ServerFault, 8),
    Code.INTERNAL: (errors.ServerFault, 8),
}


def test_every_code_is_known() -> None:
    assert set(EXPECTED) == set(Code)


@pytest.mark.parametrize("code", list(EXPECTED))
def test_a_code_decides_the_error(code: Code) -> None:
    status = MEANINGS[code].status
    body = json.dumps({"code": str(code), "detail": "so it is", "status": status}).encode()
    error = error_of(Problem.parse(status, body), SERVER)
    kind, exits = EXPECTED[code]
    assert type(error) is kind
    assert exit_code(error) == exits
    assert error.message[0].islower() or error.message.startswith(SERVER)
    assert not error.message.endswith(".")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ServerRefused),
        (401, errors.SessionExpired),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (418, errors.ServerRefused),
        (500, errors.ServerFault),
        (502, errors.ServerFault),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code": 7, "detail": {}}'])
def test_without_a_problem_document_the_status_decides(
    status: int, kind: type[errors.SoporError], body: bytes
) -> None:
    assert type(error_of(Problem.parse(status, body), SERVER)) is kind


def test_the_server_cannot_control_the_terminal() -> None:
    body = json.dumps({"code": "malformed", "detail": "\x1b[2J\u202ehi" + "x" * 9999}).encode()
    error = error_of(Problem.parse(400, body), SERVER)
    assert error.message.isprintable()
    assert len(error.message) < 600


def test_hints_and_request_ids_are_passed_on() -> None:
    content = {"code": "internal", "detail": "no", "hint": "wait", "request_id": "r-12345678"}
    error = error_of(Problem.parse(500, json.dumps(content).encode()), SERVER)
    assert error.hint == "wait"
    assert "r-12345678" in error.message
