"""The archive that is deployed: what is in it, and that nothing of it can decrypt.

It is also the same every time, and it serves where nothing of the client is to be found.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest

from tests.deploy.terraforming import BUILD_SOURCE, ROOT

# What decrypts, derives a content key, or belongs to the client. `requests` comes with Google's
# libraries, but nothing of ours may call out with it.
FORBIDDEN = (
    "cryptography.fernet",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.asymmetric.x25519",
    "cryptography.hazmat.primitives.ciphers",
    "cryptography.hazmat.primitives.hpke",
    "cryptography.hazmat.primitives.kdf",
    "click",
    "keyring",
    "nacl",
    "requests",
    "sopor",
    "yaml",
    "zstandard",
)

# Serves the archive in a process that sees nothing of this checkout: `-I -S` leave out the user's
# packages and those installed as links, of which the client is one.
SERVE = """
import sys
archive, packages, data, statements = sys.argv[1:]
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + [archive, packages]
import importlib.util, json, os
os.environ["SOPOR_DATA"] = data
os.environ["SOPOR_LOG"] = "off"
from functions_framework import create_app
client = create_app("api", archive + "/main.py").test_client()
answers = [client.get(path) for path in ("/v1/health", "/v1/meta", "/v1/projects")]
import main
lines = json.loads(statements)
for line in lines:
    exec(line)
print(json.dumps({
    "imported": len(lines),
    "status": [answer.status_code for answer in answers],
    "server": answers[1].get_json()["server"],
    "from": sorted({module.__file__.split("/sopor_")[0] for name, module in sys.modules.items()
                    if name.startswith("sopor_") and module.__file__}),
    "entries": main.__all__,
    "client": importlib.util.find_spec("sopor") is not None,
    "loaded": sorted(set(sys.modules) & {"sopor", "zstandard", "yaml", "click_option_group"}),
}))
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the present sources."""
    return build(tmp_path_factory.mktemp("archive") / "functions.zip")


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Cloud Build sees."""
    folder = tmp_path_factory.mktemp("unpacked")
    with ZipFile(archive) as file:
        file.extractall(folder)
    return folder


def test_it_holds_the_server_and_nothing_else(archive: Path) -> None:
    with ZipFile(archive) as file:
        names = file.namelist()

    packages = {
        path.relative_to(ROOT / source).as_posix()
        for source, package in (("functions", "sopor_server"), ("shared", "sopor_core"))
        for path in (ROOT / source / package).rglob("*.py")
    }
    assert names == sorted({"main.py", "requirements.txt"} | packages)
    assert {name.split("/")[0] for name in names} == {
        "main.py",
        "requirements.txt",
        "sopor_core",
        "sopor_server",
    }


def test_it_holds_what_git_knows(archive: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout; what belongs to the sources cannot be told")
    folders = ("functions", "shared/sopor_core")
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        [*command, *folders], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    known = {name.removeprefix("functions/").removeprefix("shared/") for name in listed}
    with ZipFile(archive) as file:
        assert set(file.namelist()) <= known
        assert {name for name in known if name.endswith(".py")} <= set(file.namelist())


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, archive: Path) -> None:
    again = shutil.copytree(
        ROOT,
        tmp_path / "elsewhere",
        ignore=lambda folder, names: [] if _deployed(Path(folder)) else _others(names),
    )
    script = again / BUILD_SOURCE.relative_to(ROOT)
    script.parent.mkdir(parents=True)
    shutil.copy(BUILD_SOURCE, script)
    for path in again.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)

    other = build(tmp_path / "other.zip", script)

    assert other.read_bytes() == archive.read_bytes()


def test_nothing_in_it_tells_where_or_when_it_was_built(archive: Path) -> None:
    with ZipFile(archive) as file:
        infos = file.infolist()

    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert {info.compress_type for info in infos} == {ZIP_STORED}
    assert {(info.create_system, info.extra, info.comment) for info in infos} == {(3, b"", b"")}


def test_the_script_prints_the_hash_that_terraform_takes(tmp_path: Path) -> None:
    path = tmp_path / "functions.zip"
    done = subprocess.run(
        [sys.executable, BUILD_SOURCE, path], capture_output=True, text=True, check=True
    )

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert done.stdout == f"{digest}  {path}\n"


def test_a_file_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "infra" / "terraform" / "scripts" / "build_source.py"
    script.parent.mkdir(parents=True)
    shutil.copy(BUILD_SOURCE, script)
    for name in ("functions/sopor_server/secret.pem", "shared/sopor_core/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "secret.pem is neither Python nor py.typed" in done.stderr
    assert not (tmp_path / "infra" / "terraform" / "build" / "functions.zip").exists()


def test_nothing_in_it_can_decrypt(unpacked: Path) -> None:
    imported = {
        (name, path.relative_to(unpacked).as_posix())
        for path in unpacked.rglob("*.py")
        for name in imports(path)
    }

    assert {name for name, _ in imported} > {"sopor_core.signing", "hashlib"}, "nothing was read"
    decrypting = {
        (name, path)
        for name, path in imported
        if any(f"{name}.".startswith(f"{forbidden}.") for forbidden in FORBIDDEN)
    }
    assert decrypting == set()


def test_it_serves_where_the_client_is_not(unpacked: Path, tmp_path: Path) -> None:
    told = serve(sys.executable, sysconfig.get_path("purelib"), unpacked, tmp_path / "data")

    assert told["status"] == [200, 200, 401]
    assert told["from"] == [str(unpacked)]
    assert "api" in told["entries"]
    assert not told["client"]
    assert told["loaded"] == []
    assert told["imported"] > 10


@pytest.mark.skipif(
    not os.environ.get("SOPOR_CLEAN_ENVIRONMENT"),
    reason="installs functions/requirements.txt, some minutes; SOPOR_CLEAN_ENVIRONMENT=1 does it",
)
def test_it_serves_with_its_own_requirements_alone(unpacked: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", "--require-hashes"]
    subprocess.run([*install, "-r", str(unpacked / "requirements.txt")], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", where], text=True).strip()

    told = serve(python, packages, unpacked, tmp_path / "data")

    assert told["status"] == [200, 200, 401]
    assert not told["client"]
    assert told["imported"] > 10
    installed = {path.name for path in Path(packages).iterdir()}
    assert installed.isdisjoint({"sopor", "zstandard", "click_option_group", "keyring"})


def build(archive: Path, script: Path = BUILD_SOURCE) -> Path:
    """Runs the script that builds the archive."""
    subprocess.run([sys.executable, script, archive], check=True, capture_output=True)
    return archive


def serve(python: str, packages: str, unpacked: Path, data: Path) -> dict[str, Any]:
    """Serves three requests from an unpacked archive in a process of its own.

    What is imported only with Google's storages is imported there as well.
    """
    lazily = json.dumps(imports_of_googles(unpacked))
    command = [python, "-I", "-S", "-B", "-c", SERVE, str(unpacked), packages, str(data), lazily]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=unpacked)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def imports(path: Path) -> Iterator[str]:
    """Yields the dotted names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports would escape this test"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            assert name not in {"__import__", "exec", "eval"}, f"{path}: {name}"
            assert name != "import_module" or _of_ours(node.args[0]), f"{path}: {name}"


def imports_of_googles(unpacked: Path) -> list[str]:
    """Returns the statements, wherever they stand, that import from Google's packages."""
    nodes = (
        node
        for path in unpacked.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if any(name.partition(".")[0] in {"google", "google_crc32c", "grpc"} for name in names):
            found.add(ast.unparse(node))
    return sorted(found)


def _of_ours(argument: ast.expr) -> bool:
    """Tells whether a module that is named at run time can only be one of the archive."""
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
    return isinstance(first, ast.Constant) and str(first.value).startswith(
        ("sopor_server.", "sopor_core.")
    )


def _deployed(folder: Path) -> bool:
    return any(part in {"functions", "shared"} for part in folder.relative_to(ROOT).parts)


def _others(names: list[str]) -> list[str]:
    return [name for name in names if name not in {"functions", "shared"}]
