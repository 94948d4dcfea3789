"""The registry of checks, and what runs them.

A group is a module of `sopor.diagnosis.groups` with a function ``checks(scope)`` that yields one
`Check` for each thing it looked at. A group that meets an error has found a problem; the others go
on. What people read (`text`, `hint`) may name anything. ``facts`` go into bug reports: numbers,
versions and words of this program's own, never a name, a path, an address or an id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

from sopor.errors import SoporError
from sopor.records import dataclass

if TYPE_CHECKING:
    from sopor.diagnosis.scope import Scope

GROUPS: Sequence[str] = ("versions", "clock", "disk", "keystore", "server", "project", "pins")
"""The groups in the order in which they run; each is a module."""
NEED_NETWORK = frozenset({"server", "pins"})

Facts = Mapping[str, str | int | bool | None]


class Level(StrEnum):
    """How it is: well, worth knowing, or in need of somebody who does something."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``hint`` says what to do unless all is well."""

    group: str
    name: str
    level: Level
    text: str
    hint: str | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks, and how many found something."""

    checks: tuple[Check, ...]
    problems: int
    warnings: int

    @classmethod
    def of(cls, checks: Sequence[Check]) -> Diagnosis:
        """Counts."""
        levels = [check.level for check in checks]
        return cls(tuple(checks), levels.count(Level.PROBLEM), levels.count(Level.WARNING))


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes the checks of one group."""

    group: str

    def ok(self, name: str, text: str, **facts: str | int | bool | None) -> Check:
        """Returns a check that found nothing wrong."""
        return Check(self.group, name, Level.OK, text, None, facts)

    def warn(self, name: str, text: str, hint: str, **facts: str | int | bool | None) -> Check:
        """Returns a check that found something worth knowing."""
        return Check(self.group, name, Level.WARNING, text, hint, facts)

    def bad(self, name: str, text: str, hint: str, **facts: str | int | bool | None) -> Check:
        """Returns a check that found a problem."""
        return Check(self.group, name, Level.PROBLEM, text, hint, facts)

    def failed(self, name: str, error: SoporError) -> Check:
        """Returns the check that an error ended."""
        hint = error.hint or "see `sopor help exit-codes`"
        return Check(self.group, name, Level.PROBLEM, error.message, hint, {"error": error.code})


def examine(scope: Scope) -> Diagnosis:
    """Runs all groups that the scope allows."""
    found: list[Check] = []
    for group in GROUPS:
        if not (scope.offline and group in NEED_NETWORK):
            scope.progress(f"checking {group}")
            found += _run(group, scope)
    return Diagnosis.of(found)


def _run(group: str, scope: Scope) -> Iterator[Check]:
    try:
        yield from import_module(f"sopor.diagnosis.groups.{group}").checks(scope)
    except SoporError as error:
        yield Teller(group).failed("all", error)
    except Exception as error:  # noqa: BLE001 (a doctor tells what he cannot explain)
        kind = type(error).__name__
        yield Teller(group).bad(
            "all", f"the check failed: {kind}", "run `sopor bug-report` and report it", error=kind
        )
