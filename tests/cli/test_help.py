"""Help, versions, typing mistakes: what the command says about itself, and what that loads."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from sopor.cli import exit_codes, topics
from sopor.cli.catalog import COMMANDS, HABITS, SECTIONS
from sopor.cli.declaring import SoporCommand
from sopor.cli.root import root
from sopor.errors import _EXIT_CODES
from sopor_core import __version__
from tests.support.terminal import Terminal

HEAVY = {
    "cryptography",
    "merge3",
    "pydantic",
    "requests",
    "sopor.account",
    "sopor.repository",
    "sqlite3",
    "urllib3",
    "yaml",
    "zstandard",
}


def test_the_version(terminal: Terminal) -> None:
    assert terminal("sopor --version").out == f"sopor {__version__}\n"


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["help", "scripts"], ["commit", "-h"]]
)
def test_what_explains_loads_nothing_that_works(words: list[str]) -> None:
    program = (
        "import sys, json; from sopor.cli.entry import run; code = run(json.loads(sys.argv[1]));"
        "print(json.dumps([code, sorted(sys.modules)]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, json.dumps(words)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(ran.stdout.splitlines()[-1])
    assert code == 0
    assert "sopor.cli.root" in modules
    assert not HEAVY & set(modules)


def commands() -> list[tuple[str, SoporCommand]]:
    """Returns every command and subcommand by its full name."""
    context = click.Context(root)
    found: list[tuple[str, SoporCommand]] = []
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert isinstance(command, SoporCommand)
        found.append((name, command))
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                assert isinstance(subcommand, SoporCommand)
                found.append((f"{name} {inner}", subcommand))
    return found


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_is_explained_with_an_example(name: str, command: SoporCommand) -> None:
    assert command.name == name.rsplit(maxsplit=1)[-1]
    assert command.help
    assert command.help.split()[0].rstrip(",").endswith("s"), "a third person"
    assert command.examples
    assert all(
        example.split("(")[-1].startswith(("sopor ", "source")) for example in command.examples
    )
    options = {option for parameter in command.params for option in parameter.opts}
    assert options >= {"--json", "-q", "--quiet", "-v", "--verbose", "--color", "--no-input"}
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None)
    text = command.get_help(click.Context(command, info_name=f"sopor {name}"))
    for part in ("Usage: ", "Options of every command:", "Examples:", "  sopor "):
        assert part in text


def test_help_lists_every_command_in_its_section(terminal: Terminal) -> None:
    shown = terminal("sopor help").out
    for section, names in SECTIONS.items():
        assert f"\n{section}:\n" in shown
        for name, summary in names.items():
            assert name in shown
            assert summary in " ".join(shown.split())
    assert terminal("sopor --help").out == shown


def test_help_of_one_command_and_of_one_below_another(terminal: Terminal) -> None:
    assert terminal("sopor help commit").out == terminal("sopor commit --help").out
    assert "revoke" in terminal("sopor help devices revoke").out
    assert "sopor help topics" in terminal("sopor help nonsense", code=2).err


def test_the_topics(terminal: Terminal) -> None:
    listed = terminal("sopor help topics").out
    assert list(topics.TOPICS) == [line.split()[0] for line in listed.splitlines()]
    assert "remote/main" in terminal("sopor help revisions").out
    assert terminal("sopor help documents --json").json["topic"] == "documents"


def test_the_exit_codes_are_those_of_the_errors(terminal: Terminal) -> None:
    table = [row.code for row in exit_codes.TABLE]
    assert table == sorted(set(table))
    own = {
        exit_codes.SUCCESS,
        exit_codes.UNEXPECTED,
        exit_codes.USAGE,
        exit_codes.BROKEN_PIPE,
    }
    assert set(table) == own | {code for _, code in _EXIT_CODES}
    shown = terminal("sopor help exit-codes")
    assert [int(line.split()[0]) for line in shown.lines] == table
    rows = terminal("sopor --json help exit-codes").json
    assert [row["code"] for row in rows] == table
    markdown = list(exit_codes.markdown_table())
    assert [line.split("|")[1].strip() for line in markdown[2:]] == list(map(str, table))


def test_a_command_that_is_not_there(terminal: Terminal) -> None:
    assert terminal("sopor comit -m x", code=2).err == (
        "error: there is no command 'comit'; did you mean `sopor commit`?\n"
        "hint: see `sopor --help`\n"
    )
    assert "did you mean" not in terminal("sopor xyzzy", code=2).err
    assert "`sopor switch`" in terminal("sopor checkout main", code=2).err
    assert not HABITS.keys() & COMMANDS.keys()


def test_no_command_at_all(terminal: Terminal) -> None:
    answer = terminal("sopor", code=2)
    assert answer.out == ""
    assert "Usage: sopor" in answer.err
    assert "no command was named" in answer.err


def test_arguments_that_are_not_understood(terminal: Terminal) -> None:
    answer = terminal("sopor status --shrt", code=2)
    assert answer.err.startswith("error: no such option")
    assert "see `sopor status --help`" in answer.err
    assert answer.out == ""
    terminal("sopor push --all main", code=2)
    terminal("sopor merge", code=2)
    terminal("sopor revert", code=2)
    terminal("sopor log --oneline --full", code=2)
    terminal("sopor commit -m x -F y", code=2)
    terminal("sopor switch next main~1", code=2)
    terminal("sopor resolve --all", code=2)
    terminal("sopor config user.name --list", code=2)
    terminal("sopor --color sometimes status", code=2)


def test_a_mistake_in_json_mode_is_json(terminal: Terminal) -> None:
    for command in ("sopor --json comit", "sopor status --shrt --json", "sopor --json"):
        error = terminal(command, code=2).error
        assert error["code"] == "usage"
        assert error["exit_code"] == 2
        assert error["message"]
        assert "--help" in error["hint"]


def test_python_runs_the_package_as_the_command(terminal: Terminal) -> None:
    assert terminal(f"{sys.executable} -m sopor --version").out == f"sopor {__version__}\n"
