"""All kinds of peers."""

from __future__ import annotations

from tests.bench.peers import Kind, borg, gcrypt, git, gitcrypt, restic, sopor

KINDS: tuple[Kind, ...] = (
    sopor.KIND,
    git.KIND,
    gcrypt.KIND,
    restic.KIND,
    borg.KIND,
    gitcrypt.KIND,
)


def found(names: list[str]) -> tuple[list[Kind], dict[str, str]]:
    """Returns those that are on this machine, and for the others the program that is missing."""
    wanted = [kind for kind in KINDS if kind.name in names]
    absent = {kind.name: kind.missing for kind in wanted if kind.missing is not None}
    return [kind for kind in wanted if kind.name not in absent], absent
