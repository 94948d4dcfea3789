"""A plain OpenAPI or Swagger file as a design document: its text, byte for byte.

The file is one ``api_spec`` without a workspace, whose ``contents`` is the whole text; its id comes
from the path. The text is taken as it is, whether it parses or not: what merges it looks inside.
Nothing else has a place in such a file. Source: OpenAPI Specification 3.1, "openapi" field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import by_id, same_json
from sopor.formats.errors import FormatError
from sopor.formats.record import make_record, record_id
from sopor.formats.text import decode_text
from sopor.model.document import Body, Document, DocumentId

OPENAPI_FORMAT = "openapi"
_BOM = b"\xef\xbb\xbf"
_BOM_FIELD = "bom"
_LOOKED_AT = 4096
_YAML = re.compile(rb"^[\"']?(?:openapi|swagger)[\"']?:[ \t]+[\"']?[23]\.", re.MULTILINE)
_JSON = re.compile(rb"\s*\{(?:[^{}]|\{[^{}]*\})*?\"(?:openapi|swagger)\"\s*:\s*\"[23]\.")


class OpenApiFile:
    """The format ``openapi``; see `sopor.formats.base.Format`."""

    name = OPENAPI_FORMAT

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether the file says near its start which version of OpenAPI it follows."""
        start = data[:_LOOKED_AT].removeprefix(_BOM)
        if path.lower().endswith(".json"):
            return bool(_JSON.match(start))
        return path.lower().endswith((".yaml", ".yml")) and bool(_YAML.search(start))

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns the one document of the file."""
        body: Body = {**_frame(path), "contents": decode_text(data, path, limits)}
        document = Document(_id(path), "api_spec", body)
        bom: Body = {_BOM_FIELD: True} if data.startswith(_BOM) else {}
        return FileContent(make_record(path, self.name, [document], bom), (document,), ())

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,  # noqa: ARG002 (every format has it; the text says all)
    ) -> bytes:
        """Returns the bytes of the file with the one document."""
        path = str(record.body.get("path"))
        everything = list(by_id([*local, *documents]).values())
        contents = everything[0].body.get("contents") if len(everything) == 1 else None
        fits: Body = {**_frame(path), "contents": contents}
        if not isinstance(contents, str) or not same_json(everything[0].body, fits):
            raise FormatError(
                "a plain OpenAPI file holds the text of one design document, nothing else",
                path=path,
                hint="`sopor import` turns it into a workspace that holds requests as well",
            )
        return (_BOM if record.body.get(_BOM_FIELD) is True else b"") + contents.encode()


def _id(path: str) -> DocumentId:
    return DocumentId(f"spc_{record_id(path).rpartition('_')[2]}")


def _frame(path: str) -> Body:
    """Returns the fields of the document that follow from the path."""
    name = path.rpartition("/")[2]
    return {"_id": _id(path), "_type": "api_spec", "parentId": None, "name": name, "fileName": name}
