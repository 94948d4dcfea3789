"""Between formats nothing is lost, no id is new, and what a format has no place for is told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sopor.formats import FileContent, read
from sopor.formats.compare import same_documents
from sopor.formats.converting import Conversion, Target, convert
from sopor.formats.record import make_record
from sopor.formats.types import ID_PREFIXES
from sopor.formats.yaml_file import parse_file
from sopor.model.document import Document, DocumentId, split_local
from tests.support.corpus import corpus_files, corpus_name, corpus_tree


def contents(made: Conversion) -> list[FileContent]:
    found = [read(data, path) for path, data in made.files.items()]
    return [content for content in found if content]


def documents(made: Conversion) -> list[Document]:
    return [item for content in contents(made) for item in content.everything]


def doc(kind: str, identity: str, parent: str | None, **fields: Any) -> Document:
    body = {"_id": identity, "_type": kind, "parentId": parent, "name": identity, **fields}
    return Document(DocumentId(identity), kind, body)


PARENTS = {
    "request_group": "workspace",
    "request": "request_group",
    "grpc_request": "request_group",
    "websocket_request": "request_group",
    "websocket_payload": "websocket_request",
    "socketio_request": "request_group",
    "socketio_payload": "socketio_request",
    "mcp_request": "workspace",
    "environment": "workspace",
    "cookie_jar": "workspace",
    "api_spec": "workspace",
    "unit_test_suite": "workspace",
    "unit_test": "unit_test_suite",
    "proto_directory": "workspace",
    "proto_file": "proto_directory",
    "mock": "workspace",
    "mock_route": "mock",
    "hologram": "request",
}


def one_of_each() -> list[Document]:
    made = [doc("workspace", "workspace_1", None, scope="collection")]
    for kind, parent in PARENTS.items():
        made.append(doc(kind, f"{kind}_1", f"{parent}_1", unknown={"b": [1, None], "a": "x"}))
    made.append(doc("environment", "environment_2", "environment_1", isPrivate=True))
    return made


def test_every_known_type_is_among_them() -> None:
    assert {item.type for item in one_of_each()} >= ID_PREFIXES.keys()


@pytest.mark.parametrize("target", [Target.V5, Target.V4, Target.TREE])
def test_every_type_keeps_its_parent_and_its_unknown_fields(target: Target) -> None:
    given = one_of_each()
    made = convert(given, target, "x.json" if target is Target.V4 else "")
    assert same_documents(documents(made), given)
    assert sum(made.holds.values()) == len(given)
    local = [item for content in contents(made) for item in content.local]
    assert same_documents(local, split_local(given)[1])


def test_what_v5_has_no_place_for_is_told() -> None:
    made = convert(one_of_each(), Target.V5, "")
    carried = [note.split()[1] for note in made.notes if note.endswith("carried in _resources")]
    assert carried == [
        *("hologram", "proto_directory", "proto_file"),
        *("socketio_payload", "websocket_payload"),
    ]
    assert "the field unknown of 1 request has no place in v5: it is carried all the same" in (
        made.notes
    )
    (data,) = made.files.values()
    whole: Any = parse_file(data, "x.yaml")
    assert [item["_id"] for item in whole["_resources"]] == [f"{kind}_1" for kind in carried]


def everything(items: Iterable[FileContent]) -> list[Document]:
    return [item for content in items for item in (content.record, *content.everything)]


@pytest.mark.parametrize("path", corpus_files(), ids=corpus_name)
def test_a_real_file_goes_through_all_formats_and_comes_back_the_same(path: Path) -> None:
    content = read(path.read_bytes(), path.name)
    assert content is not None
    v5 = convert([content.record, *content.everything], Target.V5, "")
    assert same_documents(documents(v5), content.everything)
    tree = convert(everything(contents(v5)), Target.TREE, "")
    assert same_documents(documents(tree), content.everything)
    for name in ("x.json", "x.yaml"):
        v4 = convert(everything(contents(v5)), Target.V4, name)
        assert same_documents(documents(v4), content.everything)
        (back,) = contents(v4)
        for key in ("container", "containerOrder"):
            assert back.record.body.get(key) == content.record.body.get(key) or "v5" in str(
                content.record.body["format"]
            )
    again = convert(everything(contents(v5)), Target.V5, "")
    assert again.files == v5.files


def test_a_real_tree_becomes_one_v5_file_and_comes_back_byte_for_byte() -> None:
    root = corpus_tree()
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.yml")}
    found = [read(data, name) for name, data in files.items()]
    v5 = convert(everything(item for item in found if item), Target.V5, "")
    assert list(v5.files) == ["sample-spec-1.2.yaml"]
    assert convert(everything(contents(v5)), Target.TREE, "").files == files


def grpc() -> tuple[str, FileContent]:
    path = next(path for path in corpus_files() if path.name.endswith("fixtures_grpc.yaml"))
    content = read(path.read_bytes(), path.name)
    assert content is not None
    return path.name, content


def test_what_a_file_says_of_itself_is_told_and_carried_or_left_behind() -> None:
    name, content = grpc()
    given = [content.record, *content.documents]
    made = convert(given, Target.V5, "")
    assert [note for note in made.notes if " said " in note] == [
        f"{name} said {key}: {value}, which has no place in v5: it is carried in _container"
        for key, value in (
            ("__export_date", '"2022-12-02T13:10:54.407Z"'),
            ("__export_source", '"insomnia.desktop.app:v2022.7.0-beta.6"'),
        )
    ]
    same = convert(given, Target.V4, name)
    assert not same.notes
    tree = convert(given, Target.TREE, "")
    assert [note.endswith("which no document holds") for note in tree.notes] == [True, True]


def test_the_schema_of_v5_files_comes_back_from_v4() -> None:
    given = [doc("workspace", f"wrk_{each}", None, scope="collection") for each in "ab"]
    records = [
        make_record(f"{item.id}.yaml", "insomnia.v5.yaml", [item], {"schema_version": schema})
        for item, schema in zip(given, ("5.0", "5.2"), strict=True)
    ]
    first = convert([*given, *records], Target.V5, "")
    v4 = convert(everything(contents(first)), Target.V4, "x.json")
    assert v4.notes == tuple(
        f'{item.id}.yaml said schema_version: "{schema}", which has no place in v4: '
        "it is carried in _schemas"
        for item, schema in zip(given, ("5.0", "5.2"), strict=True)
    )
    again = convert(everything(contents(v4)), Target.V5, "")
    assert len(first.files) == 2
    assert {data.split(b"\n", 2)[1] for data in again.files.values()} == {
        b'schema_version: "5.0"',
        b'schema_version: "5.2"',
    }
    assert {*again.files.values()} == {*first.files.values()}
    assert convert(everything(contents(again)), Target.V4, "x.json").files == v4.files


def test_what_two_exports_say_becomes_one_in_any_order() -> None:
    def file(name: str, **said: Any) -> list[Document]:
        home = doc("workspace", f"wrk_{name}", None, scope="collection")
        container = {"_type": "export", "__export_format": 4, **said}
        return [
            make_record(f"{name}.json", "insomnia.v4.json", [home], {"container": container}),
            home,
        ]

    first = file("a", __export_date="2024", __export_source="app:1", mine=[1])
    second = file("b", __export_date="2023", __export_source="app:2", ours=None)
    given = [*first, *second, doc("hologram", "odd_1", None)]
    whole = {"__export_date": "2024", "__export_source": "app:2", "mine": [1], "ours": None}
    for documents in (given, given[::-1]):
        v5 = convert(documents, Target.V5, "")
        assert len(v5.files) == 3
        for begin in (documents, everything(contents(v5))):
            (data,) = convert(begin, Target.V4, "x.json").files.values()
            back = read(data, "x.json")
            assert back
            assert back.record.body["container"] == {
                "_type": "export",
                "__export_format": 4,
                **whole,
            }
