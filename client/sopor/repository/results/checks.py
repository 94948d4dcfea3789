"""What was checked and mended."""

from __future__ import annotations

from sopor.records import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `fsck` found wrong: what, where, and what to do."""

    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class FsckReport:
    """What `fsck` checked and found."""

    commits: int
    documents: int
    packs: int
    entries: int
    findings: tuple[Finding, ...]
    swept: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What `repair` published again: entries of the push log and of the membership log."""

    entries: int
    membership_entries: int
