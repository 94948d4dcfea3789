"""One Firestore database: reads, queries, and commits of several writes with preconditions.

Source: https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sopor_server.adapters.firestore.values import (
    Document,
    Fields,
    Value,
    decode_document,
    encode,
    encode_fields,
)
from sopor_server.adapters.google.retries import is_weather, send_until_answered
from sopor_server.adapters.google.transport import Answer, Transport, Unanswered
from sopor_server.ports.errors import StoreUnavailable

_HOST = "https://firestore.googleapis.com"
_SECONDS = 20.0
_MOVED = frozenset({"FAILED_PRECONDITION", "ALREADY_EXISTS", "NOT_FOUND", "INVALID_ARGUMENT"})
Write = dict[str, Any]


class Moved(Exception):
    """Says that a commit was refused, mostly since a precondition does not hold.

    An update time later than the document's, as one has after a restore, is refused as an invalid
    argument, which is not told apart here: who reads again and meets it again gives up.
    """


class Contended(Exception):
    """Says that a commit was not carried out, since another one had its documents."""


class Uncertain(Exception):
    """Says that a commit may have been carried out, now or in a moment."""


class Database:
    """Speaks with one database; paths are relative to its documents."""

    def __init__(
        self, project: str, database: str, transport: Transport, host: str = _HOST
    ) -> None:
        """Takes the ids of the Google Cloud project and of the database."""
        self._root = f"projects/{project}/databases/{database}/documents"
        self._url = f"{host}/v1/{self._root}"
        self._transport = transport
        self._headers = {"Content-Type": "application/json"}
        if host != _HOST:
            # The emulator takes this for somebody whom no rules concern.
            self._headers["Authorization"] = "Bearer owner"

    # -------------------------------------------------------------------------------- reading

    def get(self, path: str) -> Document | None:
        """Returns a document, or None. One read."""
        return self.get_many([path])[0].get(path)

    def get_many(self, paths: Sequence[str]) -> tuple[dict[str, Document], str]:
        """Returns those of the documents that exist, as one moment had them, and the moment."""
        body = {"documents": [f"{self._root}/{path}" for path in paths]}
        found: dict[str, Document] = {}
        moment = ""
        for item in self._read(":batchGet", body):
            moment = item["readTime"]
            if "found" in item:
                document = decode_document(item["found"], self._root)
                found[document.path] = document
        return found, moment

    def query(
        self,
        collection: str,
        where: Mapping[str, Any],
        *,
        limit: int | None = None,
        select: Sequence[str] = (),
        moment: str | None = None,
    ) -> list[Document]:
        """Returns the documents of a collection that fulfil a filter, by their names."""
        parent, _, last = collection.rpartition("/")
        query: dict[str, Any] = {
            "from": [{"collectionId": last}],
            "where": where,
            "orderBy": [{"field": {"fieldPath": "__name__"}, "direction": "ASCENDING"}],
        }
        if limit is not None:
            query["limit"] = limit
        if select:
            query["select"] = {"fields": [{"fieldPath": name} for name in select]}
        body: dict[str, Any] = {"structuredQuery": query}
        if moment is not None:
            body["readTime"] = moment
        found = self._read(f"{'/' if parent else ''}{parent}:runQuery", body)
        return [
            decode_document(item["document"], self._root) for item in found if "document" in item
        ]

    def where(self, field: str, op: str, value: Value | Sequence[Value]) -> dict[str, Any]:
        """Returns a filter; the field ``__name__`` is compared with a path."""
        operand: dict[str, Any]
        if field == "__name__":
            operand = {"referenceValue": f"{self._root}/{value!s}"}
        elif isinstance(value, list | tuple):
            operand = {"arrayValue": {"values": [encode(item) for item in value]}}
        else:
            operand = encode(value)  # type: ignore[arg-type]
        return {"fieldFilter": {"field": {"fieldPath": field}, "op": op, "value": operand}}

    # -------------------------------------------------------------------------------- writing

    def create(self, path: str, fields: Fields) -> Write:
        """Returns the write of a document that must not exist."""
        return {**self._update(path, fields), "currentDocument": {"exists": False}}

    def change(self, found: Document, fields: Fields) -> Write:
        """Returns the write of some fields of a document that must be as it was found.

        Without fields nothing is written, not even the time of change: the document is pinned.
        """
        return {
            **self._update(found.path, fields),
            "updateMask": {"fieldPaths": list(fields)},
            "currentDocument": {"updateTime": found.changed},
        }

    def put(self, path: str, fields: Fields, transform: Mapping[str, Any] | None = None) -> Write:
        """Returns the write of some fields of a document, made if need be, and a transformation."""
        write = {**self._update(path, fields), "updateMask": {"fieldPaths": list(fields)}}
        return write if transform is None else {**write, "updateTransforms": [transform]}

    def delete(self, path: str) -> Write:
        """Returns the deletion of a document."""
        return {"delete": f"{self._root}/{path}"}

    def commit(self, writes: Sequence[Write]) -> None:
        """Carries out all writes or none, once; raises Moved, Contended or Uncertain."""
        try:
            answer = self._post(":commit", {"writes": list(writes)})
        except Unanswered as error:
            raise Uncertain(str(error)) from error
        if answer.status == 200:
            return
        status, message = _reason(answer)
        if status in _MOVED:
            raise Moved(message)
        if status in ("ABORTED", "RESOURCE_EXHAUSTED"):
            raise Contended(message)
        if is_weather(answer) or status in ("CANCELLED", "UNKNOWN"):
            raise Uncertain(message)
        raise StoreUnavailable(f"Firestore refused a commit: {status}: {message}")

    def _update(self, path: str, fields: Fields) -> Write:
        return {"update": {"name": f"{self._root}/{path}", "fields": encode_fields(fields)}}

    # ------------------------------------------------------------------------------- requests

    def _post(self, call: str, body: object) -> Answer:
        data = json.dumps(body, separators=(",", ":")).encode("ascii")
        return self._transport.send("POST", self._url + call, self._headers, data, _SECONDS)

    def _read(self, call: str, body: object) -> list[dict[str, Any]]:
        data = json.dumps(body, separators=(",", ":")).encode("ascii")
        url = self._url + call
        answer = send_until_answered(
            self._transport, "POST", url, self._headers, data, _SECONDS, weather=_may_read_again
        )
        if answer.status != 200:
            status, message = _reason(answer)
            raise StoreUnavailable(f"Firestore refused a read: {status}: {message}")
        items: list[dict[str, Any]] = json.loads(answer.body)
        for item in items:
            if "error" in item:
                raise StoreUnavailable(f"Firestore broke off: {item['error'].get('message')}")
        return items


def _may_read_again(answer: Answer) -> bool:
    return answer.status == 409 or is_weather(answer)


def _reason(answer: Answer) -> tuple[str, str]:
    """Returns status and message of a failure; a stream's failure stands in a list."""
    try:
        body = json.loads(answer.body)
        error = (body[0] if isinstance(body, list) else body)["error"]
        return error["status"], error.get("message", "")[:300]
    except (ValueError, LookupError, TypeError):
        return f"HTTP {answer.status}", answer.body[:200].decode("utf-8", "replace")
