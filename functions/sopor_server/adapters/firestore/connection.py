"""Opens the connection to Firestore: one client of Google's package for each process.

gRPC is not usable in a process that forks after its first call. So nothing is opened, nor even
imported, before the first request asks for it: functions-framework and gunicorn load the program in
the parent and answer requests in workers, and each worker opens its own. The client may be used
from many threads at once; all share one connection.

Streams that listen have connections of their own: at Google one connection carries 100 streams, and
what comes after waits, which must not befall a read.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from sopor_server.ports.errors import StoreUnavailable

if TYPE_CHECKING:
    import grpc
    from google.cloud.firestore_v1.services.firestore import FirestoreClient
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

_Options: TypeAlias = "tuple[tuple[str, int], ...]"

# After a failed attempt to connect, calls are refused at once until the next one: that must come
# before the last of our attempts at a call.
_CONNECT_AGAIN_MILLIS = 100
_CONNECT_AGAIN_AT_MOST_MILLIS = 1_000
# A sleeping instance may have lost its connection without a word. A call that waits on it is
# followed by a ping, so that the connection is given up before the call's deadline, and the next
# attempt makes a new one. Between calls gRPC sends none. 10 seconds are the least that it allows.
_PING_AFTER_MILLIS = 10_000
_PING_ANSWER_MILLIS = 5_000
_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", _CONNECT_AGAIN_MILLIS),
    ("grpc.max_reconnect_backoff_ms", _CONNECT_AGAIN_AT_MOST_MILLIS),
    ("grpc.keepalive_time_ms", _PING_AFTER_MILLIS),
    # Both, as which of them counts depends on gRPC's release.
    ("grpc.keepalive_timeout_ms", _PING_ANSWER_MILLIS),
    ("grpc.http2.ping_timeout_ms", _PING_ANSWER_MILLIS),
)
# A stream that listens may be silent for hours, and so would be one whose connection is lost. So
# pings go on, as often as Google's own packages for phones send them. Connections with the same
# options would be one otherwise.
_LISTENING = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


class Connection:
    """Holds the client, with the application's default credentials or none for an emulator."""

    def __init__(self, emulator: str | None = None, *, listening: bool = False) -> None:
        """Takes the ``host:port`` of an emulator, if it is one. Opens nothing yet."""
        self._emulator = emulator
        self._options = dict(_OPTIONS) | (dict(_LISTENING) if listening else {})
        self._lock = Lock()
        self._client: FirestoreClient | None = None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call: an emulator takes this for whom no rules concern."""
        return () if self._emulator is None else (("authorization", "Bearer owner"),)

    def client(self) -> FirestoreClient:
        """Returns the client, opened at the first call; raises StoreUnavailable."""
        with self._lock:
            if self._client is None:
                self._client = _open(self._emulator, tuple(self._options.items()))
            return self._client

    def close(self) -> None:
        """Closes the connection, if there is one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.transport.close()  # type: ignore[no-untyped-call]


def _open(emulator: str | None, options: _Options) -> FirestoreClient:
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.firestore_v1.services.firestore import FirestoreClient
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

    try:
        channel = _channel(FirestoreGrpcTransport, emulator, options)
    except GoogleAuthError as error:
        raise StoreUnavailable(
            f"there are no credentials for Firestore: {error}; run as a service account, or"
            " `gcloud auth application-default login`"
        ) from error
    return FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))


def _channel(
    transport: type[FirestoreGrpcTransport], emulator: str | None, options: _Options
) -> grpc.Channel:
    if emulator is None:
        return transport.create_channel(options=options)
    import grpc

    # A proxy for the outside world would be asked for an emulator on this machine as well.
    return grpc.insecure_channel(emulator, (*options, ("grpc.enable_http_proxy", 0)))
