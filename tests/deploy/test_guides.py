"""The guides name commands, options and targets that there are."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.deploy.terraforming import MODULE, ROOT

GUIDES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (MODULE / "README.md", ROOT / "docs" / "self-hosting.md")
}
TEXT = "\n".join(GUIDES.values())


def commands() -> dict[str, set[str]]:
    """Returns the commands of `sopor` that the guides show, with their options."""
    found: dict[str, set[str]] = {}
    for line in re.findall(r"(?m)^ +(sopor .+)$", TEXT):
        words = shlex.split(line)
        while words[1].startswith("-"):
            del words[1:3]
        options = {word for word in words[2:] if word.startswith("-")}
        found.setdefault(words[1], set()).update(options)
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_a_command_and_its_options_exist(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sopor", name, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {option for option in commands()[name] if option not in done.stdout} == set()


def test_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    named = set(re.findall(r"(?m)(?:^ +|`)make ([a-z-]+)", TEXT))

    assert named >= {"deploy", "check-terraform"}
    assert named <= targets


def test_files_that_are_linked_or_installed_exist() -> None:
    for name, text in GUIDES.items():
        folder = MODULE if name == "README.md" else ROOT / "docs"
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (folder / target).exists(), target
    for path in re.findall(r"\binfra/[\w./-]+\w", TEXT):
        assert (ROOT / path).exists() or path.endswith("build/functions.zip"), path


def test_deploying_builds_then_initializes_then_applies() -> None:
    printed = subprocess.run(
        ["make", "--dry-run", "--assume-old", "setup", "deploy", "PROJECT=my-project"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = [line.strip() for line in printed.splitlines() if "infra/terraform" in line]

    assert "scripts/build_source.py" in steps[0]
    assert steps[1].endswith("init -input=false")
    assert steps[2].endswith("apply -var project_id=my-project")
    assert "-chdir=infra/terraform/examples/minimal" in steps[2]
