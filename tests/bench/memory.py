"""Prints the most memory that each command holds in a large project: `make bench-full`.

The peak is that of the whole process (its resident set, with the interpreter), as the system
counted it at its end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import machine
from tests.bench.commands import Command, Spawner, Used, spawning
from tests.bench.peers.sopor import Sopor, opened
from tests.support.terminal import SOPOR, Terminal
from tests.support.workload import Workload, workload

MOST_MIB = 300
_LOOKING = ("status", "log", "diff", "show HEAD", "branch", "fsck")
_MOVING = ("switch -c next", "switch main", "revert HEAD", "branch -d next", "sync")


@dataclass(frozen=True)
class Story:
    """Every command in one large project, in an order that gives each something to do."""

    sopor: Sopor
    spawner: Spawner
    work: Workload
    laptop: Path
    desktop: Path
    ids: list[str]

    def play(self) -> Iterator[tuple[str, Used]]:
        """Yields commands with what they used."""
        laptop, desktop = self.sopor.laptop, self.sopor.desktop
        for words in ("init --name p0", "commit -m Import", "push"):
            yield words, self._run(laptop, self.laptop, words)
        clone = f"clone p0 {self.desktop}"
        yield "clone", self._run(desktop, self.desktop.parent, clone)
        edited = self.work.edit_one(self.laptop, 1, ids=self.ids)
        for words in ("status", "diff", "commit -m Edit", "push"):
            yield f"{words}, one edit", self._run(laptop, self.laptop, words)
        for words in ("pull", "pull"):
            yield "pull of one commit", self._run(desktop, self.desktop, words)
        for words in (*_LOOKING, f"log -p {edited}", f"blame {edited}", *_MOVING):
            yield words.replace(edited, "DOCUMENT"), self._run(laptop, self.laptop, words)
        yield "export", self._run(laptop, self.laptop, f"export -o {self.laptop}.json")

    def _run(self, device: Terminal, folder: Path, words: str) -> Used:
        command = Command((SOPOR, *words.split()), folder, device.environment)
        return self.spawner.run([command])


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=50_000)
    options = parser.parse_args()
    here, work = machine.machine(), workload()
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        root = Path(folder)
        ids = work.write(root / "laptop", options.documents)
        with spawning(root) as spawner, opened(root / "peer", spawner.run) as sopor:
            story = Story(sopor, spawner, work, root / "laptop", root / "desktop", ids)
            print(f"{options.documents:,} documents; at most {MOST_MIB} MiB wanted")
            for words, used in story.play():
                found[words] = used.peak_kib / 1024
                over = "" if found[words] <= MOST_MIB else "  missed"
                print(f"{found[words]:7.0f} MiB {used.seconds:8.2f} s  {words}{over}", flush=True)
    print(machine.described(here))
    machine.write("memory", {"machine": here, "documents": options.documents, "mib": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
