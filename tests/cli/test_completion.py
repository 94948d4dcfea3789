"""What the shells complete."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.terminal import SOPOR, Terminal


def completions(terminal: Terminal, line: str) -> list[str]:
    """Returns what bash would offer for the last word of a line."""
    words = line.split(" ")
    answer = terminal(
        "sopor",
        env={
            "_SOPOR_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
    )
    assert answer.err == ""
    return [line.split(",", 1)[1] for line in answer.out.splitlines() if line]


def test_commands_and_options(terminal: Terminal) -> None:
    assert completions(terminal, "sopor re") == [
        "restore",
        "revert",
        "resolve",
        "register",
        "rekey",
        "recover",
        "repair",
    ]
    assert "--graph" in completions(terminal, "sopor log --g")
    assert "--json" in completions(terminal, "sopor log --j")
    assert completions(terminal, "sopor devices re") == ["revoke"]
    assert completions(terminal, "sopor config user") == ["user.name"]
    assert completions(terminal, "sopor switch ma") == [], "no working copy here"


def test_branches(pets: Terminal) -> None:
    pets("sopor branch magenta")
    assert completions(pets, "sopor switch ma") == ["magenta", "main"]
    assert completions(pets, "sopor merge mag") == ["magenta"]
    assert completions(pets.at(".."), "sopor -C work switch mag") == ["magenta"]
    assert completions(pets, "sopor diff mag") == ["magenta", "mag"], "a branch, or a file"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts(terminal: Terminal, shell: str) -> None:
    script = terminal(f"sopor completion {shell}").out
    assert "_SOPOR_COMPLETE" in script
    assert terminal(f"sopor completion {shell} --json").json["script"].strip() == script.strip()
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_bash_completes(pets: Terminal) -> None:
    script = pets("sopor completion bash").out
    pets.write(
        "script.bash",
        f"{script}\nCOMP_WORDS=(sopor switch ma)\nCOMP_CWORD=2\n"
        "_sopor_completion sopor\necho ${COMPREPLY[@]}\n",
    )
    path = f"{SOPOR.rsplit('/', 1)[0]}:{pets.environment['PATH']}"
    assert pets("bash script.bash", env={"PATH": path}).out == "main\n"


def test_other_shells_are_refused(terminal: Terminal) -> None:
    terminal("sopor completion powershell", code=2)
