"""The entry points that `functions/main.py` exports: functions that functions-framework serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request as AsgiRequest
    from starlette.responses import Response as AsgiResponse
    from werkzeug.wrappers import Request, Response


def api(request: Request) -> Response:
    """Answers a request to the HTTP interface (SPEC section 10)."""
    from sopor_server.bootstrap import serve

    return serve(request)


async def events(request: AsgiRequest) -> AsgiResponse:
    """Answers polls and streams of events (SPEC section 10.1); for ASGI."""
    from sopor_server.bootstrap import serve_events

    return await serve_events(request)


def housekeeping(request: Request) -> Response:
    """Removes what nothing needs any more; answers what was done, 500 where it could not be."""
    from sopor_server.bootstrap import answer_housekeeping

    return answer_housekeeping(request)
