"""Structured logs on stderr: one JSON object a line, as Cloud Logging reads them.

What never stands in a log: bodies, tokens, paths with ids, login names, texts of unexpected errors
(they may quote any of these). Accounts are named by their ids, requests by theirs.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping

from sopor_server.ports.errors import StoreUnavailable

_ROOT = "sopor_server"
FIELDS = "sopor_fields"
"""The name under which ``extra`` gives further members of a line."""
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "off": logging.CRITICAL + 1}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "severity": record.levelname,
            "message": record.getMessage(),
        }
        entry.update(getattr(record, FIELDS, {}))
        return json.dumps(entry, separators=(",", ":"))


def configure(level: str) -> None:
    """Sends the server's logs to stderr; ``level`` is `info`, `warning` or `off`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    root = logging.getLogger(_ROOT)
    root.handlers = [handler]
    root.propagate = False
    root.setLevel(_LEVELS[level])


def log_request(log: logging.Logger, status: int, fields: Mapping[str, object]) -> None:
    """Logs a served request; empty fields are left out."""
    level = logging.ERROR if status >= 500 else logging.INFO
    kept = {name: value for name, value in fields.items() if value != ""}
    log.log(level, "request", extra={FIELDS: kept})


def log_failure(log: logging.Logger, request_id: str, error: Exception) -> None:
    """Logs an error of the server itself: its type and where it arose.

    The text is told only of errors that quote nothing a client sent.
    """
    fields: dict[str, object] = {
        "request_id": request_id,
        "error": type(error).__name__,
        "at": [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if isinstance(error, StoreUnavailable):
        fields["detail"] = error.message
    log.error("failure", extra={FIELDS: fields})
