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
from sopor_server.auth import ServerIdentity
from sopor_server.config import Config
from sopor_server.errors import Refused
from sopor_server.ports.blobs import BlobStore
from sopor_server.ports.metadata import MetadataStore
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

    logs.configure(config.log)
    store, blobs = storages(config)
    context = Context(
        store=store,
        blobs=blobs,
        server=config.identity or _kept_identity(config),
        quota_bytes=config.quota_bytes,
        registration_open=config.registration == "open",
        by_address=Throttle(config.login_rate, 60.0 / config.login_rate),
    )
    return Application(context, config.trusted_proxies)


def storages(config: Config) -> tuple[MetadataStore, BlobStore]:
    """Opens the storages: Google's where they are named, else SQLite and files.

    Raises:
        OSError: the data folder cannot be made.
    """
    if config.cloud is not None:
        from sopor_server.adapters.firestore import FirestoreMetadataStore
        from sopor_server.adapters.gcs import GcsBlobStore

        cloud = config.cloud
        return (
            FirestoreMetadataStore.open(cloud.project, cloud.database, cloud.firestore_emulator),
            GcsBlobStore.open(cloud.bucket, cloud.storage_emulator),
        )
    from sopor_server.adapters.files import FileBlobStore
    from sopor_server.adapters.sqlite import SqliteMetadataStore

    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return (
        SqliteMetadataStore(config.data / "metadata.sqlite3"),
        FileBlobStore(config.data / "blobs"),
    )


def _kept_identity(config: Config) -> ServerIdentity:
    from sopor_server.adapters.identity import load_or_create

    return load_or_create(config.data / "server.json")
