"""Compares Sopor with git and with encrypted peers: `make bench`, `make bench-full`.

Prints tables in Markdown and writes JSON into ``build/bench``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench import machine, table
from tests.bench.commands import spawning
from tests.bench.peers.known import KINDS, found
from tests.bench.scenarios import Day, Results, Size
from tests.support.workload import Workload, workload


def compare(size: Size, names: list[str], work: Workload) -> Results:
    """Plays one size; prints its tables and writes its JSON."""
    here = machine.machine()
    kinds, absent = found(names)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        root = Path(folder)
        with spawning(root) as spawner:
            results = Day(size, work, spawner, root).play(kinds)
    print(table.markdown(results, absent))
    print(f"{machine.described(here)}\n", flush=True)
    data = {"machine": here, "absent": absent, **machine.to_json(results)}
    machine.write(f"compare-{size.documents}-{size.commits}", data)
    return results


def main() -> int:
    """Measures what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--every", type=int, default=1, help="commits of one push")
    parser.add_argument("--slow-every", type=int, default=40, help="the same for slow peers")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--big-rounds", type=int, default=3)
    fast = [kind.name for kind in KINDS if kind.name != "git-crypt"]
    parser.add_argument("--peers", default=",".join(fast), help="names, or `all`")
    options = parser.parse_args()
    every = [kind.name for kind in KINDS]
    names = every if options.peers == "all" else options.peers.split(",")
    size = Size(
        options.documents,
        options.commits,
        options.every,
        options.slow_every,
        options.rounds,
        options.big_rounds,
    )
    compare(size, names, workload())
    return 0


if __name__ == "__main__":
    sys.exit(main())
