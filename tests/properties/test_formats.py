"""Every format gives back exactly the documents that were written, whatever they look like."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.formats import FORMATS, FileContent, FormatError, recognise
from sopor.formats.assign import assign, settle
from sopor.formats.base import Format
from sopor.formats.compare import same_documents, same_json
from sopor.formats.documents_json import DocumentsJson
from sopor.formats.gather import find_cycle
from sopor.formats.json_text import JsonStyle
from sopor.formats.record import make_record
from sopor.formats.trees import path_in_tree, tree_record
from sopor.formats.types import type_key, type_name
from sopor.formats.v4_json import V4Json
from sopor.formats.v4_yaml import V4Yaml
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Body, Document, Json, split_local
from tests.support.generated import json_values, projects, texts

V4_CONTAINER: Body = {
    "container": {"_type": "export", "__export_format": 4, "__export_source": "x"}
}
WHOLE_FILES = [(V4Json(), "a.json", 3), (V4Yaml(), "b/c.yaml", 3), (V5Yaml(), "d.yaml", 1)]


def record_for(form: Format, path: str, documents: Iterable[Document]) -> Document:
    shared, _ = split_local(documents)
    return make_record(path, form.name, shared, {} if form.name == V5Yaml.name else V4_CONTAINER)


@pytest.mark.parametrize(("form", "path", "workspaces"), WHOLE_FILES)
@given(data=st.data())
def test_what_is_written_is_read(
    form: Format, path: str, workspaces: int, data: st.DataObject
) -> None:
    documents = data.draw(projects(workspaces=workspaces))
    record = record_for(form, path, documents)
    shared, local = split_local(documents)
    written = form.write(record, shared, local)
    assert recognise(path, written) is not None
    content = form.read(written, path)
    assert_same(content, record, shared, local)
    assert form.write(record, reversed(shared), local, previous=written) is written
    assert form.write(record, tuple(reversed(shared)), local) == written


@pytest.mark.parametrize(("form", "path", "workspaces"), WHOLE_FILES)
@given(data=st.data())
def test_a_file_is_rewritten_into_any_other(
    form: Format, path: str, workspaces: int, data: st.DataObject
) -> None:
    before = data.draw(projects(workspaces=workspaces))
    after = data.draw(projects(workspaces=workspaces))
    previous = form.write(record_for(form, path, before), *split_local(before))
    record = record_for(form, path, after)
    shared, local = split_local(after)
    kept = [
        item
        for item in form.read(previous, path).local
        if item.id not in {document.id for document in after}
    ]
    written = form.write(record, shared, local, previous)
    if find_cycle([*after, *kept]):
        with pytest.raises(FormatError, match="cycle"):
            form.read(written, path)
        return
    content = form.read(written, path)
    assert same_documents(content.everything, [*after, *kept])


@given(projects())
def test_a_document_survives_a_file_of_its_own(documents: list[Document]) -> None:
    form = DocumentsJson()
    for document in documents:
        shared, local = split_local([document])
        for path in (
            "odd/place.json",
            path_in_tree(tree_record(".", "{type}/{id}.json"), document),
        ):
            written = form.write(make_record(path, form.name, shared), shared, local)
            content = form.read(written, path)
            assert same_documents(content.everything, [document])
            assert form.write(content.record, shared, local, written) is written
            assert content.in_tree == (path != "odd/place.json")


@given(st.lists(projects(workspaces=2), max_size=2), st.booleans())
def test_every_document_has_a_file(lists: list[list[Document]], tree: bool) -> None:
    documents = {item.id: item for each in lists for item in each}
    state = [*documents.values(), *([tree_record("t", "{type}/{id}.json")] if tree else [])]
    files = assign(state)
    assert sorted(item.id for held in files.values() for item in held.documents) == sorted(
        documents
    )
    again = settle(state)
    assert same_documents(settle(again), again)
    for path, held in files.items():
        form = next(each for each in FORMATS if each.name == held.record.body["format"])
        shared, local = split_local(held.documents)
        if len(shared) == len(held.documents):
            content = form.read(form.write(held.record, held.documents), path)
            assert_same(content, held.record, shared, local)


@given(st.one_of(texts(), st.from_regex(r"_*[A-Za-z_0-9]*", fullmatch=True)))
def test_type_names_are_one_to_one(text: str) -> None:
    assert type_key(type_name(text)) == text
    assert type_name(type_key(text)) == text


def assert_same(
    content: FileContent,
    record: Document,
    shared: Iterable[Document],
    local: Iterable[Document],
) -> None:
    assert same_json(content.record.body, record.body)
    assert same_documents(content.documents, shared)
    assert same_documents(content.local, local)


@given(
    value=json_values(),
    style=st.builds(JsonStyle, st.sampled_from(["", "  ", "\t"]), st.booleans()),
)
def test_indented_json_is_as_the_standard_library_writes_it(value: Json, style: JsonStyle) -> None:
    plain = json.dumps(value, indent=style.indent, ensure_ascii=style.ascii)
    assert style.print(value) == plain
    assert style.print(value, "    ") == plain.replace("\n", "\n    ")
