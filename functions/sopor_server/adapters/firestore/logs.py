"""The entries of one log, each a document of its own that is created once.

A document has at most 1 MiB, an entry 2 MiB: what does not fit goes on in further documents of the
same commit. Only entries with thousands of commits that have many parents are so long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.values import Document

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write

_ROOM = 1_000_000
_FIRST_PAGE = 8
_LARGEST_PAGE = 128


class Log:
    """A log below a document: ``{owner}/{kind}``."""

    def __init__(self, database: Database, owner: str, kind: str) -> None:
        """Takes the path of the document and the name of the collection of entries."""
        self._database = database
        self._owner = owner
        self._path = f"{owner}/{kind}"

    def writes(
        self, seq: int, entry: bytes, lists: Mapping[str, Sequence[bytes]] | None = None
    ) -> list[Write]:
        """Returns the writes of a new entry; ``lists`` are fields that it can be found by."""
        fields = {name: list(map(bytes, ids)) for name, ids in (lists or {}).items()}
        room = _ROOM - sum(40 * len(ids) for ids in fields.values())
        rest = [entry[at : at + _ROOM] for at in range(room, len(entry), _ROOM)]
        first = self._database.create(
            f"{self._path}/{seq:016d}", {"entry": entry[:room], "parts": len(rest), **fields}
        )
        return [
            first,
            *(
                self._database.create(path, {"entry": part})
                for path, part in zip(self._parts(seq, len(rest)), rest, strict=True)
            ),
        ]

    def has(self, seq: int, entry: bytes) -> bool:
        """Tells whether this very entry stands at its place."""
        return self.read(seq - 1, 1, 1) == [entry]

    def read(self, after: int, limit: int, max_bytes: int) -> list[bytes]:
        """Returns entries up to the one with which the sum of lengths reaches ``max_bytes``."""
        taken: list[bytes] = []
        size = min(_FIRST_PAGE, max_bytes)
        while len(taken) < limit and max_bytes > 0:
            page = self._page(after + len(taken), min(size, limit - len(taken)))
            for entry in page:
                taken.append(entry)
                max_bytes -= len(entry)
                if max_bytes <= 0:
                    return taken
            if len(page) < size:
                break
            # As many as will fit if they are as long as those before.
            mean = sum(map(len, taken)) // len(taken) + 1
            size = max(1, min(_LARGEST_PAGE, max_bytes // mean))
        return taken

    def listing(self, field: str, ids: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Returns number and bytes of the entries that list one of at most 30 ids, in order."""
        where = self._database.where(field, "ARRAY_CONTAINS_ANY", list(map(bytes, ids)))
        found = self._database.query(self._path, where, select=("entry", "parts"))
        return [(int(document.id), entry) for document, entry in self._whole(found)]

    def listed(self, field: str, ids: Sequence[bytes]) -> set[bytes]:
        """Returns all ids in the field of the entries that list one of at most 30 ids."""
        where = self._database.where(field, "ARRAY_CONTAINS_ANY", list(map(bytes, ids)))
        found = self._database.query(self._path, where, select=(field,))
        return {id_ for document in found for id_ in document.fields[field]}

    def numbers(self, field: str, ids: Sequence[bytes]) -> list[int]:
        """Returns the numbers of the entries that list one of at most 30 ids."""
        where = self._database.where(field, "ARRAY_CONTAINS_ANY", list(map(bytes, ids)))
        found = self._database.query(self._path, where, select=("parts",))
        return [int(document.id) for document in found]

    def at(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yields entries with their numbers, in order."""
        for start in range(0, len(numbers), _LARGEST_PAGE):
            paths = [f"{self._path}/{seq:016d}" for seq in numbers[start : start + _LARGEST_PAGE]]
            found, _ = self._database.get_many(paths)
            whole = self._whole([found[path] for path in paths])
            yield from ((int(document.id), entry) for document, entry in whole)

    def _page(self, after: int, limit: int) -> list[bytes]:
        where = self._database.where("__name__", "GREATER_THAN", f"{self._path}/{after:016d}")
        found = self._database.query(self._path, where, limit=limit, select=("entry", "parts"))
        return [entry for _, entry in self._whole(found)]

    def _whole(self, found: Sequence[Document]) -> list[tuple[Document, bytes]]:
        paths = [path for document in found for path in self._parts_of(document)]
        rest = self._database.get_many(paths)[0] if paths else {}
        return [
            (
                document,
                b"".join(
                    (
                        document.fields["entry"],
                        *(rest[path].fields["entry"] for path in self._parts_of(document)),
                    )
                ),
            )
            for document in found
        ]

    def _parts_of(self, document: Document) -> list[str]:
        fields: dict[str, Any] = document.fields
        return self._parts(int(document.id), fields["parts"])

    def _parts(self, seq: int, count: int) -> list[str]:
        return [f"{self._owner}/entry_parts/{seq:016d}-{number}" for number in range(count)]
