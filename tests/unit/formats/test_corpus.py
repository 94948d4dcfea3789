"""Real files: nothing is lost, nothing moves, and one change is one changed line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from difflib import unified_diff
from functools import cache
from pathlib import Path

import pytest

from sopor.formats import FORMATS, FileContent, Format, recognise
from sopor.formats.compare import same_documents, same_json
from sopor.formats.yaml_read import parse_yaml
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Document
from tests.support.corpus import corpus_files, corpus_name

FILES = corpus_files()
# Written by older versions of Insomnia, or edited by hand: their quotes and folds are not today's.
OTHER_STYLE = ("fixtures_grpc.yaml", "pre-request-collection.yaml", "kong-apisecops-redhat")


@cache
def opened(path: Path) -> tuple[Format, bytes, FileContent]:
    data = path.read_bytes()
    found = recognise(path.name, data)
    assert found is not None
    return found, data, found.read(data, path.name)


@pytest.mark.parametrize("path", FILES, ids=corpus_name)
def test_a_file_survives_being_written_anew(path: Path) -> None:
    form, _, content = opened(path)
    written = form.write(content.record, content.documents, content.local)
    again = form.read(written, path.name)
    assert same_json(again.record.body, content.record.body)
    assert same_documents(again.documents, content.documents)
    assert same_documents(again.local, content.local)


@pytest.mark.parametrize("path", FILES, ids=corpus_name)
def test_an_unchanged_file_keeps_its_bytes(path: Path) -> None:
    form, data, content = opened(path)
    shuffled = content.documents[::-1]
    assert form.write(content.record, shuffled, content.local, previous=data) == data
    assert form.write(content.record, shuffled, previous=data) == data


def test_one_changed_name_is_one_changed_line() -> None:
    longest: Counter[str] = Counter()
    for path in FILES:
        form, data, content = opened(path)
        for document in content.documents[:: max(1, len(content.documents) // 5)]:
            if "name" not in document.body:
                continue
            written = form.write(content.record, renamed(content, document), (), previous=data)
            lines = changed_lines(data, written)
            longest[form.name] = max(longest[form.name], len(lines))
            assert len(data.splitlines()) < 3 or len(lines) == 2, (path.name, document.id, lines)
    assert set(longest) == {form.name for form in FORMATS[:3]}


def renamed(content: FileContent, document: Document) -> list[Document]:
    changed = replace(document, body={**document.body, "name": "Renamed"})
    return [changed if item.id == document.id else item for item in content.documents]


def changed_lines(before: bytes, after: bytes) -> list[str]:
    old, new = before.decode().splitlines(), after.decode().splitlines()
    return [line for line in unified_diff(old, new, n=0) if line[0] in "+-"][2:]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".yaml"], ids=corpus_name
)
def test_yaml_is_in_insomnias_own_style(path: Path) -> None:
    text = path.read_text()
    written = emit_yaml(parse_yaml(text))
    if any(part in path.name for part in OTHER_STYLE):
        assert parse_yaml(written) == parse_yaml(text)
    else:
        assert written == text


def test_every_kind_of_resource_of_the_corpus_is_seen() -> None:
    kinds = {item.type for path in FILES for item in opened(path)[2].everything}
    assert kinds >= {
        *("workspace", "request_group", "request", "grpc_request", "websocket_request"),
        *("environment", "cookie_jar", "api_spec", "unit_test_suite", "unit_test"),
        *("proto_file", "mock", "mock_route"),
    }
