"""Checkov finds nothing in the Terraform module, and what it is told to skip is explained.

`make check-terraform` installs Checkov beside the other tools; without it the scan is skipped, in
automatic runs it fails.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.terraforming import MODULE, ROOT

_CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
_SKIP = re.compile(r"checkov:skip=(\w+)(?::(.*))?")


def test_checkov_finds_nothing(tmp_path: Path) -> None:
    if not _CHECKOV.is_file():
        reason = "Checkov is not installed; `make check-terraform` installs it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    scan = [str(_CHECKOV), "--directory", str(MODULE), "--framework", "terraform"]
    done = subprocess.run(
        [*scan, "--skip-download", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    results = json.loads(done.stdout)
    assert results["results"]["parsing_errors"] == []
    failed = [
        (found["check_id"], found["check_name"], found["resource"])
        for found in results["results"]["failed_checks"]
    ]
    assert failed == []
    assert done.returncode == 0
    assert results["summary"]["passed"] > 20
    used = {found["check_id"] for found in results["results"]["skipped_checks"]}
    assert used == {rule for rule, _ in skips()}, "a skip that nothing needs hides what comes later"


def test_every_skip_is_explained() -> None:
    unexplained = [(rule, reason) for rule, reason in skips() if len(reason) < 40]

    assert unexplained == []
    assert skips()


def skips() -> list[tuple[str, str]]:
    """Returns the rules that the sources skip, with their reasons."""
    return [
        (rule, reason)
        for path in sorted(MODULE.rglob("*.tf"))
        for rule, reason in _SKIP.findall(path.read_text(encoding="utf-8"))
    ]
