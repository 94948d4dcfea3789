"""Turns a planned file into bytes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sopor.formats.base import Format
from sopor.formats.errors import FormatError
from sopor.formats.known import format_of
from sopor.formats.record import make_record
from sopor.formats.v4_json import V4Json
from sopor.formats.v4_yaml import V4Yaml
from sopor.model.document import Document, with_modified
from sopor.records import dataclass
from sopor.worktree.plan import PlannedFile


@dataclass(frozen=True, slots=True)
class Rendered:
    """The contents to write for one planned file.

    Attributes:
        planned: the file.
        final: its bytes, None if it shall not be there any more.
        interim: the bytes with what leaves still among it, for a file that gets documents from
            another file and loses some to one.
    """

    planned: PlannedFile
    final: bytes | None
    interim: bytes | None

    @property
    def changes(self) -> bool:
        """Tells whether the file on disk has to change."""
        before = self.planned.before.parsed
        return self.final != (before.data if before else None)


def render(planned: PlannedFile) -> Rendered:
    """Returns the bytes of a planned file; raises FormatError if its format can't hold it."""
    before = planned.before.parsed
    if planned.same:
        return Rendered(planned, before.data if before else None, None)
    both = planned.leaving and planned.arriving
    return Rendered(planned, _final(planned), _interim(planned) if both else None)


def _interim(planned: PlannedFile) -> bytes:
    """Returns the bytes of a file that has all that it has now and all that it shall have."""
    before = planned.before
    merged = {**before.documents, **before.local, **planned.documents, **planned.local}
    everything = _dated(planned, merged.values())
    if planned.record:
        try:
            return format_of(planned.record).write(planned.record, everything)
        except FormatError:
            pass  # a v5 file holds one workspace; its record then changes, and comes again
    return _anything(planned.path, everything)


def _final(planned: PlannedFile) -> bytes | None:
    local = tuple(planned.local.values())
    if planned.record:
        documents = _dated(planned, planned.documents.values())
        previous = _previous(planned)
        return format_of(planned.record).write(planned.record, documents, local, previous)
    if all(map(_is_empty_jar, local)):
        return None
    return _only_local(planned, local)


def _dated(planned: PlannedFile, documents: Iterable[Document]) -> list[Document]:
    """Returns documents with the times of their last edits that the file has now."""
    parsed = planned.before.parsed
    times = parsed.times if parsed else {}
    return [with_modified(document, times.get(document.id)) for document in documents]


def _only_local(planned: PlannedFile, local: tuple[Document, ...]) -> bytes:
    """Returns a file for what stays on this machine when all else in it is gone."""
    record = planned.before.record
    if record:
        try:
            return format_of(record).write(record, (), local, _previous(planned))
        except FormatError:
            pass  # a v5 file needs its workspace; a v4 file holds anything
    return _anything(planned.path, local)


def _previous(planned: PlannedFile) -> bytes | None:
    """Returns the bytes to take order and style from; a format keeps the local documents in them.

    Where local documents leave, the file is written anew so that they do.
    """
    before = planned.before
    stays = before.local.keys() <= planned.local.keys()
    return before.parsed.data if before.parsed and stays else None


def _anything(path: str, documents: Iterable[Document]) -> bytes:
    json = path.lower().endswith(".json")
    chosen: Format = V4Json() if json else V4Yaml()
    container: Mapping[str, str | int] = {"_type": "export", "__export_format": 4}
    record = make_record(path, chosen.name, (), {"container": {**container}})
    return chosen.write(record, documents)


def _is_empty_jar(document: Document) -> bool:
    """Tells whether nothing is lost with a document: Insomnia makes an empty jar where none is."""
    return document.type == "cookie_jar" and document.body.get("cookies") in ([], None)
