"""The messages of the commits that a watch makes."""

from __future__ import annotations

import pytest

from sopor.model.document import DocumentId
from sopor.repository.results import ChangeKind, DocumentChange
from sopor.watch.reports import message_of

ADDED, EDITED, DELETED = ChangeKind.ADDED, ChangeKind.MODIFIED, ChangeKind.DELETED


def change(kind: ChangeKind, type_: str = "request", name: str = "List pets") -> DocumentChange:
    return DocumentChange(kind, DocumentId("req_1"), type_, name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([change(EDITED)], 'Edit "List pets" in Shop'),
        ([change(DELETED, name="a\n b")], 'Delete "a b" in Shop'),
        ([change(EDITED)] * 2, "Edit 2 requests in Shop"),
        ([change(EDITED), change(EDITED, "grpc_request")], "Edit 2 requests in Shop"),
        (
            [change(ADDED, "request_group"), change(EDITED), change(EDITED)],
            "Edit 2 requests and add 1 folder in Shop",
        ),
        (
            [change(ADDED), change(EDITED), change(DELETED, "environment")],
            "Edit 1 request, add 1 request and delete 1 environment in Shop",
        ),
        (
            [change(kind, type_) for kind in (ADDED, EDITED) for type_ in ("request", "workspace")],
            "Edit 4 documents in Shop",
        ),
        ([change(EDITED), change(EDITED, "sopor_file")], 'Edit "List pets" in Shop'),
        ([change(EDITED, "something_new")] * 2, "Edit 2 documents in Shop"),
        ([change(EDITED, name="x" * 100)], f'Edit "{"x" * 59}…" in Shop'),
    ],
)
def test_messages_say_what_changed(changes: list[DocumentChange], message: str) -> None:
    assert message_of(changes, "Shop") == message
