"""What files say of themselves, on its way through files of other formats and back.

- A record of a v4 file has in ``container`` what the export says; that of a v5 file has what v4
  files do not all say alike. So an export that was split into a v5 file for each workspace becomes
  one export again.
- The ``schema_version`` of v5 files goes through a v4 file in its member ``_schemas``, by the id of
  the workspace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sopor.formats.compare import same_json
from sopor.formats.record import record_extras, record_roots
from sopor.formats.v4 import SCHEMAS
from sopor.formats.v5_resource import SCHEMA
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Body, Document, DocumentId, Json

CONTAINER = "container"
ORDER = "containerOrder"
MADE_HERE: Mapping[str, Json] = {
    "_type": "export",
    "__export_format": 4,
    "__export_source": "sopor",
}
"""What a v4 file says of itself that comes from no other."""

_LATEST = frozenset({"__export_date", "__export_source"})


def container_of(record: Document) -> Body:
    """Returns what the file of a record says of itself as an export."""
    found = record.body.get(CONTAINER)
    return dict(found) if isinstance(found, dict) else {}


def said_by(record: Document) -> Body:
    """Returns the part of it that does not follow from the format."""
    return {
        key: value
        for key, value in container_of(record).items()
        if key not in MADE_HERE or not same_json(value, MADE_HERE[key])
    }


def joined(records: Iterable[Document]) -> Body:
    """Returns the fields for the record of one v4 file that stands for several files.

    Of the dates, and of the programs that exported, the greatest one stays, as in a merge, and that
    of Sopor only if there is no other; where files say anything else differently, the first one by
    its id is right.
    """
    everything = sorted(records, key=lambda item: item.id)
    saying = [item for item in everything if container_of(item)]
    whole = any(item.body.get("format") != V5Yaml.name for item in saying)
    container: Body = {} if whole else {**MADE_HERE}
    said: Body = {}
    for key, value in (pair for item in saying for pair in container_of(item).items()):
        other, made = said.setdefault(key, value), MADE_HERE.get(key)
        if key in _LATEST and isinstance(value, str) and isinstance(other, str):
            said[key] = max((value != made, value), (other != made, other))[1]
    schemas = _schemas(everything)
    if schemas:
        said[SCHEMAS] = schemas
    fields: Body = {CONTAINER: {**container, **said}}
    orders = [item.body[ORDER] for item in saying if ORDER in item.body]
    if orders and all(same_json(order, orders[0]) for order in orders):
        fields[ORDER] = orders[0]
    return fields


def carried(records: Iterable[Document]) -> Mapping[DocumentId, Body]:
    """Returns the fields for records of v5 files, by each document that a record claims."""
    found: dict[DocumentId, Body] = {}
    for record in records:
        said = said_by(record)
        schemas = _schemas([record])
        claims = (*record_roots(record), *record_extras(record))
        if isinstance(said.get(SCHEMAS), dict) and schemas.keys() <= set(claims):
            del said[SCHEMAS]
        shared: Body = {CONTAINER: said} if said else {}
        if ORDER in record.body:
            shared[ORDER] = record.body[ORDER]
        for claim in claims:
            fields = {**shared, SCHEMA: schemas[claim]} if claim in schemas else shared
            if fields:
                found[claim] = fields
    return found


def _schemas(records: Iterable[Document]) -> Body:
    """Returns the schema version of v5 files by their workspace, as far as records tell it."""
    found: Body = {}
    for record in records:
        carried_here = container_of(record).get(SCHEMAS)
        if isinstance(carried_here, dict):
            found.update(carried_here)
        if SCHEMA in record.body:
            found.update(dict.fromkeys(record_roots(record), record.body[SCHEMA]))
    return found


def with_carried(record: Document, fields: Mapping[DocumentId, Body]) -> Document:
    """Returns a record that says as well what is carried with the documents that it claims."""
    claims = (*record_roots(record), *record_extras(record))
    new = next((fields[claim] for claim in claims if claim in fields), None)
    if new is None:
        return record
    said = new.get(CONTAINER)
    container = {**container_of(record), **(said if isinstance(said, dict) else {})}
    body = {**new, **record.body}
    if container:
        body[CONTAINER] = container
    return Document(record.id, record.type, body)
