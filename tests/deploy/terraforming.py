"""Runs Terraform on copies of `infra/terraform`, where it can be had.

    SOPOR_TERRAFORM_OFFLINE  a program that is called with a module's folder and the arguments for
                             Terraform, and knows the Google provider without asking its registry

Where it is not set, one is looked for beside the repository; else `terraform` itself is used and
asks the registry. Without any of them these tests are skipped, in automatic runs they fail.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "infra" / "terraform"
BUILD_SOURCE = MODULE / "scripts" / "build_source.py"
_BESIDE = ROOT.parent / "shared" / "tools" / "terraform-offline" / "terraform-offline"
_LEFT_OUT = shutil.ignore_patterns(".terraform*", "build", "*.tfstate*")


@dataclass(frozen=True)
class Ran:
    """What a run of Terraform printed, and its exit code."""

    code: int
    output: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a run with -json."""
        lines = (line for line in self.output.splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    @property
    def errors(self) -> list[str]:
        """The details of all errors of a run with -json."""
        found = [message["diagnostic"] for message in self.messages if "diagnostic" in message]
        return [
            " ".join(f"{error['summary']}: {error['detail']}".split())
            for error in found
            if error["severity"] == "error"
        ]


@dataclass(frozen=True)
class Terraform:
    """A copy of the module that Terraform may write into."""

    folder: Path
    program: str
    offline: bool

    def run(self, *arguments: str) -> Ran:
        """Runs one command in the copy."""
        environment = {**os.environ, "TF_OFFLINE_IN_PLACE": "1", "TF_IN_AUTOMATION": "1"}
        if self.offline:
            return _run([self.program, str(self.folder), *arguments], environment)
        at = f"-chdir={self.folder}"
        ready = _run([self.program, at, "init", "-backend=false", "-input=false"], environment)
        return ready if ready.code else _run([self.program, at, *arguments], environment)


def copied(folder: Path) -> Path:
    """Copies the module, with an archive to deploy, so that the checkout stays as it is."""
    module = Path(shutil.copytree(MODULE, folder / "module", ignore=_LEFT_OUT))
    archive = module / "build" / "functions.zip"
    subprocess.run([sys.executable, BUILD_SOURCE, archive], check=True, capture_output=True)
    return module


def terraform(folder: Path) -> Terraform:
    """Returns Terraform for a folder that passes its `validate`, or skips the test."""
    ready = _found(folder)
    with _alone():
        checked = ready.run("validate", "-json")
    assert checked.code == 0, checked.output
    return ready


def need_terraform() -> str:
    """Returns the path of Terraform itself, or skips the test."""
    found = shutil.which("terraform")
    return found if found is not None else _unavailable("there is no terraform on this machine")


def _found(folder: Path) -> Terraform:
    path = need_terraform()
    if named := os.environ.get("SOPOR_TERRAFORM_OFFLINE"):
        assert Path(named).is_file(), f"SOPOR_TERRAFORM_OFFLINE names no file: {named}"
        return Terraform(folder, named, offline=True)
    if _BESIDE.is_file():
        return Terraform(folder, str(_BESIDE), offline=True)
    return Terraform(folder, path, offline=False)


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and automatic runs need it")
    pytest.skip(f"{reason}; install Terraform 1.11 or newer to run this test")


@contextmanager
def _alone() -> Iterator[None]:
    """Lets one process at a time make ready what the others then find."""
    with (Path(tempfile.gettempdir()) / f"sopor-terraform-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], environment: dict[str, str]) -> Ran:
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout)
