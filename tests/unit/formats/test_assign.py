"""Which file holds which document, when all that is known is the state of a project."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from sopor.formats import FORMATS, FormatError, format_of, write
from sopor.formats.assign import assign, settle
from sopor.formats.names import FORMAT_NAMES
from sopor.formats.record import is_safe_path, make_record, record_id
from sopor.formats.trees import tree_record
from sopor.model.document import Body, Document, DocumentError, DocumentId

V4: Body = {"container": {"_type": "export", "__export_format": 4}}


def document(identity: str, kind: str, parent: str | None = None, **fields: Any) -> Document:
    body = {"_id": identity, "_type": kind, "parentId": parent, **fields}
    return Document(DocumentId(identity), kind, body)


FIRST = document("wrk_1", "workspace", name="First API")
SECOND = document("wrk_2", "workspace", "proj_1", name="Second")
FOLDER = document("fld_1", "request_group", "wrk_1")
REQUEST = document("req_1", "request", "fld_1")
OTHER = document("req_2", "request", "wrk_2")
ORPHAN = document("req_3", "request", "fld_gone")


def record(path: str, form: str, *documents: Document) -> Document:
    return make_record(path, form, documents, {} if "v5" in form else V4)


def placed(*documents: Document) -> dict[str, list[str]]:
    return {path: [d.id for d in held.documents] for path, held in assign(documents).items()}


def test_two_devices_name_the_record_of_a_path_alike() -> None:
    digest = sha256(b"apis/main.yaml").hexdigest()
    assert record_id("apis/main.yaml") == f"sopor_file_{digest[:32]}"
    assert record_id("a") != record_id("b")
    assert record("a.yaml", "insomnia.v5.yaml", FIRST).id == record_id("a.yaml")


def test_a_document_is_in_the_file_of_its_workspace() -> None:
    one = record("one.yaml", "insomnia.v5.yaml", FIRST)
    two = record("sub/two.json", "insomnia.v4.json", SECOND)
    assert placed(OTHER, REQUEST, two, FOLDER, FIRST, one, SECOND) == {
        "one.yaml": ["fld_1", "req_1", "wrk_1"],
        "sub/two.json": ["req_2", "wrk_2"],
    }


def test_orphans_that_a_record_lists_bring_what_is_below_them() -> None:
    below = document("ws-payload_1", "websocket_payload", "req_3")
    file = record("a.json", "insomnia.v4.json", FIRST, ORPHAN)
    assert placed(below, ORPHAN, FIRST, file) == {"a.json": ["req_3", "wrk_1", "ws-payload_1"]}


def test_a_workspace_without_a_file_gets_one_named_after_it() -> None:
    assert placed(FIRST, FOLDER) == {"first-api.yaml": ["fld_1", "wrk_1"]}
    names = ["", "../../etc", "Ünï côde!", "x" * 200, None, "CON/aux"]
    spaces = [document(f"wrk_{n}", "workspace", name=name) for n, name in enumerate(names)]
    paths = list(assign(spaces))
    assert len(paths) == len(names)
    assert all(is_safe_path(path) and "/" not in path for path in paths)
    assert "ünï-côde.yaml" in paths


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    file = record("First-API.yaml", "insomnia.v5.yaml", SECOND)
    twin = document("wrk_3", "workspace", name="first api")
    files = placed(file, SECOND, FIRST, twin)
    assert len(files) == 3
    assert files["First-API.yaml"] == ["wrk_2"]
    assert all(path.lower().startswith("first-api") for path in files)
    assert files == placed(twin, FIRST, SECOND, file)


def test_documents_without_a_workspace_get_a_file_that_holds_anything() -> None:
    files = assign([ORPHAN, document("x_1", "future", None)])
    assert list(files) == ["without-workspace.json"]
    held = files["without-workspace.json"]
    content = format_of(held.record).read(
        write(held.record, held.documents), held_path(held.record)
    )
    assert content.documents == held.documents
    assert content.record == held.record


def held_path(item: Document) -> str:
    return str(item.body["path"])


def test_a_tree_takes_what_no_other_file_claims() -> None:
    tree = tree_record("docs", "{type}/{id}.json")
    file = record("two.yaml", "insomnia.v5.yaml", SECOND)
    assert placed(tree, file, FIRST, FOLDER, SECOND, OTHER) == {
        "docs/RequestGroup/fld_1.json": ["fld_1"],
        "docs/Workspace/wrk_1.json": ["wrk_1"],
        "two.yaml": ["req_2", "wrk_2"],
    }


def test_a_file_of_one_document_claims_nothing_below_it() -> None:
    tree = tree_record(".", "{type}/{id}.json")
    alone = record("odd/workspace.json", "documents.json", FIRST)
    assert placed(tree, alone, FIRST, FOLDER) == {
        "RequestGroup/fld_1.json": ["fld_1"],
        "odd/workspace.json": ["wrk_1"],
    }


def test_two_records_that_claim_the_same_do_not_double_it() -> None:
    first = record("a.yaml", "insomnia.v5.yaml", FIRST)
    second = record("b.yaml", "insomnia.v5.yaml", FIRST)
    assert placed(second, first, FIRST, FOLDER) == {"a.yaml": ["fld_1", "wrk_1"]}
    assert {item.id for item in settle([second, first, FIRST])} == {"wrk_1", first.id}


def test_settling_makes_records_fit_what_a_merge_left() -> None:
    stale = record("a.json", "insomnia.v4.json", FIRST, SECOND, ORPHAN)
    adopted = document("req_3", "request", "wrk_1")
    settled = {item.id: item for item in settle([stale, FIRST, adopted])}
    assert settled[stale.id].body == record("a.json", "insomnia.v4.json", FIRST, adopted).body
    assert "extras" not in settled[stale.id].body
    assert {item.id: item for item in settle(settled.values())} == settled


def test_a_v5_file_without_its_workspace_claims_nothing() -> None:
    file = record("a.yaml", "insomnia.v5.yaml", FIRST)
    assert placed(file, FOLDER) == {"without-workspace.json": ["fld_1"]}


def test_a_v5_record_with_two_workspaces_keeps_one() -> None:
    file = record("a.yaml", "insomnia.v5.yaml", FIRST, SECOND)
    assert placed(file, FIRST, SECOND) == {"a.yaml": ["wrk_1"], "second.yaml": ["wrk_2"]}


def test_a_circle_of_parents_is_an_error_not_a_hang() -> None:
    with pytest.raises(DocumentError, match="its parents form a cycle"):
        assign([document("a", "request_group", "b"), document("b", "request_group", "a")])


@pytest.mark.parametrize(
    "path",
    [
        *("../x.json", "/etc/x.json", "a/../../x", "C:\\x.json", "c:x", "a\\b.json", "a//b.json"),
        *(".git/config.json", "sub/.sopor/x.json", "a/.GIT/x", "x\n.json", "./x.json", "a/", ""),
    ],
)
def test_a_record_cant_lead_out_of_the_working_copy(path: str) -> None:
    file = record(path, "insomnia.v4.json", FIRST)
    with pytest.raises(DocumentError):
        assign([file, FIRST])
    assert not is_safe_path(path)


@pytest.mark.parametrize("field", ["path", "format"])
def test_a_record_needs_a_path_and_a_format(field: str) -> None:
    file = record("a.json", "insomnia.v4.json", FIRST)
    body = {key: value for key, value in file.body.items() if key != field}
    with pytest.raises(DocumentError, match=f"a file record needs a {field}"):
        assign([Document(file.id, file.type, body), FIRST])


def test_a_format_of_the_future_is_named() -> None:
    for form in FORMATS:
        assert format_of(record("a", form.name, FIRST)) is form
    with pytest.raises(FormatError, match=r"the format insomnia.v6 is not known") as caught:
        write(record("a", "insomnia.v6", FIRST), [FIRST])
    assert caught.value.hint == "update Sopor"


def test_nonsense_in_a_record_claims_nothing() -> None:
    file = record("a.json", "insomnia.v4.json")
    body: Body = {**file.body, "roots": 5, "extras": [None, "req_3"]}
    assert placed(Document(file.id, file.type, body), ORPHAN) == {"a.json": ["req_3"]}


def test_the_names_of_all_formats_are_known_without_them() -> None:
    assert tuple(known.name for known in FORMATS) == FORMAT_NAMES
