"""The bytes of working files before a merge stopped at conflicts, so that giving it up is exact.

Documents put back say the same as before, but a comment or a quote in a place that the merge wrote
would be lost. The bytes are kept beside the store, for their owner only, while the merge waits.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.disk import disk_errors, write_private
from sopor.errors import SoporError
from sopor.model.document import DocumentId
from sopor.repository.context import Context

if TYPE_CHECKING:
    from sopor.formats import FileContent

_NAME = "merge-files.json"


def keep_originals(context: Context, documents: Iterable[DocumentId]) -> None:
    """Keeps the bytes of the files that hold these documents; raises DiskFull."""
    found = {context.files.path_of(document) for document in documents}
    kept = {
        name: b64encode(path.read_bytes()).decode()
        for name in sorted(name for name in found if name)
        if (path := context.root / name).is_file()
    }
    write_private(_place(context), json.dumps(kept).encode())


def restore_originals(context: Context) -> None:
    """Puts bytes back into files that say the same by now, local documents included.

    A file that says something else, as one whose local documents were edited meanwhile, stays.
    """
    try:
        kept = json.loads(_place(context).read_bytes())
    except (OSError, ValueError):
        return
    for name, text in kept.items():
        path, data = context.root / name, b64decode(text)
        if path.is_file() and not path.is_symlink():
            present = path.read_bytes()
            if present != data and _same(name, present, data):
                _replace(path, data)


def drop_originals(context: Context) -> None:
    """Forgets the bytes."""
    _place(context).unlink(missing_ok=True)


def _place(context: Context) -> Path:
    return context.store.folder / _NAME


def _same(name: str, present: bytes, data: bytes) -> bool:
    from sopor.formats.compare import same_documents

    one, other = _content(name, present), _content(name, data)
    return (
        one is not None
        and other is not None
        and one.record.body == other.record.body
        and same_documents(one.everything, other.everything)
    )


def _content(name: str, data: bytes) -> FileContent | None:
    from sopor.formats import read

    try:
        return read(data, name)
    except SoporError:
        return None


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk_errors(path):
        try:
            temporary.write_bytes(data)
            import shutil

            shutil.copymode(path, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
