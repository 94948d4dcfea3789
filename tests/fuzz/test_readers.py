"""Readers refuse or read whatever they are given: what was found before, and some seconds' worth.

`make fuzz` goes on for longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.targets import FOUND, TARGETS, seeds

RUNS = 12_000
HARNESS = Path(__file__).with_name("harness.py")


def fuzz(corpus: Path, found: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the harness to its end; skips the test where the engine has no build."""
    if not find_spec("atheris") and not os.environ.get("CI"):
        pytest.skip("Atheris has no build for this system; Linux on x86-64 has, up to Python 3.13")
    seed = ["-seed=1"] if os.environ.get("CI") else []
    return subprocess.run(
        # A limit of a minute for one input finds what hangs; the slowest takes milliseconds.
        [sys.executable, HARNESS, corpus, found, "-timeout=60", *seed, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
    )


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before_is_refused_or_read(name: str) -> None:
    tried = [TARGETS[name].run(data) for data in seeds(name)]
    assert tried
    assert any(taken is not False for taken in tried), "it refuses all that it begins with"


def test_a_folder_of_found_input_belongs_to_a_target() -> None:
    assert {path.name for path in FOUND.glob("*/")} <= TARGETS.keys()


def test_mutated_files_are_refused_or_read(tmp_path: Path) -> None:
    found = tmp_path / "found"
    done = fuzz(tmp_path / "corpus", found, f"-runs={RUNS}")
    assert done.returncode == 0, (
        f"{done.stderr[-3000:]}\nput what is in {found} into {FOUND}, and mend the reader"
    )
    assert f"Done {RUNS} runs" in done.stderr
    assert len(list((tmp_path / "corpus").iterdir())) > 2 * len(TARGETS), "nothing new was reached"
    assert not found.exists()
