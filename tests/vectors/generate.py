"""Writes the vectors beside it: `python -m tests.vectors.generate` from the top of the checkout.

The same bytes every time. `making` holds its own reading of shared/SPEC.md and imports nothing of
Sopor, so the vectors and the code check each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.vectors.making import (
    accounts,
    inviting,
    logs,
    membership,
    packs,
    presence,
    refusals,
    sealing,
    values,
    writing,
)
from tests.vectors.making.reference import Vector

HERE = Path(__file__).parent

FILES: dict[str, tuple[int, Callable[[], list[Vector]]]] = {
    "encoding": (1, values.encoding),
    "canonical": (2, values.canonical_form),
    "ids": (1, values.ids),
    "commits": (4, values.commits),
    "states": (5, values.states),
    "labels": (6, sealing.labels),
    "wraps": (6, sealing.wraps),
    "previous": (6, sealing.previous_secrets),
    "opening": (6, sealing.opening),
    "packs": (7, packs.packs),
    "push": (8, logs.push),
    "writing": (8, writing.writing),
    "membership": (8, membership.membership),
    "refusals": (8, refusals.refusals),
    "invite-codes": (8, inviting.codes),
    "safety-numbers": (8, inviting.safety_numbers),
    "licenses": (8, inviting.licenses),
    "written-keys": (9, accounts.written_keys),
    "derivations": (9, accounts.derivations),
    "unlocking": (9, accounts.unlocking),
    "proofs": (9, accounts.proofs),
    "keystore": (13, accounts.keystore),
    "presence": (14, presence.presence),
}
"""By file name: the section of shared/SPEC.md, and what makes the vectors."""


def text_of(name: str) -> str:
    """The content of one file."""
    section, make = FILES[name]
    vectors = make()
    names = [vector["name"] for vector in vectors]
    assert len(set(names)) == len(names), f"a name twice in {name}"
    common = {
        key: value
        for key, value in vectors[0].items()
        if all(key in vector and vector[key] == value for vector in vectors)
    }
    head = {"about": (make.__doc__ or "").strip(), "section": section, "common": common}
    lines = ",\n".join(
        json.dumps({key: value for key, value in vector.items() if key not in common})
        for vector in vectors
    )
    return json.dumps(head)[:-1] + f', "vectors": [\n{lines}\n]}}\n'


def main() -> None:
    """Writes all files."""
    for name in FILES:
        (HERE / f"{name}.json").write_text(text_of(name), encoding="ascii")


if __name__ == "__main__":
    main()
