"""Small servers of the peers, each a program that prints the port it listens on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDER = Path(__file__).parent


@contextmanager
def serving(program: str, folder: Path) -> Iterator[int]:
    """Runs one of the programs here on a folder for the length of a ``with`` block.

    Yields:
        the port.
    """
    with (folder / f"{program}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", str(_FOLDER / f"{program}.py"), str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()
