"""A commit: its fields and its canonical bytes (SPEC section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sopor.model.document import DocumentError, DocumentId, checked_id
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, Cid, CommitId, StateRoot
from sopor_core.limits import MAX_AUTHOR_BYTES, MAX_MESSAGE_BYTES, MAX_PARENTS


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a commit: a name for people, and the account if there was one."""

    name: str
    account: AccountId | None = None


@dataclass(frozen=True)
class Commit:
    """One commit, without its id, which needs the project's key."""

    parents: tuple[CommitId, ...]
    root: StateRoot
    changes: Mapping[DocumentId, Cid | None]
    author: Author
    time: int
    message: str

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes."""
        account = self.author.account
        return canonical.encode(
            {
                "v": 1,
                "parents": [parent.b64 for parent in self.parents],
                "root": self.root.b64,
                "changes": {key: cid.b64 if cid else None for key, cid in self.changes.items()},
                "author": {"account": account.b64 if account else None, "name": self.author.name},
                "time": self.time,
                "message": self.message,
            }
        )

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    def check_limits(self) -> None:
        """Raises InvalidValue for a message or a name that is too long."""
        if len(self.message.encode()) > MAX_MESSAGE_BYTES:
            raise InvalidValue("the message is longer than 64 KiB", hint="shorten it")
        if len(self.author.name.encode()) > MAX_AUTHOR_BYTES:
            raise InvalidValue("the author's name is longer than 200 bytes", hint="shorten it")

    @classmethod
    def parse(cls, data: bytes) -> Commit:
        """Parses a commit's canonical bytes; raises VerificationError."""
        fields = Fields(canonical.decode(data), "a commit", Layer.COMMIT)
        fields.version()
        author = Fields(fields.value("author"), "a commit's author", Layer.COMMIT)
        commit = cls(
            parents=fields.ids("parents", CommitId, high=MAX_PARENTS),
            root=fields.id("root", StateRoot),
            changes=_changes(fields.mapping("changes")),
            author=Author(
                author.text("name", MAX_AUTHOR_BYTES), author.optional_id("account", AccountId)
            ),
            time=fields.integer("time"),
            message=fields.text("message", MAX_MESSAGE_BYTES),
        )
        author.end()
        fields.end()
        return commit


def _changes(value: dict[str, Json]) -> dict[DocumentId, Cid | None]:
    changes: dict[DocumentId, Cid | None] = {}
    for name, cid in value.items():
        try:
            document_id = checked_id(name, "a commit")
        except DocumentError as error:
            raise VerificationError(Layer.COMMIT, error.message) from None
        if cid is not None and not isinstance(cid, str):
            raise VerificationError(Layer.COMMIT, "a commit has a bad content id")
        changes[document_id] = None if cid is None else Cid.from_b64(cid)
    return changes
