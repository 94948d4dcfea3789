"""The command that makes a key for licenses, and licenses."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sopor_core import canonical
from sopor_core.encoding import b64decode
from sopor_core.ids import OrgId
from sopor_core.license import License
from sopor_core.signing import VerifyKey

ORG = OrgId(bytes(range(32)))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sopor_server", "license", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def issue(key: Path, *more: str, org: str = ORG.hex()) -> subprocess.CompletedProcess[str]:
    limits = ("--plan", "team", "--seats", "20", "--projects", "0", "--bytes", "1000")
    return run("issue", "--key", key, "--org", org, *limits, *more)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VerifyKey]:
    path = tmp_path_factory.mktemp("licenses") / "license.pem"
    ran = run("new-key", path)
    assert (ran.returncode, ran.stderr) == (0, "")
    name, _, public = ran.stdout.rstrip("\n").partition("=")
    assert name == "SOPOR_LICENSE_KEY"
    return path, VerifyKey(b64decode(public))


def test_the_private_key_is_for_its_owner_alone(made: tuple[Path, VerifyKey]) -> None:
    path, _ = made
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    ran = run("new-key", path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "exists" in ran.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("org", [ORG.hex(), ORG.b64])
def test_a_license_verifies_by_the_public_key(made: tuple[Path, VerifyKey], org: str) -> None:
    path, public = made
    ran = issue(path, "--expires", "2027-12-31", org=org)
    assert (ran.returncode, ran.stderr) == (0, "")
    (line,) = ran.stdout.splitlines()
    found = License.from_json(canonical.decode(line.encode()))
    found.verify_signature(public)
    assert (found.org, found.plan) == (ORG, "team")
    assert (found.seats, found.projects, found.storage) == (20, 0, 1000)
    assert found.expires == datetime(2028, 1, 1, tzinfo=UTC).timestamp() * 1000
    secret = path.read_text().splitlines()[1]
    assert secret not in ran.stdout + ran.stderr


def test_a_license_may_last_for_ever(made: tuple[Path, VerifyKey]) -> None:
    found = License.from_json(canonical.parse_json(issue(made[0]).stdout.encode()))
    assert found.expires is None


def test_a_key_that_others_can_read_signs_nothing(
    made: tuple[Path, VerifyKey], tmp_path: Path
) -> None:
    path = tmp_path / "open.pem"
    path.write_bytes(made[0].read_bytes())
    path.chmod(0o640)
    ran = issue(path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "chmod 600" in ran.stderr


@pytest.mark.parametrize("content", [b"", b"no key", b"\x00" * 100])
def test_what_is_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    ran = issue(path)
    assert ran.returncode == 2
    assert "holds no key" in ran.stderr
    assert issue(tmp_path / "missing").returncode == 2


@pytest.mark.parametrize(
    "odd",
    [
        ("--expires", "tomorrow"),
        ("--expires", "9999-12-31"),
        ("--seats", "-1"),
        ("--seats", "some"),
        ("--bytes", "1e9"),
        ("--plan", ""),
        ("--plan", "x" * 65),
        ("--plan", "a\nb"),
        ("--org", "abc"),
    ],
)
def test_odd_arguments_are_refused(made: tuple[Path, VerifyKey], odd: tuple[str, str]) -> None:
    ran = issue(made[0], *odd)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert odd[0] in ran.stderr
