"""Damaged files are refused or read: no reader fails in any other way or hangs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.formats import FORMATS, FileContent, Format, FormatError
from sopor.formats.compare import same_documents
from sopor.formats.record import make_record
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Body, Document, DocumentId

DAMAGE = (
    *(b"", b"\x00", b"\t", b"\r", b"\n", b": ", b"- ", b'"', b"'", b"{", b"}", b"[", b"]", b","),
    *(b"&a ", b"*a", b"!!int ", b"!x ", b"|", b">", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"#"),
    *(b"null", b"[]", b"{}", b"1e999", b"NaN", b"\\ud800", b"%YAML 1.1\n", b"---\n", b"...\n"),
    *(b"<<: ", b"? ", b"\\", b"  ", b".inf", b"0x", b"_v4:", b"_v5: x", b"id: 5", b"<<<<<<< a\n"),
)
PATHS = (
    *("a.yaml", "b.yaml", "c.json", "Request/req_1.json"),
    *(".insomnia/Request/req_1.yml", "openapi.yaml"),
)


def whole_files() -> list[bytes]:
    text = 'line "one"\n\n\tline: two # \u2028 é😀 ' + "word " * 30
    header: Body = {"name": "A", "value": text, "disabled": True}
    made: list[Body] = [
        {"_id": "wrk_1", "_type": "workspace", "scope": "design", "name": "N"},
        {"_id": "fld_1", "_type": "request_group", "parentId": "wrk_1", "environment": {"b": 1}},
        {"_id": "req_1", "_type": "request", "parentId": "fld_1", "headers": [header]},
        {"_id": "env_1", "_type": "environment", "parentId": "wrk_1", "data": {"z": [1.5], "a": 0}},
        {"_id": "jar_1", "_type": "cookie_jar", "parentId": "wrk_1", "cookies": []},
        {"_id": "spc_1", "_type": "api_spec", "parentId": "wrk_1", "contents": "a: [1] # c\n"},
        {"_id": "pf_1", "_type": "proto_file", "parentId": "wrk_1", "protoText": text},
    ]
    documents = [Document(DocumentId(str(b["_id"])), str(b["_type"]), b) for b in made]
    container: Body = {"container": {"_type": "export", "__export_format": 4}}
    files = []
    for form, path in zip(FORMATS[:-1], PATHS[:-1], strict=True):
        held = documents if path not in PATHS[3:] else documents[2:3]
        extra = {} if form.name == V5Yaml.name else container
        files.append(form.write(make_record(path, form.name, held, extra), held))
    return [*files, b"openapi: 3.1.0\ninfo:\n  title: T\npaths: {}\n"]


FILES = dict(zip(FORMATS, whole_files(), strict=True))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(form: Format, data: st.DataObject) -> None:
    damaged = bytearray(FILES[form])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        length = data.draw(st.sampled_from([0, 0, 1, 7, 40]))
        damaged[start : start + length] = data.draw(st.sampled_from(DAMAGE))
    taken = bytes(damaged)
    path = PATHS[FORMATS.index(form)]
    for each in FORMATS:
        each.recognises(path, taken)
    try:
        content = form.read(taken, path)
    except FormatError:
        return
    assert_survives(form, path, content, taken)


def assert_survives(form: Format, path: str, content: FileContent, taken: bytes) -> None:
    assert form.write(content.record, content.documents, content.local, taken) == taken
    again = form.read(form.write(content.record, content.documents, content.local), path)
    assert again.record == content.record
    assert same_documents(again.documents, content.documents)
    assert same_documents(again.local, content.local)
