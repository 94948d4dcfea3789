"""YAML files with one document each: ``.insomnia/Request/req_ab12.yml``.

So older versions of Insomnia's Git Sync laid a project out: a folder a type, a file a resource, its
keys sorted, the type under the name that Insomnia's database has for it (`sopor.formats.types`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import same_json
from sopor.formats.errors import FormatError
from sopor.formats.one_document import as_before, only_document, read_one, to_file
from sopor.formats.text import TextStyle
from sopor.formats.trees import GIT_SYNC, GIT_SYNC_FOLDER, YAML_FORMAT
from sopor.formats.types import ID_PREFIXES, type_name
from sopor.formats.yaml_file import line_in, parse_file
from sopor.formats.yaml_patch import emit_like
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Document, Json

_ID = re.compile(rb"^_id:", re.MULTILINE)
_PARENT = re.compile(rb"^parentId:", re.MULTILINE)
_TYPE = re.compile(rb"^_?type:[ \t]*[\"']?(\w+)", re.MULTILINE)
_TYPE_NAMES = frozenset(type_name(key) for key in ID_PREFIXES)
_ENDINGS = (".yml", ".yaml")


class DocumentsYaml:
    """The format ``documents.yaml``; see `sopor.formats.base.Format`."""

    name = YAML_FORMAT

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether a YAML file lies in Git Sync's tree, or looks like one document of one."""
        if not path.lower().endswith(_ENDINGS):
            return False
        *folders, _ = path.split("/")
        if folders[-2:-1] == [GIT_SYNC_FOLDER]:
            return True  # whatever its type is called: one that is not known yet is kept as well
        kind = _TYPE.search(data) if _ID.search(data) else None
        if kind is None or kind[1].decode(errors="replace") not in _TYPE_NAMES:
            return False
        return bool(_PARENT.search(data)) or folders[-1:] == [kind[1].decode()]

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns the one document of the file."""
        value = parse_file(data, path, limits)
        return read_one(
            value,
            path,
            self.name,
            (GIT_SYNC,),
            "a mapping",
            lambda key: line_in(data, [key]),
        )

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file with the one document."""
        wanted = as_before(to_file(only_document(record, documents, local)), None)
        before = _existing(previous)
        if previous is not None and before is not None and same_json(before, wanted):
            return previous
        style = TextStyle.of(previous if before is not None else None)
        if previous is None or before is None:
            return style.encode(emit_yaml(wanted))
        return style.encode(emit_like(as_before(wanted, before), style.text(previous), before))


def _existing(previous: bytes | None) -> Json:
    try:
        value = None if previous is None else parse_file(previous, "")
    except FormatError:
        return None
    return value if isinstance(value, dict) else None
