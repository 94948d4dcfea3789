"""What a scan finds, and how little it reads for that."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from sopor.errors import InvalidInput
from sopor.formats import FormatError
from sopor.formats.record import record_id
from tests.unit.worktree.folder import (
    Project,
    bodies,
    doc,
    edited,
    folder,
    ids,
    request,
    workspace,
)

W, A, B = workspace(), request("req_a"), request("req_b")


def test_a_first_scan_finds_every_document_and_the_record_of_its_file(project: Project) -> None:
    project.put("api.json", W, A, B)

    scan = project.scan()

    assert scan.changes.keys() == {"wrk_1", "req_a", "req_b", record_id("api.json")}
    assert set(scan.paths.values()) == {"api.json"}
    assert scan.cids.keys() == scan.changes.keys()
    assert (scan.ignored, scan.warnings) == ((), ())
    assert project.files.dirty_paths == {"api.json"}
    assert not project.files.baseline(), "a scan moves no baseline"


def test_after_a_commit_nothing_differs_and_nothing_is_parsed(project: Project) -> None:
    project.put("api.json", W, A)
    project.put("sub/more.yaml", workspace("wrk_2"), request("req_2", "wrk_2"))
    project.commit()
    parsed = project.files.files_parsed

    for _ in range(3):
        assert not project.scan().changes
    assert not project.reopen().scan().changes

    assert (parsed, project.files.files_parsed) == (2, 0)
    assert project.files.path_of(A.id) == "api.json"
    assert project.files.path_of(W.id) == "api.json"
    assert project.files.path_of(request("req_2").id) == "sub/more.yaml"
    assert project.files.path_of(request("req_9").id) is None
    assert not project.files.dirty_paths


def test_only_the_file_that_changed_is_parsed(project: Project) -> None:
    for number in range(5):
        name = f"wrk_{number}"
        project.put(f"{number}.json", workspace(name), request(f"req_{number}", name))
    project.commit()
    before = project.files.files_parsed

    changed = edited(request("req_3", "wrk_3"), url="https://elsewhere.example.com")
    project.put("3.json", workspace("wrk_3"), changed)
    scan = project.scan()

    assert bodies({k: v for k, v in scan.changes.items() if v}) == {"req_3": changed.body}
    assert scan.paths == {"req_3": "3.json"}
    assert project.files.files_parsed == before + 1


def test_added_and_deleted_documents(project: Project) -> None:
    project.put("api.json", W, A)
    project.commit()

    project.put("api.json", W, B)

    assert project.scan().changes == {"req_a": None, "req_b": B}


def test_a_file_that_is_gone_means_that_its_documents_are_deleted(project: Project) -> None:
    project.put("one.json", W, A)
    project.put("two.json", workspace("wrk_2"), request("req_2", "wrk_2"))
    project.commit()

    project.path("one.json").unlink()
    for _ in range(2):
        scan = project.scan()
        assert scan.changes == dict.fromkeys(["wrk_1", "req_a", record_id("one.json")])
        assert set(scan.paths.values()) == {"one.json"}
    project.put("one.json", W, A)

    assert not project.scan().changes, "it is back"


def test_all_documents_of_a_file_are_deleted_but_the_file_stays(project: Project) -> None:
    project.put("one.json", W, A)
    project.commit()

    project.put("one.json")

    assert project.scan().changes == dict.fromkeys(["wrk_1", "req_a", record_id("one.json")])
    project.commit()
    assert not project.scan().changes
    assert not project.files.baseline()


def test_a_document_that_moves_to_another_file_is_not_deleted(project: Project) -> None:
    orders = folder("fld_orders")
    project.put("one.json", W, orders, request("req_deep", "fld_orders"), A)
    project.put("two.json", workspace("wrk_2"))
    project.commit()

    moved = edited(orders, parentId="wrk_2")
    project.put("one.json", W, A)
    project.put("two.json", workspace("wrk_2"), moved, request("req_deep", "fld_orders"))

    assert project.scan().changes == {"fld_orders": moved}, "what is below it did not change"
    project.commit()
    assert project.files.path_of(request("req_deep").id) == "two.json"
    assert not project.scan().changes
    project.path("two.json").unlink()
    assert ids(project.scan().changes) == {"wrk_2", "fld_orders", "req_deep"}


def test_a_renamed_file_changes_its_record_alone(project: Project) -> None:
    project.put("old.json", W, A)
    project.commit()

    project.path("old.json").rename(project.path("new.json"))
    scan = project.scan()

    assert scan.changes.keys() == {record_id("old.json"), record_id("new.json")}
    assert scan.changes[record_id("old.json")] is None
    project.commit()
    assert project.files.path_of(A.id) == "new.json"
    assert not project.scan().changes


def test_a_touched_file_is_read_but_not_parsed(project: Project) -> None:
    project.put("api.json", W, A)
    project.commit()
    parsed = project.files.files_parsed

    os.utime(project.path("api.json"), ns=(1, 1))
    assert not project.scan().changes
    project.put("api.json", W, A)
    assert not project.scan().changes

    assert project.files.files_parsed == parsed


def test_other_files_are_ignored_and_named(project: Project) -> None:
    project.put("api.json", W, A)
    for name in ("package.json", "openapi.yaml", "ci/build.yml", "empty.yaml", "list.json"):
        project.path(name).parent.mkdir(exist_ok=True)
        project.path(name).write_text('{"name": "x", "version": 2}')
    project.path("empty.yaml").write_text("")
    project.path("list.json").write_text("[1, 2")
    project.path("notes.txt").write_text("not even looked at")
    project.path("node_modules").mkdir()
    project.put("node_modules/dependency.json", workspace("wrk_dependency"))
    project.put(".git/hidden.json", workspace("wrk_git"))
    project.put(".config/hidden.json", workspace("wrk_config"))
    project.put(".hidden.json", workspace("wrk_hidden"))

    scan = project.scan()

    assert ids(scan.changes) == {"wrk_1", "req_a"}
    ignored = ("ci/build.yml", "empty.yaml", "list.json", "openapi.yaml", "package.json")
    assert scan.ignored == ignored
    assert scan.warnings == ()
    project.path("list.json").unlink()
    assert project.scan().ignored == ignored[:2] + ignored[3:]


def test_a_foreign_file_that_becomes_insomnias_is_found(project: Project) -> None:
    project.path("api.json").write_text("{}")
    assert project.scan().ignored == ("api.json",)

    project.put("api.json", W)

    assert ids(project.scan().changes) == {"wrk_1"}


def test_a_file_that_became_broken_is_named_with_its_line(project: Project) -> None:
    project.put("api.json", W, A)
    project.put("other.json", workspace("wrk_2"))
    project.commit()

    text = project.path("api.json").read_text()
    project.path("api.json").write_text(text.replace('"scope":', '"scope"', 1))
    project.put("other.json", workspace("wrk_2", description="changed"))

    for _ in range(2):
        with pytest.raises(FormatError, match=r"^api\.json:\d+") as caught:
            project.scan()
        assert caught.value.line == text[: text.index('"scope"')].count("\n") + 1
    project.path("api.json").write_text(text)
    assert project.scan().changes.keys() == {"wrk_2"}, "nothing was half-read"


@pytest.mark.parametrize("content", ["", "{}", "null", "just text", '{"resources": 1}', "[{}"])
def test_a_file_that_is_no_longer_insomnias_is_no_deletion(project: Project, content: str) -> None:
    project.put("api.json", W, A)
    project.commit()

    project.path("api.json").write_text(content)

    with pytest.raises((FormatError, InvalidInput), match=r"^api\.json"):
        project.scan()


def test_a_new_broken_file_is_an_error_too(project: Project) -> None:
    project.path("api.json").write_text('{"__export_format": 4, "resources": [{"_type": "x"}]}')

    with pytest.raises(FormatError, match=r"api\.json:1.*_id"):
        project.scan()


def test_a_document_over_the_limit_is_named(project: Project) -> None:
    fitting = doc("api_spec", "spc_1", "wrk_1", contents="x" * (16 * 2**20 - 200))
    project.put("api.json", W, fitting)
    assert ids(project.scan().changes) == {"wrk_1", "spc_1"}

    project.put("api.json", W, edited(fitting, contents="x" * (16 * 2**20)))

    with pytest.raises(FormatError, match=r"api\.json: api_spec spc_1: .*at most 16777216"):
        project.scan()


def test_a_yaml_bomb_that_unfolds_over_the_limit_is_named(project: Project) -> None:
    lines = ["_type: export", "__export_format: 4", "resources:", "- _id: env_1"]
    lines += ["  _type: environment", f"  a: &a {'x' * 2**16}", "  data:"]
    lines += ["  - *a"] * 300
    project.path("bomb.yaml").write_text("\n".join(lines) + "\n")

    with pytest.raises(FormatError, match=r"bomb\.yaml: environment env_1: .*at most"):
        project.scan()


def test_one_document_in_two_files_names_both(project: Project) -> None:
    project.put("api.json", W, A)
    project.commit()

    project.put("copy of api.json", W, A)

    for _ in range(2):
        with pytest.raises(InvalidInput) as caught:
            project.scan()
        assert str(caught.value).startswith("api.json and copy of api.json both hold the ")
        assert "1 more" in str(caught.value)
    project.path("copy of api.json").unlink()
    assert not project.scan().changes


def test_one_document_in_two_changed_files_names_both(project: Project) -> None:
    project.put("one.json", W, A)
    project.put("two.yaml", workspace("wrk_2"), edited(A, parentId="wrk_2"))

    with pytest.raises(InvalidInput, match=r"one\.json and two\.yaml both hold the request 'the"):
        project.scan()


def test_a_commit_of_some_documents_leaves_the_others_changed(project: Project) -> None:
    project.put("api.json", W, A, B)
    project.commit()
    new_a, new_b = edited(A, url="https://a"), edited(B, url="https://b")
    project.put("api.json", W, new_a, new_b, request("req_c"))

    project.commit(only=["req_a"])

    assert project.scan().changes == {"req_b": new_b, "req_c": request("req_c")}
    assert project.files.dirty_paths == {"api.json"}
    assert project.reopen().scan().changes == {"req_b": new_b, "req_c": request("req_c")}
    project.commit()
    parsed = project.files.files_parsed
    assert not project.scan().changes
    assert project.files.files_parsed == parsed


def test_a_scan_without_refresh_writes_nothing(project: Project) -> None:
    project.put("api.json", W, A)
    changes = project.connection.total_changes

    scan = project.files.scan(refresh=False)

    assert ids(scan.changes) == {"wrk_1", "req_a"}
    assert project.connection.total_changes == changes


def test_rolling_back_the_callers_transaction_takes_all_back(project: Project) -> None:
    project.put("api.json", W, A)
    scan = project.scan()

    project.connection.execute("BEGIN")
    project.files.rebase(scan.cids, scan.paths)
    assert project.files.baseline()
    project.connection.rollback()

    assert not project.files.baseline()
    assert project.scan().changes == scan.changes


def test_the_same_folder_gives_the_same_scan_in_the_same_order(
    make: Callable[[str], Project],
) -> None:
    one, other = make("one"), make("other")
    names = ["b.json", "a.json", "z/c.json", "z/a.yaml", "m.yaml"]
    for project, order in ((one, names), (other, names[::-1])):
        for name in order:
            key = name.replace("/", "_")
            project.put(name, workspace(f"wrk_{key}"), request(f"req_{key}", f"wrk_{key}"))

    first, second = one.scan(), other.scan()

    assert list(first.changes.items()) == list(second.changes.items())
    assert list(first.paths.items()) == list(second.paths.items())


def test_a_new_document_without_a_place_cannot_become_the_baseline(project: Project) -> None:
    with pytest.raises(ValueError, match="req_nowhere"):
        project.move_baseline({request("req_nowhere").id: request("req_nowhere")})


def test_the_baseline_can_move_in_another_process_than_the_scan(project: Project) -> None:
    project.put("api.json", W, A)
    scan = project.scan()

    project.reopen().rebase(scan.cids)

    assert project.files.path_of(A.id) == "api.json"
    assert not project.files.scan().changes
