"""The README's tour does what the README says."""

from __future__ import annotations

from pathlib import Path

from sopor.cli.exit_codes import markdown_table
from tests.tour.script import read_script
from tests.tour.tour import ROOT, Tour, free_port


def test_the_tour_of_the_readme(tmp_path: Path) -> None:
    steps = read_script(ROOT / "README.md")
    assert len(steps) > 20
    tour = Tour(tmp_path, free_port(), quiet=True)
    try:
        tour.play(steps)
    finally:
        tour.stop()


def test_a_promise_that_is_not_kept_is_noticed(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("```console laptop\n$ echo one two\none ...\n$ false  # exits with 1\n```\n")
    first, second = read_script(readme)
    assert first.mismatch("zero\none two\n") is None
    assert first.mismatch("two one\n") == "one ..."
    assert (second.command, second.exit_code) == ("false", 1)


def test_the_exit_codes_of_the_readme_are_those_of_the_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(markdown_table()) in readme
