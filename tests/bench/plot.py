"""Draws the cost of one push, pull and clone against documents and against commits: PNG and SVG.

    make bench-plots

It takes what `tests.bench.growth` wrote. Matplotlib is not among what the tests need, so the target
installs it.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.scenarios import CLONE, NOTHING, PULL, PUSH

_QUANTITIES = {"bytes both ways": "bytes", "seconds, whole processes": "seconds"}
_SCENARIOS = (PUSH, PULL, NOTHING, CLONE)
_LINES = {"sopor": "-", "git": "--"}


def series(
    points: list[dict[str, Any]], axis: str, peer: str, scenario: str, quantity: str
) -> tuple[list[int], list[float]]:
    """Returns sizes and costs of one line."""
    mine = sorted((point for point in points if point["peer"] == peer), key=lambda each: each[axis])
    costs = [point["costs"][scenario] for point in mine]
    if quantity == "bytes":
        return [point[axis] for point in mine], [cost["up"] + cost["down"] for cost in costs]
    return [point[axis] for point in mine], [cost[quantity] for cost in costs]


def draw(data: dict[str, Any], axis: str) -> Any:
    """Returns a figure with a panel for each quantity; both axes are logarithmic."""
    pyplot = _pyplot()
    points = data["points"]
    peers = list(dict.fromkeys(point["peer"] for point in points))
    figure, panels = pyplot.subplots(1, len(_QUANTITIES), figsize=(11, 4.6))
    for panel, (title, quantity) in zip(panels, _QUANTITIES.items(), strict=True):
        for number, scenario in enumerate(_SCENARIOS):
            for peer in peers:
                sizes, costs = series(points, axis, peer, scenario, quantity)
                style = {"linestyle": _LINES.get(peer, ":"), "color": f"C{number}"}
                panel.plot(sizes, costs, marker="o", label=f"{peer}: {scenario}", **style)
        panel.set(xscale="log", yscale="log", xlabel=_label(points, axis), title=title)
        panel.grid(visible=True, which="major", alpha=0.3)
    panels[0].legend(fontsize=7)
    figure.suptitle(f"What one of each costs, against {axis}")
    here = data["machine"]
    command = here["command"]
    figure.text(0.5, 0.01, f"{machine.described(here)}\n{command}", ha="center", fontsize=7)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    return figure


def _label(points: list[dict[str, Any]], axis: str) -> str:
    other = "commits" if axis == "documents" else "documents"
    fixed = sorted({point[other] for point in points})
    return f"{axis} ({', '.join(f'{each:,}' for each in fixed)} {other})"


def _pyplot() -> Any:
    """Imports matplotlib, without a screen."""
    try:
        matplotlib = import_module("matplotlib")
    except ImportError:
        raise SystemExit("plots need matplotlib: pip install matplotlib") from None
    matplotlib.use("Agg")
    return import_module("matplotlib.pyplot")


def main() -> int:
    """Draws what was measured; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=machine.RESULTS, help="of JSON and figures")
    folder: Path = parser.parse_args().folder
    sources = sorted(folder.glob("growth-*.json"))
    if not sources:
        print(f"nothing to draw in {folder}: run `python -m tests.bench.growth`", file=sys.stderr)
        return 1
    for source in sources:
        data = json.loads(source.read_text(encoding="utf-8"))
        figure = draw(data, data["axis"])
        for suffix in (".png", ".svg"):
            figure.savefig(source.with_suffix(suffix), dpi=150)
            print(source.with_suffix(suffix))
    return 0


if __name__ == "__main__":
    sys.exit(main())
