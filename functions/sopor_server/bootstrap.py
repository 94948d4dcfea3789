"""The composition root: the only place that chooses adapters and reads the environment."""

from __future__ import annotations

import os
from threading import Lock

from sopor_server.app import Application
from sopor_server.config import Config
from sopor_server.service.context import Context
from sopor_server.throttle import Throttle

_lock = Lock()
_application: Application | None = None


def application() -> Application:
    """Returns this process's application, made from the environment at the first call.

    Raises:
        InvalidConfig: the environment, or the data folder, is not as it must be.
    """
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
