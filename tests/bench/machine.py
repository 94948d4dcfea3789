"""What the numbers were measured on, and where results are kept."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sopor_core import __version__
from tests.bench.commands import Measured
from tests.bench.scenarios import Results, median_of

RESULTS = Path(__file__).resolve().parents[2] / "build" / "bench"
_VERSIONS = {
    "git": ("git", "--version"),
    "gpg": ("gpg", "--version"),
    "restic": ("restic", "version"),
    "borg": ("borg", "--version"),
    "git-crypt": ("git-crypt", "--version"),
}


def machine() -> dict[str, Any]:
    """Describes this machine, its load at this moment, and the programs that are compared."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC",
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": [round(load, 2) for load in os.getloadavg()],
        "command": " ".join(["python -m", _module(), *sys.argv[1:]]),
        "versions": {"sopor": __version__, **_versions()},
    }


def _module() -> str:
    """The module that is run, by its name."""
    specification = getattr(sys.modules["__main__"], "__spec__", None)
    name: str = getattr(specification, "name", Path(sys.argv[0]).stem)
    return name.removesuffix(".__main__")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _versions() -> dict[str, str]:
    found = {}
    for name, command in _VERSIONS.items():
        try:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            continue
        found[name] = ran.stdout.splitlines()[0] if ran.stdout else ""
    return found


def described(machine: dict[str, Any]) -> str:
    """Describes a machine in one line, for figures and tables."""
    return (
        f"{machine['processors']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"Python {machine['python']}, load {machine['load'][0]} at the start, {machine['date']}"
    )


def to_json(results: Results) -> dict[str, Any]:
    """Returns medians and all rounds of a size."""
    return {
        "size": asdict(results.size),
        "peers": {
            peer: {
                scenario: {
                    "median": numbers(median_of(rounds)),
                    "rounds": [numbers(each) for each in rounds],
                }
                for scenario, rounds in scenarios.items()
            }
            for peer, scenarios in results.measured.items()
        },
    }


def numbers(measured: Measured) -> dict[str, float]:
    """Returns the numbers of a measurement in one object."""
    return {**asdict(measured.used), **asdict(measured.crossed)}


def write(name: str, data: dict[str, Any]) -> Path:
    """Writes results as JSON; returns the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return path
