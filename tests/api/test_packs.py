"""Single packs over HTTP: ranges (RFC 9110, section 14) and names."""

from __future__ import annotations

import pytest

from sopor_core.ids import PackId
from sopor_core.limits import MAX_PACK_BYTES
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.support.story import Person, Project, pack_id

PACK = b"0123456789"
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def project(alice: Person) -> Project:
    project = alice.new_project()
    alice.push(project, packs=[PACK])
    return project


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        (None, 200, PACK, None),
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-4", 206, b"4", "bytes 4-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, PACK, "bytes 0-9/10"),
        ("bytes=0-0,5-6", 200, PACK, None),
        ("lines=1-2", 200, PACK, None),
        ("bytes=5-2", 200, PACK, None),
        ("nonsense", 200, PACK, None),
        ("bytes=" + "9" * 5000 + "-", 200, PACK, None),
    ],
)
def test_ranges(
    alice: Person, project: Project, asked: str | None, status: int, content: bytes, told: str
) -> None:
    names = {"project": project.id.b64, "pack": pack_id(PACK).b64}
    headers = {"Range": asked} if asked else {}
    answer = alice.send(Operation.PACK_GET, names, headers=headers)
    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers.get("Content-Range") == told
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-12", "bytes=99-100", "bytes=-0"])
def test_a_range_outside_is_told_with_the_size(alice: Person, project: Project, asked: str) -> None:
    names = {"project": project.id.b64, "pack": pack_id(PACK).b64}
    answer = alice.send(Operation.PACK_GET, names, headers={"Range": asked})
    problem(answer, 416, "range-not-satisfiable")
    assert answer.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "%2e%2e",
        "..%2f..%2f..%2fserver.json",
        "%2fetc%2fpasswd",
        "A" * 42,
        "A" * 44,
        "A" * 42 + "=",
        "A" * 42 + "B",
        "%00" * 32,
        "%ff",
        "a" * 3000,
    ],
)
def test_what_is_no_pack_id_is_not_found(alice: Person, project: Project, name: str) -> None:
    path = f"{alice.url}/v1/projects/{project.id.b64}/packs/{name}"
    headers = {"Authorization": f"Bearer {alice.session['access_token']}"}
    answer = alice.http.get(path, headers=headers, timeout=60)
    assert answer.status_code in (404, 414)
    assert b"secret" not in answer.content


def test_a_pack_has_its_id(alice: Person, project: Project) -> None:
    for data, pack in (
        (b"other bytes", PackId.random()),
        (b"", pack_id(b"")),
    ):
        names = {"project": project.id.b64, "pack": pack.b64}
        answer = alice.send(Operation.PACK_PUT, names, data=data, headers=OCTETS)
        problem(answer, 422, "pack-mismatch")
        problem(alice.send(Operation.PACK_GET, names), 404, "not-found")


def test_the_largest_pack_is_taken_and_no_larger(alice: Person, project: Project) -> None:
    largest = bytes(MAX_PACK_BYTES)
    names = {"project": project.id.b64, "pack": pack_id(largest).b64}
    answer = alice.send(Operation.PACK_PUT, names, data=largest, headers=OCTETS)
    assert answer.status_code == 201
    answer = alice.send(Operation.PACK_GET, names, headers={"Range": "bytes=-3"})
    assert answer.content == bytes(3)


def test_a_pack_of_another_project_is_not_found(alice: Person, project: Project) -> None:
    other = alice.new_project()
    names = {"project": other.id.b64, "pack": pack_id(PACK).b64}
    problem(alice.send(Operation.PACK_GET, names), 404, "not-found")
