"""The composition root: the only place that chooses adapters and reads the environment."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from sopor_core.errors import SoporError
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import Operation
from sopor_server.app import Application, answers
from sopor_server.auth import ServerIdentity
from sopor_server.config import Config
from sopor_server.errors import Refused
from sopor_server.ports.blobs import BlobStore
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.sign_on import SignOnSettings
from sopor_server.service.context import Context, SingleSignOn, StreamsOffer
from sopor_server.throttle import Throttle

if TYPE_CHECKING:
    from starlette.requests import Request as AsgiRequest
    from starlette.responses import Response as AsgiResponse

    from sopor_server.ports.signals import Signals, Wake
    from sopor_server.service.housekeeping import Report
    from sopor_server.streams.asgi import EventsFunction

_lock = Lock()
_application: Application | None = None
_events: EventsFunction | None = None


def serve(request: Request) -> Response:
    """Answers a request with this process's application, made at the first one.

    Where it cannot be made, because the environment or the data folder is not as it must be, the
    answer is 503, the reason stands in the log, and the next request tries again.
    """
    try:
        application = _made_once()
    except (SoporError, OSError) as error:
        return _not_set_up(error)
    return application(request)


async def serve_events(request: AsgiRequest) -> AsgiResponse:
    """Answers polls and streams of events with what is made at the first request, as `serve`."""
    global _events  # noqa: PLW0603
    try:
        # Nothing is awaited while it is made, so that it is made once.
        _events = _events or build_events(Config.from_environment(os.environ))
    except (SoporError, OSError) as error:
        from sopor_server.streams.asgi import response_of

        return response_of(_not_set_up(error))
    return await _events(request.scope)


def _not_set_up(error: Exception) -> Response:
    sys.stderr.write(json.dumps({"severity": "CRITICAL", "message": str(error)}) + "\n")
    refused = Refused(Code.UNAVAILABLE, "the server is not set up", hint="read its log")
    return answers.refusal(refused, request_id="")


def _made_once() -> Application:
    global _application  # noqa: PLW0603
    with _lock:
        if _application is None:
            _application = build(Config.from_environment(os.environ))
        return _application


def build(config: Config) -> Application:
    """Joins the parts; raises InvalidConfig or OSError."""
    return Application(_context(config), config.trusted_proxies)


def build_events(config: Config) -> EventsFunction:
    """Joins the parts of streams, in their event loop; raises InvalidConfig or OSError."""
    from concurrent.futures import ThreadPoolExecutor

    from sopor_server.streams.asgi import EventsFunction
    from sopor_server.streams.hub import Hub
    from sopor_server.streams.opening import EventsEndpoint
    from sopor_server.streams.seats import Seats
    from sopor_server.streams.watches import Storage

    context = _context(config)
    storage = Storage(context, ThreadPoolExecutor(config.threads, "storage"))
    endpoint = EventsEndpoint("events:poll", seats=Seats(config.events_streams))
    application = Application(context, config.trusted_proxies, {Operation.EVENTS: endpoint})
    hub = Hub(storage, lambda wake: _signals(config, wake), config.events_quiet)
    events = EventsFunction(application, storage, hub)
    events.end_with_process()
    return events


def _signals(config: Config, wake: Wake) -> Signals:
    """Begins with signals of the storage that `storages` opens."""
    if config.cloud is not None:
        from sopor_server.adapters.firestore.signals import FirestoreSignals

        cloud = config.cloud
        return FirestoreSignals(cloud.project, cloud.database, cloud.firestore_emulator, wake)
    from sopor_server.adapters.sqlite.signals import SqliteSignals

    return SqliteSignals(config.data / "metadata.sqlite3", wake)


def _context(config: Config) -> Context:
    from sopor_server import logs

    logs.configure(config.log)
    store, blobs = storages(config)
    return Context(
        store=store,
        blobs=blobs,
        server=config.identity or _kept_identity(config),
        quota_bytes=config.quota_bytes,
        quota_seats=config.quota_seats,
        quota_projects=config.quota_projects,
        license_key=config.license_key,
        registration_open=config.registration == "open",
        by_address=Throttle(config.login_rate, 60.0 / config.login_rate),
        requests=Throttle(config.request_rate, 60.0 / config.request_rate),
        sign_on=_sign_on(config.sign_on),
        streams=_streams(config),
    )


def _streams(config: Config) -> StreamsOffer | None:
    if config.events_url is None and not config.events_port:
        return None
    return StreamsOffer(config.events_url, config.events_port or None, config.events_quiet)


def _sign_on(settings: SignOnSettings | None) -> SingleSignOn | None:
    if settings is None:
        return None
    from sopor_server.adapters.oidc import OidcTokens

    return SingleSignOn(settings, OidcTokens(settings.issuer))


def answer_housekeeping(request: Request) -> Response:
    """Runs the housekeeping for a POST; the scheduler tries again after any other answer than 200.

    Who may call is for the platform to decide.
    """
    if request.method != "POST":
        return Response("the housekeeping is asked by POST\n", 405, {"Allow": "POST"})
    try:
        done = asdict(keep_house(os.environ))
    except (SoporError, OSError) as error:
        line = {"severity": "CRITICAL", "message": f"the housekeeping failed: {error}"}
        sys.stderr.write(json.dumps(line) + "\n")
        return Response("the housekeeping failed, its log tells why\n", 500)
    line = {"severity": "INFO", "message": "the housekeeping is done", **done}
    sys.stderr.write(json.dumps(line) + "\n")
    return Response(json.dumps(done), mimetype="application/json")


def keep_house(environment: Mapping[str, str], *, everything: bool = False) -> Report:
    """Runs the housekeeping once on the storages that the environment names.

    Raises:
        InvalidConfig: the environment is not as it must be.
        StoreUnavailable: a storage does not answer.
        OSError: the data folder cannot be made.
    """
    from sopor_server.service.housekeeping import Housekeeping

    config = Config.from_environment(environment, serving=False)
    store, blobs = storages(config)
    try:
        now = time.time_ns() // 1_000_000
        return Housekeeping(store, blobs, now, config.restore_days + 1, everything).run()
    finally:
        store.close()


def storages(config: Config) -> tuple[MetadataStore, BlobStore]:
    """Opens the storages: Google's where they are named, else SQLite and files.

    Raises:
        OSError: the data folder cannot be made.
    """
    if config.cloud is not None:
        from sopor_server.adapters.firestore import FirestoreMetadataStore
        from sopor_server.adapters.gcs import GcsBlobStore
        from sopor_server.adapters.google.quiet import keep_quiet

        keep_quiet()
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
