"""What the client library raises, as the port tells it, and which of it is worth another try.

Texts of errors hold addresses of objects, and may hold signed ones; what is told further is
the status and what Cloud Storage calls the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING

from sopor_server.ports.errors import StoreUnavailable

if TYPE_CHECKING:
    from google.api_core.retry import Retry

TIMEOUT = (20.0, 60.0)
"""How long one attempt waits, in seconds: for a connection, for a body to be sent as well, and for
each piece of the answer."""
_WEATHER = frozenset({408, 429, 500, 502, 503, 504})


def retries(patience: float, noticed: Callable[[], None] = lambda: None) -> Retry:
    """Returns when a call is made again that may be carried out more than once.

    Args:
        patience: for how many seconds new attempts begin.
        noticed: called when an attempt may have been carried out without an answer.
    """
    from google.api_core.retry import Retry

    def note(error: Exception) -> None:
        release(error)
        noticed()

    return Retry(
        predicate=_is_weather,
        initial=0.1,
        maximum=4.0,
        multiplier=2.0,
        timeout=patience,
        on_error=note,
    )


@contextmanager
def told() -> Iterator[None]:
    """Raises StoreUnavailable in place of whatever the client library raises."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
    from urllib3.exceptions import HTTPError

    try:
        yield
    except DataCorruption as error:
        raise StoreUnavailable("a pack was damaged on its way to or from Cloud Storage") from error
    except (
        GoogleAPIError,
        GoogleAuthError,
        InvalidResponse,
        HTTPError,
        HTTPException,
        OSError,
    ) as error:
        release(error)
        raise StoreUnavailable(_reason(error)) from error


def release(error: Exception) -> None:
    """Closes the answer behind an error: the library leaves those to downloads unread and open."""
    response = getattr(error, "response", None)
    if response is not None:
        response.close()


def is_bucket_missing(error: Exception) -> bool:
    """Tells whether a 404 is about the bucket and not about the object."""
    return "bucket does not exist" in str(error)


def _is_weather(error: BaseException) -> bool:
    from google.auth.exceptions import GoogleAuthError
    from urllib3.exceptions import HTTPError

    status = _status(error)
    if status is not None:
        return status in _WEATHER
    if isinstance(error, GoogleAuthError):
        return bool(error.retryable)
    return isinstance(error, (HTTPError, HTTPException, OSError))


def _status(error: BaseException) -> int | None:
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.storage.exceptions import InvalidResponse

    if isinstance(error, GoogleAPICallError) and error.code is not None:
        return int(error.code)
    return int(error.response.status_code) if isinstance(error, InvalidResponse) else None


def _reason(error: Exception) -> str:
    from google.api_core.exceptions import RetryError

    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    status = _status(cause)
    if status is None:
        return f"Cloud Storage does not answer: {type(cause).__name__}"
    said = ", ".join(
        str(item.get("reason") or item.get("message") or "")[:100]
        for item in getattr(cause, "errors", ())
        if isinstance(item, dict)
    )
    return f"Cloud Storage refused with status {status}" + (f" ({said})" if said else "")
