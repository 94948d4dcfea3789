"""Runs the function `api` under gunicorn's threads."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from sopor_server.app import answers
from sopor_server.errors import not_found

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from werkzeug.wrappers import Response

_SOURCE = Path(__file__).with_name("entry.py")


class Server(BaseApplication):  # type: ignore[misc]
    """Serves the function `api` on one address until SIGTERM or SIGINT.

    One process with threads: logins are throttled in its memory, and SQLite has one writer anyway.
    """

    def __init__(self, host: str, port: int, threads: int, ready: Callable[[str], None]) -> None:
        """Takes the address, port 0 to choose one; ``ready`` is called with the URL."""
        self._threads = threads
        self._bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._ready = ready
        super().__init__()

    def load_config(self) -> None:
        """Gives gunicorn its settings."""
        settings: dict[str, Any] = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": "sopor_server.worker.ImpatientWorker",
            "threads": self._threads,
            "keepalive": 75,
            "timeout": 0,
            "graceful_timeout": 30,
            "loglevel": "warning",
            "when_ready": self._tell,
            "limit_request_line": 8190,  # 200 ids of projects in a query
            "limit_request_fields": 40,
            "control_socket_disable": True,  # from gunicorn 25.1 on
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Returns the WSGI application, in the worker."""
        from functions_framework import create_app

        application = create_app("api", str(_SOURCE), "http")  # type: ignore[no-untyped-call]
        application.register_error_handler(404, _not_found)
        flask: WSGIApplication = application
        return flask

    def _tell(self, arbiter: Any) -> None:  # noqa: ANN401
        host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
        self._ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


def _not_found(_error: Exception) -> Response:
    """Answers what the framework passes to no function, such as an address with a line in it."""
    return answers.refusal(not_found("address"), secrets.token_hex(8))
