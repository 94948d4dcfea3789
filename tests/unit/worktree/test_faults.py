"""A disk that refuses, and things that are not what they should be."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from sopor.errors import DiskFull, InvalidInput, StateConflict, StorageFault
from sopor.formats import FormatError, Limits
from sopor.formats.record import make_record
from sopor.formats.v4_json import V4Json
from sopor.model.document import Document, Json
from sopor.worktree import Options, SqliteFileIndex, WorkingCopy
from sopor.worktree.disk import Disk
from sopor_core.ids import Cid
from tests.unit.worktree.folder import Project, cid_of, edited, ids, request, workspace

W, A = workspace(), request("req_a")


@pytest.fixture
def committed(project: Project) -> Project:
    return with_two_files(project)


def with_two_files(project: Project) -> Project:
    project.put("one.json", W, A)
    project.put("sub/two.json", workspace("wrk_2"))
    project.commit()
    return project


@pytest.fixture
def guarded() -> Iterator[Project]:
    """Commits two files, and gives up the superuser's rights, which no permission binds."""
    user = os.geteuid()
    with TemporaryDirectory() as folder:
        project = with_two_files(Project(Path(folder) / "project"))
        if user == 0:
            for path in (Path(folder), *Path(folder).rglob("*")):
                os.chown(path, 65534, 65534)
            os.seteuid(65534)
        try:
            yield project
        finally:
            os.seteuid(user)
            project.close()


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, DiskFull, "the disk is full"),
        (errno.EDQUOT, DiskFull, "the disk quota is used up"),
        (errno.EROFS, DiskFull, "the disk is read-only"),
        (errno.EACCES, DiskFull, "permission denied"),
        (errno.EIO, StorageFault, "input/output error"),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "chmod", "replace"])
def test_a_disk_that_refuses_changes_nothing_and_says_so(
    committed: Project,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    kind: type[Exception],
    words: str,
) -> None:
    before = committed.bytes()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    committed.scan()
    with monkeypatch.context() as patch:
        if call == "replace":
            committed.replace = refuse
        else:
            patch.setattr(os, call, refuse)
        with pytest.raises(kind, match=rf"^one\.json can't be written: {words}") as caught:
            committed.write({A.id: edited(A, url="https://new")})
    assert "nothing is lost" in getattr(caught.value, "hint", "")
    assert committed.bytes() == before
    assert not committed.scan().changes

    committed.replace = os.replace
    committed.write({A.id: edited(A, url="https://new")})
    assert committed.here("one.json")["req_a"].body["url"] == "https://new"


def test_a_full_disk_is_found_before_any_file_changes(
    committed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = committed.bytes()
    count = 0
    chmod = os.chmod

    def full_at_the_second(*arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise OSError(errno.ENOSPC, "no space")
        chmod(*arguments)

    committed.scan()
    monkeypatch.setattr(os, "chmod", full_at_the_second)
    changed = edited(workspace("wrk_2"), description="new")
    with pytest.raises(DiskFull, match=r"sub/two\.json"):
        committed.write({A.id: edited(A, url="https://new"), changed.id: changed})

    assert committed.bytes() == before


def test_contents_are_flushed_before_they_are_put_in_place(
    committed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda number: order.append(Path(f"/proc/self/fd/{number}").readlink().suffix)
    )

    def replace(source: str, target: str) -> None:
        order.append("rename")
        Path(source).replace(target)

    committed.scan()
    committed.replace = replace
    changed = edited(workspace("wrk_2"), description="new")
    committed.write({A.id: edited(A, url="https://new"), changed.id: changed})

    assert order == [".tmp", ".tmp", "rename", "rename", "", ""], "folders come last"


def test_a_file_that_may_not_be_read(guarded: Project) -> None:
    guarded.put("one.json", W, edited(A, url="https://new"))
    guarded.path("one.json").chmod(0)
    try:
        with pytest.raises(InvalidInput, match=r"^one\.json can't be read: permission denied"):
            guarded.scan()
    finally:
        guarded.path("one.json").chmod(0o600)


def test_a_folder_that_may_not_be_listed_is_no_deletion(guarded: Project) -> None:
    guarded.path("sub").chmod(0)
    try:
        with pytest.raises(InvalidInput, match=r"^sub can't be read: permission denied"):
            guarded.scan()
    finally:
        guarded.path("sub").chmod(0o700)
    assert not guarded.scan().changes


def test_what_may_not_be_read_and_is_not_tracked_is_left_out(guarded: Project) -> None:
    guarded.path("other").mkdir()
    guarded.put("mine.json", workspace("wrk_3"))
    closed = [guarded.path("other"), guarded.path("mine.json")]
    for path in closed:
        path.chmod(0)
    try:
        scan = guarded.scan()
        assert not scan.changes
        assert len(scan.warnings) == 2
        assert scan.ignored == ("mine.json",)

        guarded.path("one.json").unlink()
        with pytest.raises(InvalidInput, match=r"^mine\.json can't be read"):
            guarded.scan()  # it may hold what is missing
    finally:
        for path in closed:
            path.chmod(0o700)


def test_a_folder_that_may_not_be_written(guarded: Project) -> None:
    guarded.scan()
    guarded.path("sub").chmod(0o500)
    changed = edited(workspace("wrk_2"), description="new")
    try:
        with pytest.raises(DiskFull, match=r"^sub/two\.json can't be written: permission denied"):
            guarded.write({changed.id: changed})
    finally:
        guarded.path("sub").chmod(0o700)


def test_a_tracked_file_that_is_a_folder_now(committed: Project) -> None:
    committed.path("one.json").unlink()
    committed.path("one.json").mkdir()

    with pytest.raises(InvalidInput, match=r"^one\.json is not a plain file"):
        committed.scan()


def test_a_folder_with_a_files_name_is_walked(project: Project) -> None:
    project.put("folder.yaml/one.json", W, A)

    assert ids(project.scan().changes) == {"wrk_1", "req_a"}


def test_a_folder_in_the_place_of_a_new_file(committed: Project) -> None:
    earlier = committed.state()
    committed.put("three.json", workspace("wrk_3"))
    target = committed.commit()
    committed.check_out(earlier)
    committed.path("three.json").mkdir()

    with pytest.raises(InvalidInput, match=r"^three\.json is not a plain file"):
        committed.check_out(target)


def test_a_file_in_the_place_of_a_new_folder(committed: Project) -> None:
    earlier = committed.state()
    committed.put("deep/three.json", workspace("wrk_3"))
    target = committed.commit()
    committed.check_out(earlier)
    committed.path("deep").write_text("mine")

    with pytest.raises(StateConflict, match="a file or folder is in its place"):
        committed.check_out(target)
    assert committed.path("deep").read_text() == "mine"


def test_a_tracked_file_that_is_a_link_now(committed: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    committed.path("one.json").rename(outside)
    committed.path("one.json").symlink_to(outside)

    with pytest.raises(InvalidInput, match=r"^one\.json is not a plain file"):
        committed.scan()


def test_a_tracked_folder_that_is_a_link_now(committed: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    committed.path("sub").rename(outside)
    committed.path("sub").symlink_to(outside)
    changed = edited(workspace("wrk_2"), description="new")
    before = (outside / "two.json").read_bytes()

    with pytest.raises(InvalidInput, match=r"^sub/two\.json is not a plain file"):
        committed.scan()
    with pytest.raises(InvalidInput, match=r"^sub/two\.json is not a plain file"):
        committed.write({changed.id: changed})

    assert (outside / "two.json").read_bytes() == before


def test_nothing_new_is_written_through_a_link(committed: Project, tmp_path: Path) -> None:
    earlier = committed.state()
    committed.put("deep/three.json", workspace("wrk_3"))
    target = committed.commit()
    committed.check_out(earlier)
    outside = tmp_path / "outside"
    outside.mkdir()
    committed.path("deep").symlink_to(outside)

    with pytest.raises(InvalidInput, match=r"^deep/three\.json is not a plain file"):
        committed.check_out(target)

    assert not list(outside.iterdir())


def test_links_that_are_not_tracked_are_left_out(committed: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other")
    other.put("secret.json", workspace("wrk_secret"))
    other.close()
    committed.path("secret.json").symlink_to(tmp_path / "other" / "secret.json")
    committed.path("dangling.yaml").symlink_to("nowhere")
    committed.path("elsewhere").symlink_to(tmp_path / "other")
    committed.path("circle").symlink_to(".")

    scan = committed.scan()

    assert not scan.changes
    assert scan.ignored == ("dangling.yaml", "secret.json")
    assert len(scan.warnings) == 2


def test_a_pipe_does_not_stop_the_scan(committed: Project) -> None:
    os.mkfifo(committed.path("pipe.json"))
    assert not committed.scan().changes

    committed.path("one.json").unlink()
    os.mkfifo(committed.path("one.json"))
    with pytest.raises(InvalidInput, match=r"^one\.json is not a plain file"):
        committed.scan()


def test_a_file_over_the_limit(project: Project) -> None:
    project.put("one.json", W, A)
    project.commit()
    with project.path("one.json").open("r+b") as file:
        file.truncate(100 * 2**20 + 1)  # a hole, which takes no room
    with project.path("foreign.json").open("wb") as file:
        file.truncate(100 * 2**20 + 1)

    with pytest.raises(InvalidInput, match=r"^one\.json has 104857601 bytes, at most \d+ are read"):
        project.scan()
    project.put("one.json", W, A)
    scan = project.scan()
    assert scan.ignored == ("foreign.json",)
    assert len(scan.warnings) == 1


def test_the_limit_is_an_option(project: Project) -> None:
    project.put("one.json", W, A)
    index = SqliteFileIndex(project.connection)
    small = WorkingCopy(project.root, index, cid_of, Options(limits=Limits(file_bytes=10)))

    scan = small.scan()

    assert scan.ignored == ("one.json",)


def test_a_file_that_vanishes_during_the_scan(
    committed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed.put("one.json", W, edited(A, url="https://new"))
    read = Disk.read

    def vanish(disk: Disk, name: str, limit: int) -> Any:
        if name == "one.json":
            committed.path(name).unlink(missing_ok=True)
        return read(disk, name, limit)

    monkeypatch.setattr(Disk, "read", vanish)

    scan = committed.scan()
    assert ids(scan.changes) == {"wrk_1", "req_a"}
    assert set(scan.changes.values()) == {None}


def test_a_file_that_is_renamed_during_the_scan_is_found_again(
    committed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = edited(A, url="https://new")
    committed.put("one.json", W, new)
    read = Disk.read

    def rename_first(disk: Disk, name: str, limit: int) -> Any:
        if name == "one.json":
            committed.path(name).rename(committed.path("renamed.json"))
        return read(disk, name, limit)

    monkeypatch.setattr(Disk, "read", rename_first)

    scan = committed.scan()
    assert {name: scan.changes[name] for name in scan.changes if name == A.id} == {A.id: new}


def test_files_that_never_hold_still(committed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(range(1000))
    read = Disk.read
    committed.put("a0.json", workspace("wrk_9"))

    def rename_first(disk: Disk, name: str, limit: int) -> Any:
        committed.path(name).rename(committed.path(f"b{next(names)}.json"))
        return read(disk, name, limit)

    monkeypatch.setattr(Disk, "read", rename_first)

    with pytest.raises(StateConflict, match="keep coming and going"):
        committed.scan()


def test_a_file_that_grows_while_it_is_read_is_read_again(
    committed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = edited(A, url="https://new")
    text = committed.path("one.json").read_bytes()
    committed.put("one.json", W, new)
    whole = committed.path("one.json").read_bytes()
    committed.path("one.json").write_bytes(text[:50])
    fstat = os.fstat

    def finish_meanwhile(number: int) -> os.stat_result:
        found = fstat(number)
        if found.st_size == 50:
            committed.path("one.json").write_bytes(whole)
        return found

    monkeypatch.setattr(os, "fstat", finish_meanwhile)

    assert committed.scan().changes == {A.id: new}


def test_a_root_that_is_gone(project: Project, tmp_path: Path) -> None:
    index = SqliteFileIndex(project.connection)
    files = WorkingCopy(tmp_path / "nowhere", index, cid_of)

    with pytest.raises(StorageFault, match="nowhere can't be read"):
        files.scan()


def test_names_of_every_kind(project: Project) -> None:
    names = [
        "ä.json",
        "日本語.yaml",
        "🚀 rocket.json",
        "a'b\"c.json",
        "%41.json",
        "-rf.yml",
        " .json",
    ]
    for number, name in enumerate(names):
        project.put(name, workspace(f"wrk_{number}"), request(f"req_{number}", f"wrk_{number}"))

    project.commit()

    assert not project.scan().changes
    assert {project.files.path_of(request(f"req_{n}").id) for n in range(len(names))} == {*names}


def test_names_that_cannot_be_shared_are_left_out(project: Project) -> None:
    names = [b"line\nfeed.json", b"tab\t.yaml", b"latin-\xe4.json", b"back\\slash.json"]
    for name in names:
        path = os.fsencode(project.root) + b"/" + name
        Path(os.fsdecode(path)).write_text('{"__export_format": 4, "resources": []}')

    scan = project.scan()

    assert not scan.changes
    assert len(scan.ignored) == len(scan.warnings) == len(names)
    assert all(text.isprintable() and text.isascii() for text in (*scan.ignored, *scan.warnings))


def test_a_name_in_decomposed_form_is_the_composed_one(project: Project) -> None:
    decomposed, composed = "cafe\u0301.json", "caf\u00e9.json"
    project.put(decomposed, W, A)

    project.commit()
    assert project.files.path_of(A.id) == composed
    assert not project.scan().changes
    project.check_out({**project.state(), A.id: edited(A, url="https://new")})

    assert project.names() == [decomposed], "the file keeps its name on this disk"
    assert project.here(decomposed)["req_a"].body["url"] == "https://new"
    project.check_out({})
    assert project.names() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("API.json", "api.json"),
        ("sub/a.yaml", "Sub/A.yaml"),
        ("stra\u00dfe.json", "STRASSE.json"),
        ("cafe\u0301.json", "caf\u00e9.json"),
        ("CAFE\u0301.json", "caf\u00e9.json"),
    ],
)
def test_two_names_that_are_one_on_other_disks(project: Project, one: str, other: str) -> None:
    project.put(one, W)
    project.put(other, workspace("wrk_2"))

    with pytest.raises(InvalidInput, match="are one file on some disks"):
        project.scan()
    project.path(one).unlink()
    project.scan()


def test_foreign_files_may_have_such_names(project: Project) -> None:
    for name in ("API.json", "api.json"):
        project.path(name).write_text("{}")

    assert project.scan().ignored == ("API.json", "api.json")


def test_a_read_only_folder_can_be_scanned(
    committed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "read-only")
        return opened(path, flags, mode)

    committed.put("one.json", W, edited(A, url="https://new"))
    monkeypatch.setattr(os, "open", refuse)

    assert ids(committed.scan().changes) == {"req_a"}
    with pytest.raises(DiskFull, match="read-only"):
        committed.write({A.id: A})


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EIO, StorageFault), (errno.EACCES, InvalidInput), (errno.ELOOP, InvalidInput)],
)
def test_a_disk_that_cannot_be_read(
    committed: Project, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    committed.put("one.json", W, edited(A, url="https://new"))
    opened = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("one.json"):
            raise OSError(number, os.strerror(number))
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(kind, match=r"^one\.json "):
        committed.scan()


def test_a_name_that_is_too_long_for_the_disk(project: Project) -> None:
    path = f"{'x' * 300}.json"
    container: dict[str, Json] = {"container": {"__export_format": 4}}
    made = make_record(path, V4Json.name, [W], container)

    with pytest.raises(InvalidInput, match="name is too long"):
        project.check_out({W.id: W, made.id: made})

    assert project.names() == []


def test_a_document_without_a_content_id_is_named(project: Project) -> None:
    def refuse(document: Document) -> Cid:
        raise InvalidInput(f"no id for {document.type}", hint="try another")

    project.put("one.json", W)
    files = WorkingCopy(project.root, SqliteFileIndex(project.connection), refuse)

    with pytest.raises(FormatError, match=r"^one\.json: .*no id for") as caught:
        files.scan()
    assert caught.value.hint == "try another"
