"""Which account insists on which person of an issuer, in Firestore.

The account holds its link, and a document under the link's name keeps it from any other account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor_core.ids import AccountId
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.settling import Attempt, settle
from sopor_server.adapters.firestore.values import Document, Value
from sopor_server.ports.errors import LinkMoved, SubjectTaken
from sopor_server.ports.records import Link

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write


def subject_path(link: Link) -> str:
    """Returns the path of the document that keeps a link for one account."""
    return f"subjects/{link.subject.hex()}"


def link_fields(link: Link | None) -> dict[str, Value]:
    """Returns what an account's document holds of its link."""
    return {} if link is None else {"issuer": link.issuer, "subject": link.subject}


def link_of(account: Document) -> Link | None:
    """Returns the link that an account's document holds."""
    fields = account.fields
    return Link(fields["issuer"], fields["subject"]) if fields.get("subject") else None


def put(database: Database, path: str, account: AccountId, link: Link) -> None:
    """Links the account whose document is at ``path``; raises SubjectTaken or LinkMoved."""
    theirs = subject_path(link)

    def prepare(_: Attempt) -> list[Write] | None:
        found, _time = database.get_many([path, theirs])
        mine = found.get(path)
        if mine is None or "record" not in mine.fields:
            raise LinkMoved("there is no such account")
        present = link_of(mine)
        if present == link:
            return None
        if present is not None and present.issuer == link.issuer:
            raise LinkMoved("the account is linked to another person")
        if theirs in found:
            raise SubjectTaken("another account is linked to the person")
        writes = [
            database.change(mine, link_fields(link)),
            database.create(theirs, {"account": bytes(account)}),
        ]
        return writes if present is None else [*writes, database.delete(subject_path(present))]

    settle(database, prepare)


def drop(database: Database, path: str) -> bool:
    """Forgets the link of the account whose document is at ``path``."""
    outcome: list[bool] = []

    def prepare(attempt: Attempt) -> list[Write] | None:
        mine = database.get(path)
        present = None if mine is None else link_of(mine)
        if mine is None or present is None:
            # An attempt whose answer was lost may be what did it.
            outcome[:] = [attempt.uncertain]
            return None
        outcome[:] = [True]
        nobody: dict[str, Value] = {"issuer": "", "subject": b""}
        return [database.change(mine, nobody), database.delete(subject_path(present))]

    settle(database, prepare)
    return outcome[0]
