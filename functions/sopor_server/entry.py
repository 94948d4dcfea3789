"""The entry points that `functions/main.py` exports: functions that functions-framework serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response


def api(request: Request) -> Response:
    """Answers a request to the HTTP interface (SPEC section 10)."""
    from sopor_server.bootstrap import serve

    return serve(request)


def housekeeping(request: Request) -> Response:
    """Removes what nothing needs any more; answers what was done, 500 where it could not be."""
    from sopor_server.bootstrap import answer_housekeeping

    return answer_housekeeping(request)
