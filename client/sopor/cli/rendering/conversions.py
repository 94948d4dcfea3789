"""What imports and exports read and wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import count

if TYPE_CHECKING:
    from sopor.repository.converted import ConvertedFile
    from sopor.repository.exporting import ExportResult
    from sopor.repository.importing import ImportResult


_SHOWN = 12


def import_lines(result: ImportResult) -> Iterator[str]:
    """Yields a line for each source and for each file."""
    sources = [
        f"Read {one_line(each.path)}: {each.kind}, {count(each.documents, 'document')}"
        for each in result.sources
    ]
    yield from _some(sources)
    yield from _wrote(result.files)


def export_lines(result: ExportResult) -> Iterator[str]:
    """Yields the commit and a line for each file."""
    yield f"Exported {paint('hash', result.commit.short)}"
    yield from _wrote(result.files)


def _wrote(files: Sequence[ConvertedFile]) -> Iterator[str]:
    documents = [count(file.documents, "document") for file in files]
    paths = [one_line(file.path) for file in files]
    yield from _some([f"Wrote {path}: {held}" for path, held in zip(paths, documents, strict=True)])


def _some(lines: Sequence[str]) -> Iterator[str]:
    """Yields all lines, or the first and how many more there are."""
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"... and {len(lines) - _SHOWN:,} more"
