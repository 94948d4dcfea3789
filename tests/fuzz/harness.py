"""Feeds the targets with mutated input, guided by coverage; needs Atheris.

    python tests/fuzz/harness.py CORPUS FOUND [TARGET...] [-max_total_time=600] [-runs=1000]

CORPUS keeps what reached new branches, for the next time. Input that makes a target fail is put
into FOUND, in the folder of the target, and ends the program. The options go to libFuzzer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

INSTRUMENTED = [
    "sopor.account.recovery_kit",
    "sopor.crypto",
    "sopor.formats",
    "sopor.keystore",
    "sopor.model",
    "sopor.remote",
    "sopor_core",
    "sopor_server",
]
"""The packages whose branches guide the fuzzer."""

_ENGINE: Any = import_module("atheris")
with _ENGINE.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.targets import TARGETS, seeds


class Harness:
    """Runs the target that the first byte of an input says, and keeps what makes it fail."""

    def __init__(self, names: Sequence[str], found: Path) -> None:
        self._names = names
        self._found = found

    def run(self, data: bytes) -> None:
        """Runs one input; whatever the target raises goes on to the engine, which stops."""
        if not data:
            return
        name, data = self._names[data[0] % len(self._names)], data[1:]
        try:
            TARGETS[name].run(data)
        except BaseException:
            self._keep(name, data)
            raise

    def _keep(self, name: str, data: bytes) -> None:
        path = self._found / name / sha256(data).hexdigest()[:16]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(f"{name} failed; the input is in {path}", file=sys.stderr, flush=True)

    def put_seeds(self, corpus: Path) -> None:
        """Writes what the targets begin with."""
        corpus.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(self._names):
            for place, data in enumerate(seeds(name)):
                (corpus / f"seed-{name}-{place}").write_bytes(bytes([number]) + data)


def main(arguments: Sequence[str]) -> None:
    """Runs the engine, which does not return."""
    options = [each for each in arguments if each.startswith("-")]
    corpus, found, *names = (each for each in arguments if not each.startswith("-"))
    harness = Harness(names or list(TARGETS), Path(found))
    harness.put_seeds(Path(corpus))
    # Where the engine puts what ran for too long or took too much memory.
    kept = f"-artifact_prefix={corpus}/"
    _ENGINE.Setup([sys.argv[0], kept, *options, corpus], harness.run)
    _ENGINE.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
