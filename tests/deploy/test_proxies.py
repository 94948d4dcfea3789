"""Streams of events behind the proxies of `infra/machine`: what happens is told as it happens."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sopor_core.wire.events import STREAM_TYPE
from sopor_core.wire.models import Meta
from sopor_core.wire.routes import Operation
from tests.deploy.terraforming import ROOT
from tests.support.emulators import unused_port
from tests.support.server import RunningServer, running_server
from tests.support.story import Person, Project, send

MACHINE = ROOT / "infra" / "machine"


@contextmanager
def proxied(command: list[str], folder: Path, port: int) -> Iterator[str]:
    """Runs a proxy that listens on a port."""
    url = f"http://127.0.0.1:{port}"
    with (folder / "proxy.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        while True:
            assert process.poll() is None, (folder / "proxy.log").read_text(encoding="utf-8")
            try:
                requests.get(url, timeout=60)
                break
            except requests.ConnectionError:
                time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def with_ports(text: str, server: RunningServer) -> str:
    events = Meta.model_validate(send(server.url, Operation.META).json()).events
    assert events is not None
    text = text.replace("127.0.0.1:8440", f"127.0.0.1:{urlsplit(server.url).port}")
    return text.replace("127.0.0.1:8441", f"127.0.0.1:{events.port}")


def caddy(server: RunningServer, folder: Path, port: int) -> list[str]:
    """Writes Caddy's file for one port without TLS."""
    site = with_ports((MACHINE / "Caddyfile").read_text(encoding="utf-8"), server)
    site = site.replace("sopor.example.com {", f"http://127.0.0.1:{port} {{")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + site, encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", "Caddyfile"]


def nginx(server: RunningServer, folder: Path, port: int) -> list[str]:
    """Writes nginx' file for one port without TLS."""
    site = with_ports((MACHINE / "nginx.conf").read_text(encoding="utf-8"), server)
    site = re.sub(r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};", site)
    site = re.sub(r"listen \S*(80|443)\b.*;|ssl_\S+ .*;", "", site)
    site = site.split("\n}\n", 1)[1]
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nevents {{}}\n"
        f"http {{ access_log off;\n{places}{site}\n}}\n",
        encoding="utf-8",
    )
    return ["nginx", "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]


@pytest.mark.parametrize("name", ["caddy", "nginx"])
def test_a_stream_passes_as_it_comes(tmp_path: Path, name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"needs {name}")
    port = unused_port()
    with running_server(tmp_path / "data", SOPOR_TRUSTED_PROXIES="1") as server:
        command = {"caddy": caddy, "nginx": nginx}[name](server, tmp_path, port)
        with proxied(command, tmp_path, port) as url:
            alice = Person.register(url)
            project = alice.new_project()
            with closing(stream_of(alice, project)) as answer:
                assert answer.headers["Content-Type"] == STREAM_TYPE
                chunks, received = answer.iter_content(None), b""
                while b": ready" not in received:
                    received += next(chunks)
                # Each comes before the next push, so nothing is held back.
                for number in range(1, 4):
                    alice.push(project)
                    while f'"seq":{number}'.encode() not in received:
                        received += next(chunks)
            while '"reason":"gone"' not in server.log.read_text(encoding="utf-8"):
                time.sleep(0.01)


def stream_of(who: Person, project: Project) -> requests.Response:
    accepting = {"Accept": STREAM_TYPE}
    params = {"projects": project.id.b64}
    return who.send(Operation.EVENTS, params=params, headers=accepting, stream=True)
