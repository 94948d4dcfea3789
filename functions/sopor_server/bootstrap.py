"""The composition root: the only place that chooses adapters and reads the environment."""

from __future__ import annotations

import json
import os
import sys
from threading import Lock

from werkzeug.wrappers import Request, Response

from sopor_core.errors import SoporError
from sopor_core.wire.problems import Code
from sopor_server.app import Application, answers
from sopor_server.config import Config
from sopor_server.errors import Refused
from sopor_server.service.context import Context
from sopor_server.throttle import Throttle

_lock = Lock()
_application: Application | None = None


def serve(request: Request) -> Response:
    """Answers a request with this process's application, made at the first one.

    Where it cannot be made, because the environment or the data folder is not as it must be, the
    answer is 503, the reason stands in the log, and the next request tries again.
    """
    try:
        application = _made_once()
    except (SoporError, OSError) as error:
        sys.stderr.write(json.dumps({"severity": "CRITICAL", "message": str(error)}) + "\n")
        refused = Refused(Code.UNAVAILABLE, "the server is not set up", hint="read its log")
        return answers.refusal(refused, request_id="")
    return application(request)


def _made_once() -> Application:
    global _application  # noqa: PLW0603
    with _lock:
        if _application is None:
            _application = build(Config.from_environment(os.environ))
        return _application


def build(config: Config) -> Application:
    """Joins the parts; raises InvalidConfig or OSError."""
    from sopor_server import logs
    from sopor_server.adapters.files import FileBlobStore
    from sopor_server.adapters.identity import load_or_create
    from sopor_server.adapters.sqlite import SqliteMetadataStore

    logs.configure(config.log)
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    context = Context(
        store=SqliteMetadataStore(config.data / "metadata.sqlite3"),
        blobs=FileBlobStore(config.data / "blobs"),
        server=load_or_create(config.data / "server.json"),
        quota_bytes=config.quota_bytes,
        registration_open=config.registration == "open",
        by_address=Throttle(config.login_rate, 60.0 / config.login_rate),
    )
    return Application(context, config.trusted_proxies)
