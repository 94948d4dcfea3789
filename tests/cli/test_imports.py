"""What each command imports: start-up is most of what a command costs."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from tests.support.people import Person
from tests.support.server import RunningServer
from tests.support.terminal import Terminal

# A module that is put off until its first use is in `sys.modules` as well, with a type of its own.
_PROGRAM = """
import json, sys
from sopor.cli.entry import run
code = run(sys.argv[1:])
print(json.dumps([code, [n for n, m in sys.modules.items() if type(m).__name__ != "_LazyModule"]]))
"""
REQUESTS = {"requests", "urllib3"}
NETWORK = {"http.client", "ssl", *REQUESTS}
FILES = {"sopor.formats.known", "yaml"}
KEYS = {"cryptography", "sopor.account", "sopor.crypto.account", "sopor.keystore.records"}
MERGES = {"sopor.merge.fields", "sopor.merge.projects", "sopor.merge.spec"}
TEAMS = {"sopor.organization.managing", "sopor.organization.results", "sopor_core.membership.log"}
SERVER = {"pydantic", "sopor_core.wire.models", "sopor_server"}
EVERYTHING = NETWORK | FILES | KEYS | MERGES | TEAMS | SERVER


def loaded(terminal: Terminal, command: str) -> set[str]:
    """Runs a command, named without the program; returns the modules that it executed."""
    words = shlex.join([sys.executable, "-c", _PROGRAM, *shlex.split(command)])
    code, modules = json.loads(terminal(words).out.splitlines()[-1])
    assert code == 0
    return set(modules)


def test_looking_at_a_project_loads_neither_keys_nor_files_nor_network(pets: Terminal) -> None:
    for command in ("status", "branch", "diff", "log", "config user.name Ada", "log --graph"):
        assert EVERYTHING & loaded(pets, command) == set(), command


def test_committing_loads_what_it_reads_and_seals_and_no_more(pets: Terminal) -> None:
    pets.replace("petstore.yaml", "name: Add a pet", "name: Adopt a pet")
    modules = loaded(pets, "commit -m Adopt")
    assert {"yaml", "cryptography"} <= modules
    spared = NETWORK | MERGES | TEAMS | SERVER | {"sopor.crypto.account"}
    assert spared & modules == set()


def test_sharing_loads_no_merge_no_validator_and_no_team_that_it_needs_not(
    tmp_path: Path, server: RunningServer
) -> None:
    ada = Person(tmp_path / "ada", server.url)
    laptop = ada.device("laptop")
    project = laptop.at("project")
    project.folder.mkdir()
    project("sopor init")
    project("sopor commit --allow-empty -m Start")
    assert (SERVER | MERGES | REQUESTS) & loaded(project, "push") == set()
    spared = NETWORK | FILES | SERVER | MERGES
    assert spared & loaded(project, "push") == set(), "there is nothing to push"
    for command in ("pull", "fetch"):
        modules = loaded(project, command)
        assert "http.client" in modules
        spared = FILES | SERVER | MERGES | REQUESTS | {"sopor.organization.managing"}
        assert spared & modules == set(), command
    for command in ("projects", "org", "devices", "whoami"):
        assert (FILES | SERVER | MERGES) & loaded(laptop, command) == set(), command
