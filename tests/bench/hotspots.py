"""Prints where the time of each command goes: `cProfile` on processor time, imports told apart.

    python -m tests.bench.hotspots --documents 1000 --commits 200

The profiler makes small functions look dearer than they are; shares are to be read, not seconds.
"""

from __future__ import annotations

import argparse
import pstats
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import machine
from tests.bench.commands import Command, Spawner, spawning
from tests.bench.peers.sopor import Sopor, opened
from tests.support.workload import workload

_PROFILED = """
import cProfile, sys, time
profile = cProfile.Profile(time.process_time)
def run():
    from sopor.cli import main
    main()
sys.argv = ["sopor", *sys.argv[2:]]
try:
    profile.runcall(run)
finally:
    profile.dump_stats({output!r})
"""
_IMPORTING = "<frozen importlib._bootstrap>"


@dataclass(frozen=True)
class Hotspots:
    """Where one command's time went.

    Attributes:
        seconds: all of it, of a process without a profiler.
        profiled: the same under the profiler.
        imports: the share of importing.
        modules: the own time of functions, by module.
        functions: the time of functions with all that they call, once imported.
    """

    seconds: float
    profiled: float
    imports: float
    modules: list[tuple[str, float]]
    functions: list[tuple[str, float]]


def profiled(spawner: Spawner, command: Command, output: Path, again: bool) -> Hotspots:
    """Profiles a command; ``again`` if it can be run once more to time it without a profiler."""
    seconds = spawner.run([command]).processor_seconds if again else 0.0
    words = command.arguments[1:]
    source = _PROFILED.format(output=str(output))
    spawner.run([replace(command, arguments=(sys.executable, "-c", source, "sopor", *words))])
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = vars(pstats.Stats(str(output)))["stats"]
    total = sum(own for _, _, own, _, _ in stats.values())
    modules: defaultdict[str, float] = defaultdict(float)
    functions: dict[str, float] = {}
    for (file, _, name), (_, _, own, cumulative, _) in stats.items():
        modules[_module(file, name)] += own
        if "/site-packages/" not in file and "/sopor" in file and name != "<module>":
            functions[f"{_module(file, name)}.{name}"] = cumulative
    imports = max(
        (each[3] for (file, _, name), each in stats.items() if _is_import(file, name)), default=0.0
    )
    return Hotspots(seconds, total, imports, _most(modules, 14), _most(functions, 32))


def _most(seconds: Mapping[str, float], count: int) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda item: -item[1])[:count]


def _is_import(file: str, name: str) -> bool:
    return file.startswith(_IMPORTING) and name == "_find_and_load"


def _module(file: str, name: str) -> str:
    """Names the module of a function; built-in ones stand for themselves."""
    if file == "~":
        return name.strip("<>").removeprefix("built-in method ").removeprefix("method ")
    path = Path(file)
    for root in ("site-packages", "sopor", "sopor_core"):
        if root in path.parts:
            parts = path.parts[len(path.parts) - path.parts[::-1].index(root) - 1 :]
            return ".".join(parts[root == "site-packages" :]).removesuffix(".py")
    return path.stem


@dataclass(frozen=True)
class Story:
    """A project of a size, and commands on it that can be profiled."""

    sopor: Sopor
    root: Path
    documents: int
    commits: int

    def commands(self) -> Iterator[tuple[str, Command, bool]]:
        """Yields commands with their names, and whether they may be run twice."""
        work, laptop, desktop = workload(), self.root / "laptop", self.root / "desktop"
        ids = work.write(laptop, self.documents)
        for name, command in zip(
            ("init", "commit of all", "push of all"), self.sopor.publish("p0", laptop), strict=True
        ):
            yield name, command, False

        def edits() -> Iterator[str]:
            for number in range(1, self.commits + 1):
                work.apply_commit(laptop, number, ids)
                yield f"Commit {number}"

        self.sopor.replay("p0", laptop, edits(), 1)
        (clone,) = self.sopor.clone("p0", desktop)
        yield "clone", clone, False
        (look,) = self.sopor.look("p0", desktop)
        yield "pull of nothing new", look, True
        for number in (1, 2):  # what is fresh is looked at once more, so the second one counts
            work.edit_one(laptop, number, ids=ids)
            (commit,), (push,) = self.sopor.keep(laptop, "Edit"), self.sopor.send("p0", laptop)
            (pull,) = self.sopor.pull("p0", desktop)
            if number == 2:
                yield "commit of one document", commit, False
                yield "push of one document", push, False
                yield "pull of one commit", pull, False
            else:
                for each in (commit, push, pull):
                    yield "", each, False


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--commits", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        root = Path(folder)
        with spawning(root) as spawner, opened(root / "peer", spawner.run) as sopor:
            story = Story(sopor, root, options.documents, options.commits)
            for name, command, again in story.commands():
                if name:
                    show(name, profiled(spawner, command, root / "profile", again))
                else:
                    spawner.run([command])
    print(machine.described(machine.machine()))
    return 0


def show(name: str, found: Hotspots) -> None:
    """Prints one command."""
    plain = f", {found.seconds:.3f} s without a profiler" if found.seconds else ""
    print(f"\n{name}: {found.profiled:.3f} s, {found.imports / found.profiled:.0%} imports{plain}")
    print("  own time by module:")
    for module, seconds in found.modules:
        print(f"    {seconds / found.profiled:6.1%}  {module}")
    print("  with what they call:")
    for function, seconds in found.functions:
        print(f"    {seconds / found.profiled:6.1%}  {function}")


if __name__ == "__main__":
    sys.exit(main())
