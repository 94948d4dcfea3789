"""Which documents a person means: by id, by abbreviated id, by file, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sopor.errors import InvalidInput, NotFound
from sopor.model.document import DocumentId
from sopor.records import dataclass

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that may be meant."""

    id: DocumentId
    name: str
    file: str | None = None


def select(
    wanted: Sequence[str], candidates: Iterable[Candidate], what: str = "document"
) -> list[DocumentId]:
    """Returns the ids of the documents that the words mean, each once.

    A word that is a file's path means all documents of the file; otherwise a whole id, else a name,
    else the start of an id, each of which must mean one document.

    Raises:
        NotFound: a word means nothing.
        InvalidInput: a word means several documents.
    """
    known = list(candidates)
    by_id = {candidate.id: candidate for candidate in known}
    found: dict[DocumentId, None] = {}
    for word in wanted:
        found.update(dict.fromkeys(_meant(word, known, by_id, what)))
    return list(found)


def _meant(
    word: str,
    known: Sequence[Candidate],
    by_id: Mapping[DocumentId, Candidate],
    what: str,
) -> list[DocumentId]:
    if DocumentId(word) in by_id:
        return [DocumentId(word)]
    path = word.removeprefix("./")
    in_file = [candidate.id for candidate in known if candidate.file == path]
    if in_file:
        return in_file
    matching = [candidate for candidate in known if candidate.name == word]
    matching = matching or [candidate for candidate in known if candidate.id.startswith(word)]
    if not matching:
        raise NotFound(
            f"there is no {what} {word!r}", hint="name it by its id, its name or its file"
        )
    if len(matching) > 1:
        ids = ", ".join(candidate.id for candidate in matching[:_SHOWN])
        raise InvalidInput(f"{word!r} means {len(matching)} documents: {ids}", hint="use an id")
    return [matching[0].id]
