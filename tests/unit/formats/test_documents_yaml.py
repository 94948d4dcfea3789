"""The tree of older Git Sync: a folder a type, a YAML file a document."""

from __future__ import annotations

import pytest

from sopor.formats import FormatError, recognise
from sopor.formats.documents_yaml import DocumentsYaml
from sopor.formats.trees import GIT_SYNC, is_tree, path_in_tree, tree_record
from sopor.model.document import Document, DocumentId
from tests.support.corpus import corpus_tree

FORM = DocumentsYaml()
PATH = ".insomnia/Request/req_1.yml"
TEXT = b"""\
_id: req_1
name: List
parentId: fld_1
type: Request
url: https://example.com
x-unknown:
  b: 1
  a: 2
"""


def test_the_name_of_a_type_becomes_its_key() -> None:
    content = FORM.read(TEXT, PATH)
    (document,) = content.documents
    assert (document.id, document.type) == ("req_1", "request")
    assert document.body["x-unknown"] == {"b": 1, "a": 2}
    assert content.in_tree
    assert content.record == tree_record(".insomnia", GIT_SYNC)
    assert is_tree(content.record)
    assert path_in_tree(content.record, document) == PATH
    assert FORM.write(content.record, content.documents, (), TEXT) == TEXT


def test_a_real_tree_is_written_byte_for_byte_without_looking_at_the_old_files() -> None:
    root = corpus_tree()
    files = sorted(root.rglob("*.yml"))
    assert len(files) == 13
    for path in files:
        name, data = path.relative_to(root).as_posix(), path.read_bytes()
        found = recognise(name, data)
        assert found is not None
        assert found.name == "documents.yaml"
        content = found.read(data, name)
        assert found.write(content.record, content.documents) == data
        assert path_in_tree(content.record, content.documents[0]) == name


def test_one_changed_field_is_one_changed_line() -> None:
    content = FORM.read(TEXT, PATH)
    body = {**content.documents[0].body, "name": "Show"}
    changed = Document(DocumentId("req_1"), "request", body)
    written = FORM.write(content.record, [changed], (), TEXT)
    assert written == TEXT.replace(b"List", b"Show")


def test_comments_and_line_ends_stay() -> None:
    text = TEXT.replace(b"_id:", b"# mine\n_id:", 1).replace(b"\n", b"\r\n")
    content = FORM.read(text, PATH)
    body = {**content.documents[0].body, "name": "Show"}
    changed = Document(DocumentId("req_1"), "request", body)
    assert FORM.write(content.record, [changed], (), text) == text.replace(b"List", b"Show")


def test_a_file_elsewhere_has_a_record_of_its_own() -> None:
    content = FORM.read(TEXT, "one.yml")
    assert not content.in_tree
    assert content.record.body["path"] == "one.yml"


def test_private_environments_stay_local() -> None:
    text = b"_id: env_1\nisPrivate: true\nparentId: wrk_1\ntype: Environment\n"
    content = FORM.read(text, ".insomnia/Environment/env_1.yml")
    assert content.documents == ()
    assert [item.id for item in content.local] == ["env_1"]
    assert FORM.write(content.record, (), content.local) == text


@pytest.mark.parametrize(
    ("path", "text", "taken"),
    [
        (PATH, b"anything", True),
        (".insomnia/Hologram/odd_1.yml", b"_id: odd_1\ntype: Hologram\n", True),
        ("a.yml", TEXT, True),
        ("a.yml", TEXT.replace(b"parentId", b"parent"), False),
        ("Request/req_1.yml", TEXT.replace(b"parentId", b"parent"), True),
        ("a.yml", TEXT.replace(b"Request", b"Deployment"), False),
        ("a.json", TEXT, False),
        ("a.yml", b"type: Request\nparentId: x\n", False),
    ],
)
def test_only_documents_are_taken(path: str, text: bytes, taken: bool) -> None:
    found = recognise(path, text)
    assert (found is not None and found.name == "documents.yaml") == taken


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"[]\n", 1, "expected one document as a mapping"),
        (b"_id: a\nparentId: b\ntype: 5\n", 3, "type must be a string"),
        (b"parentId: b\n_id: 5\ntype: Request\n", 2, "_id must be a non-empty string"),
        (b"_id: a\nparentId: a\ntype: Request\n", 1, "its parents form a cycle"),
        (b"_id: a\n<<<<<<< ours\ntype: Request\n", 2, "the file holds merge markers"),
        (b"_id: a\n_id: b\ntype: Request\n", 2, ""),
        (b"_id: 'a\n", 2, ""),
    ],
)
def test_what_is_broken_is_refused_with_its_line(text: bytes, line: int, reason: str) -> None:
    found = recognise(PATH, text)
    assert found is not None
    with pytest.raises(FormatError) as caught:
        found.read(text, PATH)
    assert caught.value.reason.startswith(reason)
    assert (caught.value.path, caught.value.line) == (PATH, line)


def test_a_file_holds_one_document() -> None:
    content = FORM.read(TEXT, "x.yml")
    with pytest.raises(FormatError, match="expected one document, not 0"):
        FORM.write(content.record, ())
