"""The pinned requirement files hold what pyproject.toml asks for."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
DEVELOPMENT = ROOT / "requirements.txt"
FUNCTIONS = ROOT / "functions" / "requirements.txt"
BENCH = ROOT / "tests" / "bench" / "requirements.txt"

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
NAMED = {
    DEVELOPMENT: [
        *PROJECT["dependencies"],
        *EXTRAS["server"],
        *EXTRAS["google"],
        *EXTRAS["keychain"],
        *EXTRAS["watch"],
        *EXTRAS["dev"],
    ],
    FUNCTIONS: [*EXTRAS["server"], *EXTRAS["google"]],
    BENCH: EXTRAS["bench"],
}


def entries(path: Path) -> Iterator[str]:
    """Yields the requirements of a file, each on one line with its options."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line


def pins(path: Path) -> dict[str, Version]:
    """Returns the exact version that a file pins for each normalized name."""
    found: dict[str, Version] = {}
    for entry in entries(path):
        requirement = Requirement(entry.split("--hash")[0])
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", entry
        found[canonicalize_name(requirement.name)] = Version(specifier.version)
    return found


def test_every_extra_is_pinned_in_one_of_the_files() -> None:
    listed = {text for texts in NAMED.values() for text in texts}
    asked = {*PROJECT["dependencies"], *(text for extra in EXTRAS.values() for text in extra)}
    assert asked == listed


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(path, text, id=f"{path.relative_to(ROOT)}: {text}")
        for path, texts in NAMED.items()
        for text in sorted(set(texts))
    ],
)
def test_dependency_is_pinned_inside_its_range(path: Path, text: str) -> None:
    requirement = Requirement(text)
    pinned = pins(path).get(canonicalize_name(requirement.name))
    assert pinned is not None, f"{requirement.name} is not in {path.name}; run `make requirements`"
    assert pinned in requirement.specifier, f"{text} excludes {pinned}; run `make requirements`"


def test_both_files_pin_the_same_versions() -> None:
    development, functions = pins(DEVELOPMENT), pins(FUNCTIONS)
    shared = development.keys() & functions.keys()
    assert {"cryptography", "pydantic", "functions-framework"} <= shared
    assert {name: development[name] for name in shared} == {
        name: functions[name] for name in shared
    }


@pytest.mark.parametrize("path", [DEVELOPMENT, FUNCTIONS], ids=["development", "functions"])
def test_every_pin_carries_hashes_and_no_address(path: Path) -> None:
    for entry in entries(path):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def extras(path: Path) -> dict[str, set[str]]:
    """Returns the extras that a file pins for each normalized name."""
    requirements = (Requirement(entry.split("--hash")[0]) for entry in entries(path))
    return {canonicalize_name(each.name): each.extras for each in requirements}


@pytest.mark.parametrize("path", [DEVELOPMENT, FUNCTIONS], ids=["development", "functions"])
def test_a_pin_names_the_extras_that_others_ask_for(path: Path) -> None:
    # Without them pip looks for a newer release that has no hash, once there is one.
    pinned = extras(path)
    for name in pinned:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # pinned for another system
            continue
        for need in map(Requirement, needs):
            if need.extras and (need.marker is None or need.marker.evaluate({"extra": ""})):
                assert need.extras <= pinned[canonicalize_name(need.name)], f"{need} for {name}"


def test_what_pip_resolves_is_pinned_without_extras_as_well() -> None:
    requirements = [Requirement(entry.split("--hash")[0]) for entry in entries(FUNCTIONS)]
    plain = {each.name for each in requirements if not each.extras}
    assert {each.name for each in requirements if each.extras} >= {"google-api-core", "google-auth"}
    assert {each.name for each in requirements} == plain


def test_deployment_gets_nothing_of_the_client() -> None:
    client_only = {"zstandard", "pyyaml", "merge3", "platformdirs", "keyring", "pytest", "mypy"}
    assert not client_only & pins(FUNCTIONS).keys()
