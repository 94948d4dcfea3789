"""The guide for one machine: its files are well formed, and it names what there is.

The proxies' files are checked where the proxies are installed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sopor_server import config
from tests.deploy.terraforming import ROOT

MACHINE = ROOT / "infra" / "machine"
GUIDE = (ROOT / "docs" / "self-hosting.md").read_text(encoding="utf-8")


@cache
def usage_of(*command: str) -> str:
    """Returns what `sopor-server` or one of its commands says of itself."""
    asked = [sys.executable, "-m", "sopor_server", *command, "--help"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_the_guide_names_what_the_server_knows() -> None:
    documented = set(re.findall(r"(?m)^\| `(SOPOR_\w+)` \|", GUIDE))
    known = set(re.findall(r"(?m)^    (SOPOR_\w+) ", str(config.__doc__)))
    units = "".join(path.read_text(encoding="utf-8") for path in MACHINE.glob("*.service"))
    assert documented
    assert documented <= known
    assert set(re.findall(r"SOPOR_\w+", units)) <= documented
    for command in re.findall(r"sopor-server([ a-z-][^\n`]*)", GUIDE + units):
        words = command.split("--")[0].split()
        own = {"license": 2, "backup": 1, "restore": 1}.get(words[0] if words else "", 0)
        usage = usage_of(*words[:own])
        assert set(re.findall(r"--[a-z]+", command)) <= set(re.findall(r"--[a-z]+", usage))
        assert set(re.findall(r"^ ([a-z]+)", command)) <= set(re.findall(r"[a-z]+", usage))


def test_the_guide_installs_the_files_that_there_are() -> None:
    named = set(re.findall(r"infra/machine/([\w.-]+\w)", GUIDE))

    assert named == {path.name for path in MACHINE.iterdir() if path.is_file()}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_units_are_well_formed_and_closed(tmp_path: Path) -> None:
    units = []
    for path in sorted([*MACHINE.glob("*.service"), *MACHINE.glob("*.timer")]):
        text = re.sub(r"/opt/sopor/bin/\S+", "/bin/true", path.read_text(encoding="utf-8"))
        units.append(tmp_path / path.name)
        units[-1].write_text(text, encoding="utf-8")

    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    for unit in units:
        if unit.suffix == ".service":
            scan = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
            rated = subprocess.run(
                [*scan, "--threshold=20", unit], capture_output=True, text=True, check=False
            )
            assert rated.returncode == 0, rated.stdout


@pytest.mark.skipif(not shutil.which("caddy"), reason="needs caddy")
def test_caddy_takes_its_file() -> None:
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(MACHINE / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "127.0.0.1:8440" in json.dumps(json.loads(done.stdout))


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    site = (MACHINE / "nginx.conf").read_text(encoding="utf-8")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    site = re.sub(r"/etc/letsencrypt/\S+/fullchain.pem", str(tmp_path / "cert.pem"), site)
    site = re.sub(r"/etc/letsencrypt/\S+/privkey.pem", str(tmp_path / "key.pem"), site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off;\n{site}\n}}\n", encoding="utf-8"
    )
    command = ["nginx", "-t", "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "syntax is ok" in done.stderr, done.stderr
