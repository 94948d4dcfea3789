"""`sopor import` and `sopor export`: files in, files out, the same ids on both sides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sopor.formats import read
from sopor.formats.compare import same_documents
from sopor.formats.converting import Target
from sopor.model.document import Document
from sopor.repository.importing import import_files
from tests.support.corpus import corpus_files, corpus_name
from tests.support.terminal import Terminal

COLLECTION: dict[str, Any] = {
    "info": {
        "_postman_id": "7f1",
        "name": "Pets",
        "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
    },
    "item": [
        {
            "name": "Animals",
            "item": [
                {"name": "List", "request": {"method": "GET", "url": "{{host}}/pets"}},
                {"name": "Odd", "request": {"method": "GET", "url": "/", "proxy": {"host": "p"}}},
            ],
        }
    ],
    "variable": [{"key": "host", "value": "https://example.com"}],
}
RESOURCES: list[dict[str, Any]] = [
    {"_id": "wrk_1", "_type": "workspace", "parentId": None, "name": "One", "scope": "collection"},
    {"_id": "req_1", "_type": "request", "parentId": "wrk_1", "name": "Get", "url": "/"},
    {"_id": "pf_1", "_type": "proto_file", "parentId": "wrk_1", "name": "p", "protoText": "x"},
    {"_id": "jar_1", "_type": "cookie_jar", "parentId": "wrk_1", "cookies": [{"key": "session"}]},
    {"_id": "wrk_2", "_type": "workspace", "parentId": None, "name": "Two", "scope": "design"},
    {"_id": "odd_1", "_type": "hologram", "parentId": "wrk_2", "beam": {"b": 1, "a": [None]}},
]


@pytest.fixture
def v4(terminal: Terminal) -> Terminal:
    """A terminal with a v4 export, not in a working copy."""
    whole = {"_type": "export", "__export_format": 4, "resources": RESOURCES}
    terminal.write("Insomnia.json", json.dumps(whole))
    return terminal


def documents(*paths: Path, root: Path | None = None) -> dict[str, Any]:
    names = [path.relative_to(root or path.parent).as_posix() for path in paths]
    contents = [read(path.read_bytes(), name) for path, name in zip(paths, names, strict=True)]
    return {item.id: item.body for content in contents if content for item in content.everything}


def ids_of(folder: Path) -> dict[str, Any]:
    return documents(*(path for path in folder.rglob("*") if path.is_file()), root=folder)


WANTED = {item["_id"]: item for item in RESOURCES}


def test_v4_becomes_one_v5_file_a_workspace(v4: Terminal) -> None:
    answer = v4("sopor import Insomnia.json --into project")
    assert answer.lines == [
        "Read Insomnia.json: insomnia.v4.json, 6 documents",
        "Wrote one.yaml: 4 documents",
        "Wrote two.yaml: 2 documents",
    ]
    assert "the proto_file pf_1 has no place in v5: it is carried in _resources" in answer.err
    assert "the hologram odd_1 has no place in v5" in answer.err
    assert ids_of(v4.folder / "project") == WANTED

    again = v4("sopor import Insomnia.json --into project --json")
    assert again.err == ""
    assert again.json["sources"] == [
        {"path": "Insomnia.json", "kind": "insomnia.v4.json", "documents": 6}
    ]
    assert again.json["files"][0] == {"path": "one.yaml", "documents": 4}
    assert len(again.json["notes"]) == 2


def test_there_and_back_through_a_commit(v4: Terminal) -> None:
    v4("sopor import Insomnia.json --into project")
    project = v4.at("project")
    project("sopor init")
    project("sopor commit -m 'Import'")
    shared = {name: body for name, body in WANTED.items() if name != "jar_1"}

    for kind, place in (("v4", "a.json"), ("v4", "a.yaml"), ("v5", "v5"), ("tree", "tree")):
        project(f"sopor export --format {kind} -o ../{place}")
        written = v4.folder / place
        found = documents(written) if written.is_file() else ids_of(written)
        assert found == shared, (kind, place)
    assert (v4.folder / "tree/.insomnia/ProtoFile/pf_1.yml").is_file()

    listed = json.loads(project("sopor export --format json").out)
    assert {item["_id"]: item for item in listed} == shared
    assert "session" not in project("sopor export").out
    assert "session" in (project.folder / "one.yaml").read_text()


def real_exports() -> list[Path]:
    return [
        path
        for path in corpus_files()
        if path.parent.parent.name != "history" and b"__export_format" in path.read_bytes()
    ]


def of_all_machines(documents: Sequence[Document]) -> list[Document]:
    """Returns documents without what stays on one machine."""
    bodies = [{**document.body, "modified": None} for document in documents]
    return [
        Document(item.id, item.type, body) for item, body in zip(documents, bodies, strict=True)
    ]


def test_a_real_export_comes_back_from_v5_with_all_it_said(terminal: Terminal) -> None:
    (path,) = (path for path in real_exports() if "multiple-workspaces" in path.name)
    terminal.write(f"in/{path.name}", path.read_text())
    first, second, third = (terminal.at(folder) for folder in ("in", "files", "out"))
    first("sopor init")
    first("sopor commit -m 'Take in'")
    told = first("sopor export --format v5 -o ../files").err
    assert len(list(second.folder.iterdir())) > 1
    second("sopor import . --into ../out")
    third("sopor init")
    third("sopor commit -m 'Take over'")
    third(f"sopor export --format v4 -o ../back/{path.name}")

    before = read(path.read_bytes(), path.name)
    after = read((terminal.folder / "back" / path.name).read_bytes(), path.name)
    assert before
    assert after
    assert same_documents(of_all_machines(after.documents), of_all_machines(before.documents))
    assert after.record == before.record
    assert " said __export_date: " in told
    assert "which no document holds" not in told


@pytest.mark.parametrize("path", real_exports(), ids=corpus_name)
def test_a_real_export_becomes_v5_and_itself_again(path: Path, tmp_path: Path) -> None:
    import_files([path], tmp_path / "v5")
    import_files([tmp_path / "v5"], tmp_path / "v4", Target.V4)
    (made,) = (tmp_path / "v4").iterdir()
    before, after = read(path.read_bytes(), path.name), read(made.read_bytes(), made.name)
    assert before
    assert after
    assert same_documents(after.everything, before.everything)
    assert after.record.body["container"] == before.record.body["container"]


def test_a_commit_of_the_past_or_of_a_branch(v4: Terminal) -> None:
    v4("sopor import Insomnia.json --into project")
    project = v4.at("project")
    project("sopor init")
    project("sopor commit -m 'Import'")
    text = (project.folder / "one.yaml").read_text()
    project("sopor switch -c other")
    (project.folder / "one.yaml").write_text(text.replace("name: Get", "name: Fetch"))
    project("sopor commit -m 'Rename'")

    assert "Fetch" in project("sopor export").out
    assert "Fetch" not in project("sopor export --commit HEAD~1").out
    assert "Fetch" not in project("sopor export --branch main").out
    done = project("sopor export --json -o ../out.json").json
    assert done["files"] == [{"path": "out.json", "documents": 5}]
    assert done["folder"] == ".."
    project("sopor export --branch main --commit HEAD", code=2)
    project("sopor export --json", code=2)
    assert "no commit" in project("sopor export --commit nothing", code=3).err


def test_nothing_is_overwritten_unasked(v4: Terminal) -> None:
    mine = v4.write("project/one.yaml", "mine: true\n")
    answer = v4("sopor import Insomnia.json --into project", code=4)
    assert answer.err.endswith(
        "error: files with other contents are there already: one.yaml\n"
        "hint: choose another place, or add --overwrite to replace them\n"
    )
    assert mine.read_text() == "mine: true\n"
    assert not (v4.folder / "project/two.yaml").exists()
    v4("sopor import Insomnia.json --into project --overwrite")
    assert ids_of(v4.folder / "project") == WANTED


def test_a_document_is_not_brought_in_twice(v4: Terminal) -> None:
    v4("sopor import Insomnia.json --into project")
    v4.at("project")("sopor init")
    answer = v4("sopor import Insomnia.json --as v4 --into project/below", code=4)
    assert "the document wrk_1 of Insomnia.json is in " in answer.err
    assert "one.yaml already" in answer.err
    assert not (v4.folder / "project/below").exists()
    v4.at("project")("sopor commit -m x -q")
    answer = v4.at("project")("sopor export -o below.json", code=4)
    assert "is in the working copy" in answer.err
    v4.write("Again.json", (v4.folder / "Insomnia.json").read_text())
    assert "and in Again.json" in v4("sopor import Insomnia.json Again.json", code=9).err


def test_a_file_of_the_format_asked_for_keeps_its_bytes(pets: Terminal, pets_yaml: str) -> None:
    pets.write("../copy/odd.yaml", "# my comment\n" + pets_yaml)
    pets.at("../copy")("sopor import odd.yaml --into there")
    assert (pets.folder / "../copy/there/odd.yaml").read_text() == "# my comment\n" + pets_yaml


def test_a_postman_collection(terminal: Terminal) -> None:
    terminal.write("pets.json", json.dumps(COLLECTION))
    first = terminal("sopor import pets.json --into a")
    assert first.lines == [
        "Read pets.json: Postman collection, 5 documents",
        "Wrote pets.yaml: 5 documents",
    ]
    assert "/Animals/Odd: proxy kept in the field _imported, without effect" in first.err
    terminal("sopor import pets.json --into b")
    assert (terminal.folder / "a/pets.yaml").read_bytes() == (
        terminal.folder / "b/pets.yaml"
    ).read_bytes()
    terminal("sopor import pets.json --as v4 --into c")
    found = ids_of(terminal.folder / "a")
    assert documents(terminal.folder / "c/pets.insomnia.json") == found
    assert {item["name"] for item in found.values()} == {
        *("Pets", "Base Environment", "Animals", "List", "Odd")
    }
    (odd,) = [item for item in found.values() if item["name"] == "Odd"]
    assert odd["_imported"] == {"proxy": {"host": "p"}}


def test_insomnias_data_folder(terminal: Terminal) -> None:
    terminal.write(
        "data/insomnia.Workspace.db",
        '{"$$indexCreated":{"fieldName":"parentId"}}\n'
        '{"_id":"wrk_1","type":"Workspace","name":"Old","parentId":"proj_1","scope":"collection"}\n'
        '{"_id":"wrk_1","type":"Workspace","name":"New","parentId":"proj_1","scope":"collection"}\n',
    )
    terminal.write(
        "data/insomnia.Request.db",
        '{"_id":"req_1","type":"Request","parentId":"wrk_1","name":"Kept","url":"/"}\n'
        '{"_id":"req_2","type":"Request","parentId":"wrk_1","name":"Gone","url":"/"}\n'
        '{"$$deleted":true,"_id":"req_2"}\n',
    )
    terminal.write("data/insomnia.OAuth2Token.db", '{"_id":"oa2_1","type":"OAuth2Token"}\n')
    answer = terminal("sopor import data --into project")
    assert answer.lines == [
        "Read data: Insomnia data folder, 2 documents",
        "Wrote new.yaml: 2 documents",
    ]
    assert "1 of type OAuth2Token left where they are" in answer.err
    assert {item["name"] for item in ids_of(terminal.folder / "project").values()} == {
        "New",
        "Kept",
    }


def test_what_can_not_be_imported(terminal: Terminal) -> None:
    terminal.write("notes.txt", "hello")
    terminal.write("other.json", "{}")
    terminal.write("broken.json", '{"info": {\n"a": 1,}}')
    terminal.write("empty/readme.md", "")
    assert terminal("sopor import notes.txt --json", code=9).error["code"] == "invalid-input"
    assert "is of no kind that can be imported" in terminal("sopor import other.json", code=9).err
    assert "error: broken.json:2:" in terminal("sopor import broken.json", code=9).err
    assert "there is no file gone.json" in terminal("sopor import gone.json", code=3).err
    assert "has no files of Insomnia's" in terminal("sopor import empty", code=3).err
    terminal("sopor import", code=2)
    terminal("sopor import other.json --as v3", code=2)


DESCRIPTION = """\
openapi: 3.0.3   # ours
info: {title: Pets}
paths:
  /pets:
    get: {summary: List}
"""


def test_a_plain_openapi_file_is_a_design_document(terminal: Terminal) -> None:
    path = terminal.write("openapi.yaml", DESCRIPTION)
    terminal("sopor init")
    status = terminal("sopor status --short").lines
    assert any("api_spec" in line and "openapi.yaml" in line for line in status)
    terminal("sopor commit -m 'Describe pets'")
    terminal("sopor switch -c other")
    path.write_text(DESCRIPTION.replace("Pets", "All pets"))
    terminal("sopor commit -m 'Name it'")
    terminal("sopor switch main")
    assert path.read_text() == DESCRIPTION
    path.write_text(DESCRIPTION.replace("List", "List pets"))
    terminal("sopor commit -m 'Summarize'")
    terminal("sopor merge other")
    assert path.read_text() == DESCRIPTION.replace("Pets", "All pets").replace("List", "List pets")

    terminal("sopor import openapi.yaml")
    assert {item.get("name") for item in documents(terminal.folder / "all-pets.yaml").values()} >= {
        *("All pets", "List pets", "Base Environment")
    }
    terminal("sopor commit -m 'Import requests'")
    assert terminal("sopor status --short").out == ""


def bomb() -> str:
    """Returns a few lines that stand for a billion values."""
    lines = ["__export_format: 4", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join([*lines, "resources: []", ""])


def test_what_is_too_much_is_refused_and_nothing_is_written(terminal: Terminal) -> None:
    with (terminal.folder / "huge.json").open("wb") as file:
        file.truncate(100_000_000)
    assert "error: huge.json has 100000000 bytes" in terminal("sopor import huge.json", code=9).err
    terminal.write("bomb.yaml", bomb())
    answer = terminal("sopor import bomb.yaml --into there", code=9)
    assert answer.err.startswith("error: bomb.yaml:")
    assert "alias" in answer.err
    good = {"_type": "export", "__export_format": 4, "resources": RESOURCES}
    terminal.write("good.json", json.dumps(good))
    terminal("sopor import good.json bomb.yaml --into there", code=9)
    assert not (terminal.folder / "there").exists()
