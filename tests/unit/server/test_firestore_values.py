"""Firestore's values, documents and failures, as the adapter understands them."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError, from_grpc_status
from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp

from sopor_server.adapters.firestore.connection import Connection
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.outcomes import Outcome, describe, outcome_of
from sopor_server.adapters.firestore.values import Document, Value, decode_document, encode_fields

ROOT = "projects/p/databases/d/documents"
NOT_CARRIED_OUT = {
    "FAILED_PRECONDITION": Outcome.MOVED,
    "ALREADY_EXISTS": Outcome.MOVED,
    "NOT_FOUND": Outcome.MOVED,
    "INVALID_ARGUMENT": Outcome.MOVED,
    "ABORTED": Outcome.CONTENDED,
    "RESOURCE_EXHAUSTED": Outcome.CONTENDED,
    "PERMISSION_DENIED": Outcome.REFUSED,
    "UNAUTHENTICATED": Outcome.REFUSED,
    "UNIMPLEMENTED": Outcome.REFUSED,
    "OUT_OF_RANGE": Outcome.REFUSED,
}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x00\xff",
        "",
        "ä",
        0,
        -1,
        2**62,
        True,
        False,
        [],
        [b"a", b""],
        datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    ],
)
def test_values_come_back_as_they_were(value: Value) -> None:
    found = types.Document(name=f"{ROOT}/a/b", fields=encode_fields({"x": value}))
    decoded = decode_document(types.Document.pb(found), ROOT).fields["x"]
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize("nanoseconds", [1, 999_999_999, 1_767_322_245_123_456_789])
def test_times_of_change_keep_their_nanoseconds(nanoseconds: int) -> None:
    changed = Timestamp()
    changed.FromNanoseconds(nanoseconds)
    found = decode_document(types.Document.pb(types.Document(update_time=changed)), ROOT)
    assert found.changed == nanoseconds
    write = Database("p", "d", Connection("127.0.0.1:9")).change(found, {})
    sent = types.Write.pb(write).current_document.update_time
    assert sent.ToNanoseconds() == nanoseconds


def test_a_pin_says_that_nothing_is_to_be_written() -> None:
    """Without a mask the document would be replaced by an empty one."""
    database = Database("p", "d", Connection("127.0.0.1:9"))
    write = types.Write.pb(database.change(Document("a/b", {"x": 1}, 5), {}))
    assert write.HasField("update_mask")
    assert not write.update_mask.field_paths
    assert not write.update.fields


@pytest.mark.parametrize("status", [code for code in grpc.StatusCode if code.name != "OK"])
def test_only_what_is_known_not_to_be_carried_out_counts_as_that(status: grpc.StatusCode) -> None:
    error = from_grpc_status(status, "why")  # type: ignore[no-untyped-call]
    assert outcome_of(error) is NOT_CARRIED_OUT.get(status.name, Outcome.UNCERTAIN)
    assert describe(error) == f"{status.name}: why"


def test_a_failure_without_a_status_is_uncertain() -> None:
    error = GoogleAPICallError("why")  # type: ignore[no-untyped-call]
    assert outcome_of(error) is Outcome.UNCERTAIN
    assert describe(error) == "GoogleAPICallError: why"
