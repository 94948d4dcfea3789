"""The vectors of the specification, as input to begin with."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Vector = dict[str, Any]
_FOLDER = Path(__file__).parents[1] / "vectors"


@cache
def vectors(name: str) -> list[Vector]:
    """Returns all vectors of a file."""
    content = json.loads((_FOLDER / f"{name}.json").read_text("ascii"))
    return [content["common"] | vector for vector in content["vectors"]]


def good(name: str) -> list[Vector]:
    """Returns the vectors of a file that a reader must take."""
    return [each for each in vectors(name) if "layer" not in each and "error" not in each]
