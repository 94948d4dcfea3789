"""Private environments and cookie jars: never shared, never lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sopor.formats.record import record_id
from sopor.model.document import Document, DocumentId, Json
from tests.unit.worktree.folder import (
    Project,
    edited,
    environment,
    ids,
    jar,
    request,
    workspace,
)

W, A, BASE = workspace(), request("req_a"), environment("env_base")
SECRET = environment("env_secret", "env_base", private=True, token="s3cret")
JAR = jar("jar_1", "wrk_1", "session")
Put = Callable[..., None]


@pytest.fixture(params=["v4.json", "v4.yaml", "v5.yaml"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def put(project: Project, name: str) -> Put:
    """Puts documents into one file of each format."""
    if name == "v5.yaml":
        return lambda *documents: project.put_v5(name, *documents)
    return lambda *documents: project.put(name, *documents)


def test_they_are_in_no_scan(project: Project, put: Put) -> None:
    put(W, A, BASE, SECRET, JAR)

    scan = project.scan()

    assert ids(scan.changes) == {"wrk_1", "req_a", "env_base"}
    assert scan.warnings == ()
    project.commit()
    put(W, A, BASE, edited(SECRET, data={"token": "other"}), jar("jar_1", "wrk_1", "new"))
    assert not project.scan().changes


def test_they_survive_changes_in_their_file(project: Project, put: Put, name: str) -> None:
    put(W, A, BASE, SECRET, JAR)
    state = project.commit()

    project.check_out({**state, A.id: edited(A, url="https://new")})

    here = project.here(name)
    assert here["env_secret"].body["data"] == {"token": "s3cret"}
    assert here["jar_1"].body["cookies"] == JAR.body["cookies"]
    assert here["req_a"].body["url"] == "https://new"
    assert not project.scan().changes


def test_they_survive_the_removal_of_all_else_and_its_return(
    project: Project, put: Put, name: str
) -> None:
    put(W, A, BASE, SECRET, JAR)
    state = project.commit()

    written = project.check_out({})
    assert (written.written, written.removed) == ((name,), ())
    assert project.here(name).keys() == {"env_secret", "jar_1"}
    scan = project.scan()
    assert (scan.changes, scan.ignored, scan.warnings) == ({}, (), ())
    parsed = project.files.files_parsed
    project.scan()
    assert project.files.files_parsed == parsed, "such a file is remembered as well"

    project.check_out(state)
    here = project.here(name)
    assert here.keys() == {"wrk_1", "req_a", "env_base", "env_secret", "jar_1"}
    assert here["env_secret"].body["data"] == {"token": "s3cret"}
    assert not project.scan().changes


def test_a_jar_without_cookies_keeps_no_file_alive(project: Project, put: Put) -> None:
    put(W, A, jar("jar_1"))
    project.commit()

    project.check_out({})

    assert project.names() == []


def test_a_file_of_local_documents_alone_is_not_shared(project: Project) -> None:
    project.put("mine.json", SECRET, JAR)

    assert not project.scan().changes
    assert not project.scan().ignored


def test_one_that_becomes_private_is_a_deletion_with_a_warning(
    project: Project, put: Put, name: str
) -> None:
    shared = edited(SECRET, isPrivate=False)
    put(W, A, BASE, shared)
    project.commit()

    put(W, A, BASE, SECRET)
    scan = project.scan()

    assert scan.changes == {"env_secret": None}
    assert len(scan.warnings) == 1
    assert scan.warnings[0].startswith(f"{name}: the environment 'the env_secret' (env_secret) is")
    project.commit()
    assert project.here(name)["env_secret"].body["data"] == {"token": "s3cret"}
    assert not project.scan().warnings


def test_a_private_one_that_becomes_shared_is_added(project: Project, put: Put) -> None:
    put(W, A, BASE, SECRET)
    project.commit()

    put(W, A, BASE, edited(SECRET, isPrivate=False))

    assert ids(project.scan().changes) == {"env_secret"}


def test_a_private_one_is_never_overwritten_by_a_shared_one(
    project: Project, put: Put, name: str
) -> None:
    shared = edited(SECRET, isPrivate=False, data={"token": "public"})
    put(W, A, BASE, shared)
    earlier = project.commit()
    put(W, A, BASE, SECRET)
    project.commit()

    written = project.check_out(earlier)

    assert project.here(name)["env_secret"].body["data"] == {"token": "s3cret"}
    assert len(written.warnings) == 1
    assert "(env_secret) is private on this machine" in written.warnings[0]
    assert project.scan().changes == {"env_secret": None}


def test_what_arrives_below_a_private_one_stays_in_its_file(
    project: Project, put: Put, name: str
) -> None:
    put(W, A, edited(BASE, isPrivate=True))
    state = project.commit()
    below = environment("env_below", "env_base")

    project.check_out({**state, below.id: below})

    assert project.names() == [name]
    assert "env_below" in project.here(name)
    scan = project.scan()
    assert scan.changes == {"env_below": None}
    assert len(scan.warnings) == 1


def moved_record(old: Document, path: str, *roots: str) -> Document:
    """Returns a record like another one, for another path and other workspaces."""
    name = record_id(path)
    listed: list[Json] = [*roots]
    return Document(name, old.type, {**old.body, "_id": name, "path": path, "roots": listed})


def test_they_follow_what_they_belong_to_into_another_file(project: Project) -> None:
    project.put("one.json", W, A, BASE, SECRET, JAR, workspace("wrk_2"))
    state = project.commit()
    old = state[record_id("one.json")]
    one, two = moved_record(old, "one.json", "wrk_2"), moved_record(old, "two.json", "wrk_1")

    project.check_out({**state, one.id: one, two.id: two})

    assert project.here("two.json").keys() == {"wrk_1", "req_a", "env_base", "env_secret", "jar_1"}
    assert project.here("one.json").keys() == {"wrk_2"}
    assert not project.scan().changes


def test_they_survive_the_rename_of_their_file(project: Project) -> None:
    project.put("one.json", W, A, BASE, SECRET, JAR)
    state = project.commit()
    new = moved_record(state.pop(record_id("one.json")), "new.json", "wrk_1")

    project.check_out({**state, new.id: new})

    assert project.names() == ["new.json"]
    assert {"env_secret", "jar_1"} <= project.here("new.json").keys()


def test_a_clone_into_a_folder_keeps_the_private_ones_that_are_there(
    make: Callable[[str], Project],
) -> None:
    source, clone = make("source"), make("clone")
    source.put("one.json", W, A, BASE)
    state = source.commit()
    clone.put("one.json", W, BASE, SECRET, JAR)

    clone.files.write_all(state.values(), overwrite=True)

    everything = {"wrk_1", "req_a", "env_base", "env_secret", "jar_1"}
    assert clone.here("one.json").keys() == everything


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_when_a_document_was_touched_is_no_change_and_stays_here(
    make: Callable[[str], Project], name: str
) -> None:
    first, second = make("first"), make("second")
    home, one = workspace(modified=1), request("req_1", modified=2)
    first.put(name, home, one)
    state = first.commit()
    assert all("modified" not in document.body for document in state.values())
    assert first.here(name)["req_1"].body["modified"] == 2

    first.put(name, home, edited(one, modified=3))
    assert not first.scan().changes

    second.keep(state.values())
    second.files.write_all(state.values())
    second.move_baseline(state)
    assert not second.scan().changes
    assert "modified" not in second.here(name)["req_1"].body

    changed = edited(state[one.id], url="https://new")
    first.check_out({**state, one.id: changed})
    assert first.here(name)["req_1"].body == {**changed.body, "modified": 3}
    assert not first.scan().changes


def test_a_time_that_is_none_is_a_field_like_others(project: Project) -> None:
    project.put("a.json", workspace(modified="by hand"))
    assert project.commit()[DocumentId("wrk_1")].body["modified"] == "by hand"
