"""Stands between the adapter and Firestore: counts what is billed, and makes bad weather.

with Relay(firestore_emulator) as relay:
    store = FirestoreMetadataStore.open(PROJECT, database, relay.address)
    relay.plan("Commit", Fault.AFTER)
    ...
    assert relay.billed == Billed(reads=3, writes=3)

It is a gRPC server of its own that hands calls on to the emulator, so that a fault is on the wire
what it would be at Google's. The adapter does not know of it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Self

import grpc
from google.cloud.firestore_v1 import types

from tests.support.weather import Billed, Fault

_THREADS = 64
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", -1),
)
_PASSED_ON = ("authorization", "google-cloud-resource-prefix", "x-goog-request-params")
_STATUS = {
    Fault.BEFORE: grpc.StatusCode.UNAVAILABLE,
    Fault.AFTER: grpc.StatusCode.UNAVAILABLE,
    Fault.LOST: grpc.StatusCode.DEADLINE_EXCEEDED,
    Fault.ABORTED: grpc.StatusCode.ABORTED,
    Fault.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Fault.REFUSED: grpc.StatusCode.PERMISSION_DENIED,
    Fault.BROKEN: grpc.StatusCode.UNAVAILABLE,
}
_NOT_PASSED_ON = frozenset({Fault.BEFORE, Fault.ABORTED, Fault.EXHAUSTED, Fault.REFUSED})


class Relay(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A server that relays calls, and that fails when it is told to."""

    def __init__(self, emulator: str) -> None:
        self._emulator = grpc.insecure_channel(emulator, _OPTIONS)
        self._lock = threading.Lock()
        self._plans: list[tuple[str, Fault]] = []
        self._gone = threading.Event()
        self.billed = Billed()
        self.calls: Counter[str] = Counter()
        self._heard: set[SimpleQueue[bytes | grpc.StatusCode]] = set()
        self.targets: list[tuple[int, str]] = []
        """Number and document of each target of streams that listen, as they were added."""
        self._server, self._port = self._serve(0)

    @property
    def address(self) -> str:
        """The ``host:port`` that the adapter is given."""
        return f"127.0.0.1:{self._port}"

    def plan(self, method: str, *faults: Fault) -> None:
        """Lets the next calls of a method fail, one for each fault."""
        self._plans += [(method, fault) for fault in faults]

    @property
    def listening(self) -> int:
        """How many streams listen now."""
        with self._lock:
            return len(self._heard)

    def end_listening(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """Ends the streams that listen, as Google does for many reasons; ``OK`` is one as well."""
        self._say(code)

    def say(self, response: types.ListenResponse) -> None:
        """Says something on all streams that listen."""
        self._say(types.ListenResponse.serialize(response))

    def _say(self, what: bytes | grpc.StatusCode) -> None:
        with self._lock:
            for heard in self._heard:
                heard.put(what)

    @property
    def is_done(self) -> bool:
        """Tells whether every planned fault has happened."""
        return not self._plans

    def close(self) -> None:
        """Ends the server."""
        self._gone.set()
        self._server.stop(None).wait()
        self._emulator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Returns what handles a call; requests and answers stay bytes."""
        name = details.method.rpartition("/")[2]
        if name == "Commit":
            unary = self._emulator.unary_unary(details.method)
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: self._one(name, unary, request, context)
            )
        if name == "Listen":
            both = self._emulator.stream_stream(details.method)
            return grpc.stream_stream_rpc_method_handler(
                lambda requests, context: self._listen(both, requests, context)
            )
        stream = self._emulator.unary_stream(details.method)
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._many(name, stream, request, context)
        )

    def _one(
        self,
        name: str,
        method: Callable[..., bytes],
        request: bytes,
        context: grpc.ServicerContext,
    ) -> bytes:
        fault = self._begin(name, context)
        answer: bytes = self._pass_on(method, request, context)
        writes = types.CommitRequest.pb().FromString(request).writes
        deletes = sum(write.WhichOneof("operation") == "delete" for write in writes)
        self._bill(Billed(writes=len(writes) - deletes, deletes=deletes))
        self._end(fault, context)
        return answer

    def _many(
        self,
        name: str,
        method: Callable[..., Any],
        request: bytes,
        context: grpc.ServicerContext,
    ) -> Iterator[bytes]:
        fault = self._begin(name, context)
        items = self._pass_on(lambda *args, **named: list(method(*args, **named)), request, context)
        self._bill(Billed(reads=_reads(name, request, items)))
        if fault is Fault.BROKEN:
            yield from items[:1]
        self._end(fault, context)
        yield from items

    def _listen(
        self,
        method: Callable[..., Any],
        requests: Iterator[bytes],
        context: grpc.ServicerContext,
    ) -> Iterator[bytes]:
        self._begin("Listen", context)
        heard: SimpleQueue[bytes | grpc.StatusCode] = SimpleQueue()
        call = method(self._asked(requests), metadata=_passed_on(context))
        context.add_callback(call.cancel)
        threading.Thread(target=_hear, args=(call, heard)).start()
        with self._lock:
            self._heard.add(heard)
        try:
            while isinstance(answer := heard.get(), bytes):
                self._bill(Billed(reads=_is_document(answer)))
                yield answer
            if answer is not grpc.StatusCode.OK:
                context.abort(answer, "weather")
        finally:
            with self._lock:
                self._heard.discard(heard)
            call.cancel()

    def _asked(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        # Who cancels a stream asks for nothing more.
        with suppress(grpc.RpcError):
            for request in requests:
                added = types.ListenRequest.pb().FromString(request).add_target
                with self._lock:
                    self.targets += [(added.target_id, name) for name in added.documents.documents]
                yield request

    def _begin(self, name: str, context: grpc.ServicerContext) -> Fault | None:
        with self._lock:
            self.calls[name] += 1
            planned = (number for number, plan in enumerate(self._plans) if plan[0] == name)
            number = next(planned, None)
            fault = None if number is None else self._plans.pop(number)[1]
        if fault in _NOT_PASSED_ON:
            context.abort(_STATUS[fault], "weather")
        return fault

    def _end(self, fault: Fault | None, context: grpc.ServicerContext) -> None:
        if fault is Fault.HELD:
            left = threading.Event()
            if context.add_callback(left.set):
                left.wait()
        elif fault is Fault.CUT:
            threading.Thread(target=self._restart).start()
            self._gone.wait()
        elif fault is not None:
            context.abort(_STATUS[fault], "weather")

    def _pass_on(self, method: Any, request: bytes, context: grpc.ServicerContext) -> Any:
        try:
            return method(request, timeout=context.time_remaining(), metadata=_passed_on(context))
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())

    def _bill(self, billed: Billed) -> None:
        with self._lock:
            self.billed += billed

    def _serve(self, port: int) -> tuple[grpc.Server, int]:
        server = grpc.server(ThreadPoolExecutor(_THREADS), (self,), options=_OPTIONS)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        return server, port

    def _restart(self) -> None:
        """Closes all connections, answered or not, and listens again where it did."""
        self._server.stop(None).wait()
        self._gone.set()
        self._server, _ = self._serve(self._port)
        self._gone = threading.Event()


def _passed_on(context: grpc.ServicerContext) -> list[tuple[str, str]]:
    return [pair for pair in context.invocation_metadata() if pair[0] in _PASSED_ON]


def _hear(call: Any, heard: SimpleQueue[bytes | grpc.StatusCode]) -> None:
    try:
        for answer in call:
            heard.put(answer)
    except grpc.RpcError as error:
        heard.put(error.code())
    else:
        heard.put(grpc.StatusCode.OK)


def _is_document(answer: bytes) -> bool:
    return bool(types.ListenResponse.pb().FromString(answer).HasField("document_change"))


def _reads(name: str, request: bytes, items: list[bytes]) -> int:
    """Returns the documents that are billed; a query that finds nothing is billed as one."""
    if name == "BatchGetDocuments":
        asked: list[str] = types.BatchGetDocumentsRequest.pb().FromString(request).documents
        return len(asked)
    answers = map(types.RunQueryResponse.pb().FromString, items)
    return max(1, sum(bool(answer.HasField("document")) for answer in answers))
