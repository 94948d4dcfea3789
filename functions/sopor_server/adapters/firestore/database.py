"""One Firestore database: reads, queries, and commits of several writes with preconditions.

It stands on the generated client of `google-cloud-firestore`. The one for people, of the same
package, has no write that changes nothing under a precondition, which is how an append pins what it
depends on. The package's own repetitions are off: a commit without an answer is for `settling` to
settle, and its reads are not repeated once the first document has come.

Source: https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sopor_server.adapters.firestore.connection import Connection
from sopor_server.adapters.firestore.outcomes import (
    Contended,
    Moved,
    Outcome,
    Uncertain,
    describe,
    outcome_of,
)
from sopor_server.adapters.firestore.values import (
    Document,
    Fields,
    Value,
    decode_document,
    encode,
    encode_fields,
)
from sopor_server.adapters.google.retries import attempts
from sopor_server.ports.errors import StoreUnavailable

if TYPE_CHECKING:
    from google.cloud.firestore_v1 import types
    from google.cloud.firestore_v1.types import StructuredQuery, Write

T = TypeVar("T")
_SECONDS = 20.0


class Database:
    """Speaks with one database; paths are relative to its documents."""

    def __init__(
        self, project: str, database: str, connection: Connection, seconds: float = _SECONDS
    ) -> None:
        """Takes the ids of Google Cloud's project and of the database; each call's deadline."""
        self._name = f"projects/{project}/databases/{database}"
        self._root = f"{self._name}/documents"
        self._connection = connection
        self._seconds = seconds

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    # -------------------------------------------------------------------------------- reading

    def get(self, path: str) -> Document | None:
        """Returns a document, or None. One read."""
        return self.get_many([path])[0].get(path)

    def get_many(
        self, paths: Sequence[str], *, select: Sequence[str] = ()
    ) -> tuple[dict[str, Document], int]:
        """Returns those of the documents that exist, as one moment had them, and the moment.

        A moment is in nanoseconds since 1970. ``select`` names the fields that are wanted.
        """
        from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, DocumentMask

        documents = [self._full(path) for path in paths]
        request = BatchGetDocumentsRequest(database=self._name, documents=documents)
        if select:
            request.mask = DocumentMask(field_paths=list(select))
        found: dict[str, Document] = {}
        moment = 0
        for item in self._read(self._connection.client().batch_get_documents, request):
            moment = item.read_time.ToNanoseconds()
            if item.HasField("found"):
                document = decode_document(item.found, self._root)
                found[document.path] = document
        return found, moment

    def query(
        self,
        collection: str,
        where: StructuredQuery.Filter,
        *,
        limit: int | None = None,
        select: Sequence[str] = (),
        moment: int | None = None,
    ) -> list[Document]:
        """Returns the documents of a collection that fulfil a filter, by their names."""
        from google.cloud.firestore_v1.types import RunQueryRequest, StructuredQuery

        parent, _, last = collection.rpartition("/")
        field = StructuredQuery.FieldReference
        query = StructuredQuery(
            from_=[StructuredQuery.CollectionSelector(collection_id=last)],
            where=where,
            order_by=[
                StructuredQuery.Order(field=field(field_path="__name__"), direction="ASCENDING")
            ],
            limit=limit,
        )
        if select:
            fields = [field(field_path=name) for name in select]
            query.select = StructuredQuery.Projection(fields=fields)
        request = RunQueryRequest(
            parent=self._full(parent) if parent else self._root, structured_query=query
        )
        if moment is not None:
            request.read_time = _timestamp(moment)
        found = self._read(self._connection.client().run_query, request)
        return [
            decode_document(item.document, self._root)
            for item in found
            if item.HasField("document")
        ]

    def where(self, field: str, op: str, value: Value) -> StructuredQuery.Filter:
        """Returns a filter; the field ``__name__`` is compared with a path."""
        from google.cloud.firestore_v1 import types

        if field == "__name__":
            operand = types.Value(reference_value=self._full(str(value)))
        else:
            operand = encode(value)
        compared = types.StructuredQuery.FieldFilter(
            field=types.StructuredQuery.FieldReference(field_path=field),
            op=op,
            value=operand,
        )
        return types.StructuredQuery.Filter(field_filter=compared)

    # -------------------------------------------------------------------------------- writing

    def create(self, path: str, fields: Fields) -> Write:
        """Returns the write of a document that must not exist."""
        from google.cloud.firestore_v1 import types

        return types.Write(
            update=self._document(path, fields), current_document=types.Precondition(exists=False)
        )

    def change(self, found: Document, fields: Fields) -> Write:
        """Returns the write of some fields of a document that must be as it was found.

        Without fields nothing is written, not even the time of change: the document is pinned.
        """
        from google.cloud.firestore_v1 import types

        return types.Write(
            update=self._document(found.path, fields),
            update_mask=types.DocumentMask(field_paths=list(fields)),
            current_document=types.Precondition(update_time=_timestamp(found.changed)),
        )

    def merge(self, path: str, fields: Fields, without: Sequence[str] = ()) -> Write:
        """Returns the write of some fields, and of the loss of others, whatever is there before.

        The document is made if need be.
        """
        from google.cloud.firestore_v1 import types

        return types.Write(
            update=self._document(path, fields),
            update_mask=types.DocumentMask(field_paths=[*fields, *without]),
        )

    def raise_to(self, path: str, field: str, least: int) -> Write:
        """Returns the write that raises a number to at least this, of a document that exists."""
        from google.cloud.firestore_v1 import types

        write = self._transform(path, field, maximum=encode(least))
        write.current_document = types.Precondition(exists=True)
        return write

    def add_to(self, path: str, field: str, item: bytes) -> Write:
        """Returns the write that adds to a set; the document is made if need be."""
        return self._transform(path, field, append_missing_elements=_array(item))

    def take_from(self, path: str, field: str, item: bytes) -> Write:
        """Returns the write that takes from a set; the document is made if need be."""
        return self._transform(path, field, remove_all_from_array=_array(item))

    def delete(self, path: str) -> Write:
        """Returns the deletion of a document."""
        from google.cloud.firestore_v1.types import Write

        return Write(delete=self._full(path))

    def commit(self, writes: Sequence[Write]) -> None:
        """Carries out all writes or none, once; raises Moved, Contended or Uncertain."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.cloud.firestore_v1.types import CommitRequest

        request = CommitRequest(database=self._name, writes=list(writes))
        try:
            self._call(self._connection.client().commit, request)
        except GoogleAPICallError as error:
            reason = describe(error)
            match outcome_of(error):
                case Outcome.MOVED:
                    raise Moved(reason) from error
                case Outcome.CONTENDED:
                    raise Contended(reason) from error
                case Outcome.UNCERTAIN:
                    raise Uncertain(reason) from error
                case Outcome.REFUSED:
                    raise StoreUnavailable(f"Firestore refused a commit: {reason}") from error

    def _document(self, path: str, fields: Fields) -> types.Document:
        from google.cloud.firestore_v1 import types

        return types.Document(name=self._full(path), fields=encode_fields(fields))

    def _transform(self, path: str, field: str, **operation: Any) -> Write:  # noqa: ANN401
        from google.cloud.firestore_v1 import types

        return types.Write(
            update=self._document(path, {}),
            update_mask=types.DocumentMask(),
            update_transforms=[
                types.DocumentTransform.FieldTransform(field_path=field, **operation)
            ],
        )

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    # ---------------------------------------------------------------------------------- calls

    def _call(self, method: Callable[..., T], request: object) -> T:
        metadata = self._connection.metadata
        return method(request=request, retry=None, timeout=self._seconds, metadata=metadata)

    def _read(self, method: Callable[..., Iterable[Any]], request: object) -> list[Any]:
        """Returns the protocol buffers of a stream, read again from its start after weather."""
        from google.api_core.exceptions import GoogleAPICallError

        reason = ""
        for _ in attempts():
            try:
                return [type(item).pb(item) for item in self._call(method, request)]
            except GoogleAPICallError as error:
                reason = describe(error)
                if outcome_of(error) not in (Outcome.CONTENDED, Outcome.UNCERTAIN):
                    raise StoreUnavailable(f"Firestore refused a read: {reason}") from error
        raise StoreUnavailable(f"Firestore does not answer: {reason}")


def _array(item: bytes) -> types.ArrayValue:
    from google.cloud.firestore_v1 import types

    return types.ArrayValue(values=[encode(item)])


def _timestamp(nanoseconds: int) -> Any:  # noqa: ANN401
    from google.protobuf.timestamp_pb2 import Timestamp

    stamp = Timestamp()
    stamp.FromNanoseconds(nanoseconds)
    return stamp
