"""Reads the tour out of the README: blocks of commands, who types them, what they answer.

A block is fenced as ``console NAME``: NAME is the device that types it (``server`` starts in the
background). A line that starts with ``$`` is a command, ``# exits with N`` at its end says its exit
code, and the lines below it are its answer, in which ``...`` stands for anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"^```console (\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_EXIT = re.compile(r"\s*# exits with (\d+)\s*$")


@dataclass
class Step:
    """One command of the tour."""

    device: str
    command: str
    exit_code: int = 0
    answer: list[str] = field(default_factory=list)

    def mismatch(self, found: str) -> str | None:
        """Returns the first promised line that the answer lacks, in order, or None."""
        lines = [line.rstrip() for line in found.splitlines()]
        at = 0
        for promised in self.answer:
            pattern = _pattern(promised)
            if pattern is None:
                continue
            while at < len(lines) and not pattern.fullmatch(lines[at]):
                at += 1
            if at == len(lines):
                return promised
            at += 1
        return None


def _pattern(promised: str) -> re.Pattern[str] | None:
    text = promised.rstrip()
    if text in ("", "..."):
        return None
    return re.compile(".*".join(re.escape(part) for part in text.split("...")))


def read_script(readme: Path) -> list[Step]:
    """Returns the steps of the tour in the order of the README."""
    steps: list[Step] = []
    for device, block in _BLOCK.findall(readme.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found = _EXIT.search(line)
                code = int(found[1]) if found else 0
                steps.append(Step(device, _EXIT.sub("", line[2:]), code))
            elif steps:
                steps[-1].answer.append(line)
    return steps
