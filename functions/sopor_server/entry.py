"""The entry points that `functions/main.py` exports: functions that functions-framework serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response


def api(request: Request) -> Response:
    """Answers a request to the HTTP interface (SPEC section 10)."""
    from sopor_server.bootstrap import serve

    return serve(request)
