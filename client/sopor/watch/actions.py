"""Carries out the steps of a watch, holding the working copy's lock no longer than each takes."""

from __future__ import annotations

from sopor.errors import (
    Busy,
    DiskFull,
    EditsInTheWay,
    MergeConflicts,
    PushRejected,
    RateLimited,
    SecretsFound,
    SessionExpired,
    SoporError,
    StateConflict,
    StorageFault,
    TheirFault,
    VerificationError,
    Weather,
    YourFault,
)
from sopor.repository import Repository
from sopor.repository.committing import commit
from sopor.repository.merge_state import has_merge
from sopor.repository.results import MergeOutcome
from sopor.repository.syncing import integrate
from sopor.watch.plan import Doing, Merging, Plan
from sopor.watch.reports import Report, message_of
from sopor_core.errors import InvalidValue

_FULL_SECONDS = 10.0
"""How long is waited for space on the disk."""


class Actions:
    """Does one step at a time and marks the plan with how it ended."""

    def __init__(self, repository: Repository, plan: Plan) -> None:
        """Takes an open working copy, and the plan."""
        self._repository = repository
        self._plan = plan

    def do(self, doing: Doing, now: float) -> list[Report]:
        """Does a step; returns what to tell.

        Raises:
            SessionExpired, VerificationError, StorageFault: what waiting does not help against.
        """
        steps = {
            Doing.INTEGRATE: self._integrate,
            Doing.COMMIT: self._commit if self._plan.options.auto else self._look,
            Doing.FINISH: self._finish,
            Doing.PUSH: self._push,
        }
        try:
            return steps[doing](now)
        except Busy:
            self._plan.busy(now)
            return []
        except DiskFull as error:
            self._plan.busy(now + _FULL_SECONDS)
            return [_failed("Waiting", error)]

    def merging(self) -> Merging:
        """Returns how the merge stands that is under way, if there is one."""
        if not has_merge(self._repository.context.store):
            return Merging.NO
        try:
            status = self._repository.merge_status()
        except StorageFault:
            return Merging.OPEN
        if status is None:
            return Merging.NO
        settled = all(conflict.resolved for conflict in status.conflicts)
        return Merging.SETTLED if settled else Merging.OPEN

    def under_way(self) -> list[Report]:
        """Returns what there is to tell of a merge that was under way before."""
        merging = self.merging()
        status = self._repository.merge_status() if merging is Merging.OPEN else None
        if status is None:
            return []
        ids = [str(conflict.id) for conflict in status.conflicts if not conflict.resolved]
        text = f"A merge of {status.label} is under way. {_settle(ids)}"
        return [Report("conflicts", text, {"documents": ids}, warning=True)]

    def _integrate(self, now: float) -> list[Report]:
        self._plan.merging = self.merging()
        if self._plan.merging is not Merging.NO:
            self._plan.stopped_at_conflicts()
            return []
        try:
            outcome = integrate(
                self._repository.context, keep_edits=True, start=self._plan.options.auto
            )
        except (StateConflict, YourFault, InvalidValue) as error:
            if isinstance(error, StateConflict) and "meanwhile" in error.message:
                self._plan.busy(now)
                return []
            self._plan.not_integrated()
            if self._plan.options.auto and isinstance(error, EditsInTheWay):
                self._plan.files_changed(now)  # they are about to be committed, or that will tell
                return []
            return [_waiting(error)]
        if outcome.kind == "conflicts":
            self._plan.stopped_at_conflicts()
            return [_conflicts(outcome)]
        self._plan.integrated(moved=outcome.kind == "merged")
        return [] if outcome.kind == "up-to-date" else [_brought(outcome)]

    def _look(self, _now: float) -> list[Report]:
        """Without ``auto`` saved files only matter to what waits for them."""
        self._plan.committed(anything=False)
        return []

    def _commit(self, _now: float) -> list[Report]:
        repository = self._repository
        try:
            changes = repository.status().changes
            if not changes:
                self._plan.committed(anything=False)
                return []
            message = message_of(changes, repository.context.project_name)
            made = commit(repository.context, message, refuse_secrets=True)
        except (StateConflict, YourFault, InvalidValue) as error:
            return self._not_committed(error)
        self._plan.committed(anything=True)
        about = {"commit": made.commit.id.hex(), "message": message, "documents": len(made.changes)}
        return [Report("committed", f"Committed {made.commit.id.short}: {message}", about)]

    def _not_committed(self, error: SoporError) -> list[Report]:
        if isinstance(error, MergeConflicts):
            self._plan.merging = Merging.OPEN
        elif type(error) is StateConflict and not self._repository.status().changes:
            # What looked like edits was another command's work, which is done by now.
            self._plan.committed(anything=False)
            return []
        self._plan.not_committed()
        return [_waiting(error)]

    def _finish(self, _now: float) -> list[Report]:
        try:
            made = self._repository.merge_continue()
        except (StateConflict, YourFault, InvalidValue) as error:
            self._plan.merging = Merging.OPEN
            return [_waiting(error)]
        self._plan.finished()
        text = f"Committed the merge as {made.commit.id.short}"
        return [Report("committed", text, {"commit": made.commit.id.hex()})]

    def _push(self, now: float) -> list[Report]:
        try:
            result = self._repository.push()
        except PushRejected:
            self._plan.push_rejected(now)
            return []
        except Weather as error:
            wait = error.retry_after if isinstance(error, RateLimited) else None
            if not self._plan.push_failed(now + (wait or 0.0)):
                return []
            return [Report("offline", f"Not pushed yet: {error.message}", {"error": error.code})]
        except (SessionExpired, VerificationError, StorageFault):
            raise
        except (TheirFault, YourFault) as error:
            self._plan.push_refused()
            return [_failed("Not pushed", error)]
        self._plan.pushed()
        if not result.branches:
            return []
        commits = max(move.commits for move in result.branches)
        text = f"Pushed {commits} commit{'' if commits == 1 else 's'}, entry {result.seq}"
        return [Report("pushed", text, {"seq": result.seq, "commits": commits})]


def _brought(outcome: MergeOutcome) -> Report:
    head = outcome.head.short if outcome.head else "nothing"
    word = "Fast-forward to" if outcome.kind == "fast-forward" else "Merged as"
    documents = f"{outcome.changed} document{'' if outcome.changed == 1 else 's'} changed"
    notes = "".join(f"; {note}" for note in outcome.notes)
    details = {
        "kind": outcome.kind,
        "head": outcome.head.hex() if outcome.head else None,
        "changed": outcome.changed,
        "notes": list(outcome.notes),
    }
    return Report("pulled", f"{word} {head}: {documents}{notes}", details)


def _conflicts(outcome: MergeOutcome) -> Report:
    ids = [str(conflict.id) for conflict in outcome.conflicts]
    return Report("conflicts", _settle(ids), {"documents": ids}, warning=True)


def _settle(ids: list[str]) -> str:
    return (
        f"In conflict: {', '.join(ids)}; settle that with `sopor resolve`, "
        "or give the merge up with `sopor merge --abort`"
    )


def _waiting(error: SoporError) -> Report:
    documents = error.documents if isinstance(error, EditsInTheWay | MergeConflicts) else ()
    report = _failed("Waiting", error)
    event = "secrets" if isinstance(error, SecretsFound) else "waiting"
    return Report(event, report.text, {**report.details, "documents": list(documents)}, True)


def _failed(what: str, error: SoporError) -> Report:
    hint = f" ({error.hint})" if error.hint else ""
    details = {"error": error.code, "message": error.message, "hint": error.hint}
    return Report("error", f"{what}: {error.message}{hint}", details, warning=True)
