"""The v4 export, in both notations: a container, a list of resources, whatever else is there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sopor.formats import FileContent, Format, read, recognise
from sopor.formats.compare import same_documents
from sopor.formats.record import record_extras, record_roots
from sopor.formats.v4_json import V4Json
from sopor.formats.v4_yaml import V4Yaml
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Document, DocumentId

WORKSPACE: Any = {"_id": "wrk_1", "parentId": None, "name": "API", "_type": "workspace"}
REQUEST: Any = {
    "_id": "req_1",
    "parentId": "wrk_1",
    "name": "Get",
    "headers": [{"name": "A", "value": "1", "id": "x", "futureFlag": True}],
    "future": {"b": 1, "a": [None, {}]},
    "_type": "request",
}
FUTURE: Any = {"_id": "fut_1", "parentId": "req_1", "_type": "future_thing"}
ORPHAN: Any = {"_id": "ut_1", "parentId": "uts_gone", "_type": "unit_test"}
JAR: Any = {"_id": "jar_1", "parentId": "wrk_1", "cookies": [{"key": "k"}], "_type": "cookie_jar"}
PRIVATE: Any = {"_id": "env_p", "parentId": "wrk_1", "isPrivate": True, "_type": "environment"}
CONTAINER: Any = {
    "_type": "export",
    "__export_format": 4,
    "__export_date": "2024-01-01T00:00:00.000Z",
    "__export_source": "insomnia.desktop.app:v11",
}
BOTH = pytest.mark.parametrize("form", [V4Json(), V4Yaml()], ids=lambda form: form.name)


def encoded(form: Format, value: Any) -> bytes:
    if form.name == V4Json.name:
        return json.dumps(value, indent=2, ensure_ascii=False).encode()
    return emit_yaml(value).encode()


def export(form: Format, *resources: Any, **container: Any) -> tuple[bytes, FileContent]:
    data = encoded(form, {**CONTAINER, **container, "resources": list(resources)})
    return data, form.read(data, path_for(form))


def path_for(form: Format) -> str:
    return "folder/my export.json" if form.name == V4Json.name else "folder/my export.yml"


def edited(content: FileContent, identity: str, **fields: Any) -> list[Document]:
    return [
        replace(item, body={**item.body, **fields}) if item.id == identity else item
        for item in content.documents
    ]


@BOTH
def test_documents_are_the_resources_as_they_are(form: Format) -> None:
    _, content = export(form, REQUEST, WORKSPACE, JAR, FUTURE, ORPHAN, PRIVATE)
    assert [item.body for item in content.documents] == [REQUEST, WORKSPACE, FUTURE, ORPHAN]
    assert [item.body for item in content.local] == [JAR, PRIVATE]


@BOTH
def test_the_record_names_roots_and_orphans_but_nothing_below(form: Format) -> None:
    _, content = export(form, REQUEST, WORKSPACE, FUTURE, ORPHAN, JAR)
    assert record_roots(content.record) == ("wrk_1",)
    assert record_extras(content.record) == ("ut_1",)
    assert content.record.body == {
        "_id": content.record.id,
        "_type": "sopor_file",
        "path": path_for(form),
        "format": form.name,
        "roots": ["wrk_1"],
        "extras": ["ut_1"],
        "container": CONTAINER,
    }
    assert content.record.id.startswith("sopor_file_")
    assert len(content.record.id) == len("sopor_file_") + 32


@BOTH
def test_unknown_keys_of_the_container_and_their_order_are_kept(form: Format) -> None:
    data = encoded(form, {"resources": [WORKSPACE], "x-tool": {"v": 1}, **CONTAINER})
    content = form.read(data, "a")
    assert content.record.body["containerOrder"] == ["resources", "x-tool", *CONTAINER]
    written = form.write(content.record, content.documents)
    assert form.read(written, "a").record == content.record
    assert written.decode().index("x-tool") < written.decode().index("__export_format")


@BOTH
def test_a_file_without_previous_bytes_is_depth_first(form: Format) -> None:
    late = {**REQUEST, "_id": "req_2", "metaSortKey": -1}
    early = {**REQUEST, "_id": "req_3", "metaSortKey": -20.5}
    folder = {"_id": "fld_1", "parentId": "wrk_1", "metaSortKey": -2, "_type": "request_group"}
    inside = {**REQUEST, "_id": "req_4", "parentId": "fld_1"}
    _, content = export(form, late, inside, ORPHAN, folder, early, WORKSPACE)
    written = form.write(content.record, content.documents)
    order = [item.id for item in form.read(written, path_for(form)).documents]
    assert order == ["wrk_1", "req_3", "fld_1", "req_4", "req_2", "ut_1"]


@BOTH
def test_the_existing_order_is_kept_and_new_ones_follow_their_neighbour(form: Format) -> None:
    data, content = export(form, REQUEST, FUTURE, WORKSPACE)
    new = Document(DocumentId("req_2"), "request", {**REQUEST, "_id": "req_2"})
    written = form.write(content.record, [new, *content.documents], previous=data)
    order = [item.id for item in form.read(written, path_for(form)).documents]
    assert order == ["req_1", "fut_1", "req_2", "wrk_1"]
    assert [item.id for item in form.read(data, "x").documents] == ["req_1", "fut_1", "wrk_1"]


@BOTH
def test_local_documents_stay_in_their_file(form: Format) -> None:
    data, content = export(form, WORKSPACE, JAR, PRIVATE, REQUEST)
    written = form.write(content.record, edited(content, "req_1", name="New"), previous=data)
    again = form.read(written, path_for(form))
    assert again.local == content.local
    fresh = form.write(content.record, content.documents, content.local)
    assert same_documents(form.read(fresh, path_for(form)).local, content.local)
    assert form.read(form.write(content.record, content.documents), "x").local == ()


@BOTH
def test_what_became_public_is_not_written_twice(form: Format) -> None:
    data, content = export(form, WORKSPACE, PRIVATE)
    public = Document(DocumentId("env_p"), "environment", {**PRIVATE, "isPrivate": False})
    written = form.write(content.record, [*content.documents, public], content.local, data)
    again = form.read(written, path_for(form))
    assert public in again.documents
    assert again.local == ()


@BOTH
def test_a_removed_document_leaves_the_rest_alone(form: Format) -> None:
    data, content = export(form, WORKSPACE, REQUEST, FUTURE)
    written = form.write(content.record, content.documents[:2], previous=data)
    assert written == export(form, WORKSPACE, REQUEST)[0]
    emptied = form.write(content.record, [], previous=data)
    assert form.read(emptied, "x").documents == ()
    refilled = form.write(content.record, content.documents, previous=emptied)
    assert len(form.read(refilled, "x").documents) == 3


@BOTH
def test_a_changed_container_keeps_the_resources(form: Format) -> None:
    data, content = export(form, WORKSPACE, REQUEST)
    newer = export(form, WORKSPACE, REQUEST, __export_date="2025")
    assert form.write(newer[1].record, content.documents, previous=data) == newer[0]


@BOTH
def test_previous_bytes_that_cant_be_read_are_ignored(form: Format) -> None:
    _, content = export(form, WORKSPACE, REQUEST)
    fresh = form.write(content.record, content.documents)
    broken = [b"", b"{", b"[]", b"\xff", encoded(form, {"resources": [WORKSPACE, WORKSPACE]})]
    for previous in broken:
        assert form.write(content.record, content.documents, previous=previous) == fresh


@BOTH
def test_windows_line_breaks_and_a_byte_order_mark_stay(form: Format) -> None:
    data, content = export(form, WORKSPACE, REQUEST)
    dos = b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
    assert form.read(dos, path_for(form)) == content
    written = form.write(content.record, edited(content, "wrk_1", name="New"), previous=dos)
    assert written == dos.replace(b"API", b"New")


def test_true_is_not_one() -> None:
    form = V4Json()
    data, content = export(form, WORKSPACE, {**REQUEST, "n": 1})
    written = form.write(content.record, edited(content, "req_1", n=True), previous=data)
    assert b'"n": true' in written
    same = form.write(content.record, edited(content, "req_1", n=1.0), previous=data)
    assert same == data


def test_json_is_changed_where_a_document_changed_in_the_style_around_it() -> None:
    text = (
        '{"_type": "export", "__export_format": 4,\n\t"resources" : [\n'
        '{ "_id":"wrk_1","_type" : "workspace", "e": "\\u00e9" },\n\n'
        '\t\t{\n\t\t\t"_id": "req_1",\n\t\t\t"_type": "request",\n\t\t\t"parentId": "wrk_1",\n'
        '\t\t\t"name": "Old"\n\t\t}\n\t]}\n'
    )
    form = V4Json()
    content = form.read(text.encode(), "a.json")
    written = form.write(
        content.record, edited(content, "req_1", name="Né", x=[1]), previous=text.encode()
    )
    assert written.decode() == text.replace(
        '"name": "Old"', '"name": "N\\u00e9",\n\t\t\t"x": [\n\t\t\t\t1\n\t\t\t]'
    )


def test_json_on_one_line_stays_on_one_line() -> None:
    form = V4Json()
    data = json.dumps({**CONTAINER, "resources": [WORKSPACE, REQUEST]}, separators=(",", ":"))
    content = form.read(data.encode(), "a.json")
    new = Document(DocumentId("req_2"), "request", {**REQUEST, "_id": "req_2"})
    written = form.write(content.record, [*content.documents, new], previous=data.encode())
    assert written.count(b"\n") == 0
    assert written.startswith(data[:-2].encode())


def test_yaml_keeps_the_order_of_keys_of_a_changed_document() -> None:
    form = V4Yaml()
    odd = {"_type": "request", "zeta": 1, "_id": "req_1", "parentId": "wrk_1", "alpha": {"z": 1}}
    data, content = export(form, WORKSPACE, odd)
    changed = edited(content, "req_1", alpha={"a": 0, "z": 2}, name="N")
    written = form.write(content.record, changed, previous=data).decode()
    keys = [line.strip().split(":")[0] for line in written.splitlines()[9:]]
    assert keys == ["- _type", "zeta", "_id", "parentId", "name", "alpha", "a", "z"]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("package.json", b'{"name": "x", "type": "module"}'),
        ("v3.json", b'{"_type": "export", "__export_format": 3, "resources": []}'),
        ("notes.txt", b'{"__export_format": 4}'),
        ("empty.json", b""),
        ("quoting.yaml", b"text: |\n  __export_format: 4\n"),
    ],
)
def test_other_files_are_not_taken(path: str, data: bytes) -> None:
    assert recognise(path, data) is None


def test_reading_goes_by_the_format_that_a_file_claims() -> None:
    data, content = export(V4Json(), WORKSPACE)
    assert read(data, path_for(V4Json())) == content
    assert read(b"{}", "package.json") is None


def test_the_name_of_the_file_and_a_look_inside_decide() -> None:
    for form in (V4Json(), V4Yaml()):
        data, content = export(form, WORKSPACE)
        found = recognise(path_for(form), data)
        assert found is not None
        assert found.name == form.name == content.record.body["format"]
