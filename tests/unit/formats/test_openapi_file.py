"""A plain OpenAPI file is a design document: its text, whatever it looks like."""

from __future__ import annotations

import pytest

from sopor.formats import FormatError, recognise
from sopor.formats.converting import Target, convert
from sopor.formats.openapi_file import OpenApiFile
from sopor.model.document import Document

FORM = OpenApiFile()
TEXT = b"# mine\nopenapi: '3.1.0'   # odd\r\ninfo: { title:   T }\n\n\npaths: {}"


@pytest.mark.parametrize("data", [TEXT, b"\xef\xbb\xbf" + TEXT, TEXT + b"\n  broken: [\n"])
def test_every_byte_stays(data: bytes) -> None:
    content = FORM.read(data, "api/pets.yaml")
    (document,) = content.documents
    assert document.body == {
        "_id": document.id,
        "_type": "api_spec",
        "parentId": None,
        "name": "pets.yaml",
        "fileName": "pets.yaml",
        "contents": data.decode("utf-8-sig"),
    }
    assert content.record.body["extras"] == [document.id]
    assert FORM.write(content.record, content.documents) == data
    assert FORM.read(data, "api/pets.yaml") == content
    assert FORM.read(data, "pets.yaml").documents[0].id != document.id


@pytest.mark.parametrize(
    ("path", "data", "taken"),
    [
        ("a.yaml", b"openapi: 3.0.0\n", True),
        ("a.yml", b'info: {}\nswagger: "2.0"\n', True),
        ("a.json", b'{"info": {"title": "x"}, "openapi": "3.0.0"}', True),
        ("a.json", b'{"openapi" : "3.0.0"', True),
        ("a.json", b'{"a": {"b": {"openapi": "3.0.0"}}}', False),
        ("a.json", b'["openapi", "3.0.0"]', False),
        ("a.yaml", b"spec:\n  openapi: 3.0.0\n", False),
        ("a.yaml", b"openapi: 1.2\n", False),
        ("a.txt", b"openapi: 3.0.0\n", False),
    ],
)
def test_only_descriptions_are_taken(path: str, data: bytes, taken: bool) -> None:
    found = recognise(path, data)
    assert (found is not None and found.name == "openapi") == taken


def test_nothing_else_has_a_place_in_it() -> None:
    content = FORM.read(TEXT, "a.yaml")
    (document,) = content.documents
    named = Document(document.id, document.type, {**document.body, "name": "Other"})
    for documents in ([], [named], [document, Document(document.id, "x", {"_id": "b"})]):
        with pytest.raises(FormatError, match="one design document, nothing else"):
            FORM.write(content.record, documents)


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"openapi: 3.0.0\n<<<<<<< ours\n", 2, "the file holds merge markers"),
        (b"openapi: 3.0.0\na: \xff\n", 2, "the file is not UTF-8"),
    ],
)
def test_what_is_broken_is_refused(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        FORM.read(data, "a.yaml")
    assert caught.value.line == line


def test_it_stays_a_file_of_its_own_in_an_export_to_v5() -> None:
    content = FORM.read(TEXT, "api/pets.yaml")
    made = convert([content.record, *content.documents], Target.V5, "")
    assert made.files == {"api/pets.yaml": TEXT}
    assert made.notes == ()
