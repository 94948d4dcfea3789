"""The library: a working copy as an object, every command of `sopor` as a method.

    with sopor.open("my-project") as repository:
        repository.commit("Add the health check")
        repository.sync()

The work is done by the modules beside this one; methods only name them. Revisions are as in
`sopor.repository.revisions`, documents are named as in `sopor.repository.selection`, results are
in `sopor.repository.results`, errors in `sopor.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sopor.lazy import lazy_module
from sopor.repository.accounts import AccountSource, PasswordSource
from sopor.repository.context import Context, Progress, find_root, no_progress
from sopor.store import FOLDER, Store

if TYPE_CHECKING:
    from sopor.formats.converting import Target
    from sopor.model.document import Document, Json
    from sopor.organization.results import AuditEntry
    from sopor.repository import (
        auditing,
        blaming,
        branching,
        checking,
        cloning,
        committing,
        exporting,
        history,
        merging,
        repairing,
        reporting,
        resolving,
        reverting,
        revisions,
        syncing,
    )
    from sopor.repository import events as live_events
    from sopor.repository import presence as presences
    from sopor.repository.exporting import ExportResult
    from sopor.repository.presence import Present
    from sopor.repository.resolving import Versions
    from sopor.repository.results import (
        BranchInfo,
        CommitDetail,
        CommitInfo,
        ConflictInfo,
        DocumentBlame,
        DocumentChange,
        DocumentDiff,
        DocumentStep,
        FetchResult,
        FsckReport,
        MergeOutcome,
        MergeStatus,
        ProjectInfo,
        PullResult,
        PushResult,
        RepairResult,
        Status,
        SyncResult,
    )
    from sopor_core.ids import CommitId
else:
    auditing = lazy_module("sopor.repository.auditing")
    blaming = lazy_module("sopor.repository.blaming")
    branching = lazy_module("sopor.repository.branching")
    checking = lazy_module("sopor.repository.checking")
    cloning = lazy_module("sopor.repository.cloning")
    committing = lazy_module("sopor.repository.committing")
    exporting = lazy_module("sopor.repository.exporting")
    history = lazy_module("sopor.repository.history")
    live_events = lazy_module("sopor.repository.events")
    merging = lazy_module("sopor.repository.merging")
    presences = lazy_module("sopor.repository.presence")
    repairing = lazy_module("sopor.repository.repairing")
    reporting = lazy_module("sopor.repository.reporting")
    resolving = lazy_module("sopor.repository.resolving")
    reverting = lazy_module("sopor.repository.reverting")
    revisions = lazy_module("sopor.repository.revisions")
    syncing = lazy_module("sopor.repository.syncing")

__all__ = ["Repository", "clone", "projects"]


class Repository:
    """One working copy; close it, or use it in a `with` block."""

    def __init__(self, context: Context) -> None:
        """Takes an open context; use `init`, `open` or `clone`."""
        self._context = context

    @classmethod
    def init(
        cls,
        root: Path | str,
        *,
        name: str | None = None,
        branch: str = "main",
        passwords: PasswordSource | None = None,
        home: Path | None = None,
    ) -> Self:
        """Starts a project in a folder; see `sopor.repository.cloning.init`."""
        accounts = AccountSource(home, passwords)
        return cls(cloning.init(Path(root), accounts, name=name, branch=branch))

    @classmethod
    def open(
        cls,
        path: Path | str = ".",
        *,
        passwords: PasswordSource | None = None,
        home: Path | None = None,
        progress: Progress = no_progress,
    ) -> Self:
        """Opens the working copy at or above a path.

        Args:
            path: where to look.
            passwords: asked when the keystore must be unlocked; without it that fails.
            home: the folder of the keystore; ``$SOPOR_HOME`` or the system's place by default.
            progress: told what goes on.

        Raises:
            NotFound: there is no working copy.
            DamagedStore: its ``.sopor`` does not read back.
        """
        root = find_root(Path(path))
        store = Store.open(root / FOLDER)
        return cls(Context(root, store, AccountSource(home, passwords), progress))

    def close(self) -> None:
        """Closes the working copy's database and its connection."""
        self._context.accounts.close()
        self._context.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def root(self) -> Path:
        """The folder of the working copy."""
        return self._context.root

    @property
    def context(self) -> Context:
        """What operations share; for extensions."""
        return self._context

    def status(self) -> Status:
        """Tells the branch, its distance from the remote one, edits, and a merge under way."""
        return reporting.status(self._context)

    def commit(
        self,
        message: str,
        documents: Sequence[str] = (),
        *,
        allow_empty: bool = False,
        allow_secrets: bool = False,
    ) -> CommitDetail:
        """Commits all edits or those of chosen documents; see `committing.commit`."""
        return committing.commit(
            self._context,
            message,
            documents,
            allow_empty=allow_empty,
            allow_secrets=allow_secrets,
        )

    def resolve_revision(self, revision: str) -> CommitId:
        """Returns the commit that a revision names; raises NotFound."""
        return revisions.resolve(self._context.store, revision)

    def log(
        self,
        revision: str | None = None,
        *,
        document: str | None = None,
        limit: int | None = None,
        all_branches: bool = False,
    ) -> tuple[CommitInfo, ...]:
        """Returns commits, newest first; see `history.log`."""
        return history.log(
            self._context, revision, document=document, limit=limit, all_branches=all_branches
        )

    def graph(self, commits: Sequence[CommitInfo]) -> tuple[tuple[str, ...], ...]:
        """Returns the lines of the graph for each of the commits of one `log`, in its order."""
        return history.graph(commits)

    def show(self, revision: str) -> CommitDetail:
        """Returns one commit with the documents that it changed."""
        return history.show(self._context, revision)

    def show_diff(self, revision: str) -> tuple[DocumentDiff, ...]:
        """Returns the places that one commit changed."""
        return history.show_diff(self._context, revision)

    def document_log(
        self,
        document: str,
        revision: str | None = None,
        *,
        limit: int | None = None,
        all_branches: bool = False,
    ) -> tuple[DocumentStep, ...]:
        """Returns the commits that changed one document, with what each changed in it."""
        return blaming.document_log(
            self._context, revision, document, limit=limit, all_branches=all_branches
        )

    def blame(self, document: str, revision: str | None = None) -> DocumentBlame:
        """Returns for each field of a document the commit that set it; see `blaming.blame`."""
        return blaming.blame(self._context, document, revision)

    def document(self, document: str, revision: str | None = None) -> Document:
        """Returns one document of a revision."""
        return history.document(self._context, document, revision)

    def diff(
        self, old: str | None = None, new: str | None = None, documents: Sequence[str] = ()
    ) -> tuple[DocumentDiff, ...]:
        """Returns the places that differ; see `history.diff`."""
        return history.diff(self._context, old, new, documents)

    def branches(self, *, remote: bool = False) -> tuple[BranchInfo, ...]:
        """Lists branches, with ``remote`` those that only the server has as well."""
        return branching.branches(self._context, remote=remote)

    def create_branch(self, name: str, at: str | None = None) -> BranchInfo:
        """Creates a branch at a revision."""
        return branching.create_branch(self._context, name, at)

    def delete_branch(self, name: str, *, force: bool = False) -> CommitId:
        """Deletes a local branch; returns where it was."""
        return branching.delete_branch(self._context, name, force=force)

    def rename_branch(self, old: str, new: str) -> BranchInfo:
        """Renames a local branch."""
        return branching.rename_branch(self._context, old, new)

    def delete_remote_branch(self, name: str) -> PushResult:
        """Deletes a branch on the server."""
        return syncing.delete_remote_branch(self._context, name)

    def switch(
        self, name: str, *, create: bool = False, at: str | None = None
    ) -> tuple[DocumentChange, ...]:
        """Makes another branch the current one; see `branching.switch`."""
        return branching.switch(self._context, name, create=create, at=at)

    def merge(
        self, revision: str, message: str | None = None, *, keep_edits: bool = False
    ) -> MergeOutcome:
        """Merges a revision into the current branch; see `merging.merge_commit`."""
        return merging.merge(self._context, revision, message, keep_edits=keep_edits)

    def merge_status(self) -> MergeStatus | None:
        """Describes the merge under way, or returns None."""
        return resolving.merge_status(self._context)

    def merge_continue(self, message: str | None = None) -> CommitDetail:
        """Commits the merge under way, whose conflicts are resolved."""
        return resolving.merge_continue(self._context, message)

    def merge_abort(self) -> None:
        """Gives the merge under way up."""
        resolving.merge_abort(self._context)

    def resolve(
        self, documents: Sequence[str], choice: str, field: str | None = None
    ) -> tuple[ConflictInfo, ...]:
        """Settles conflicts; see `resolving.resolve_conflicts`."""
        return resolving.resolve_conflicts(self._context, documents, choice, field)

    def resolve_with(
        self, document: str, body: Json, field: str | None = None
    ) -> tuple[ConflictInfo, ...]:
        """Settles a document in conflict, or one field of it, by JSON of the person's own."""
        return resolving.resolve_with(self._context, document, body, field)

    def conflict_versions(self, document: str) -> Versions:
        """Returns the three versions of a document in conflict."""
        return resolving.conflict_versions(self._context, document)

    def revert(self, revision: str, message: str | None = None) -> MergeOutcome:
        """Undoes one commit by a new commit."""
        return reverting.revert(self._context, revision, message)

    def revert_to(self, revision: str, message: str | None = None) -> CommitDetail:
        """Brings the whole project back to an older commit's state, as a new commit."""
        return reverting.revert_to(self._context, revision, message)

    def restore(
        self, documents: Sequence[str], source: str | None = None
    ) -> tuple[DocumentChange, ...]:
        """Writes documents of a commit into the working files; see `reverting.restore`."""
        return reverting.restore(self._context, documents, source)

    def export(
        self,
        target: Target,
        revision: str | None = None,
        place: Path | str | None = None,
        *,
        overwrite: bool = False,
    ) -> ExportResult:
        """Writes a commit's documents as files of another format; see `exporting.export`."""
        path = Path(place) if place is not None else None
        return exporting.export(self._context, target, revision, path, overwrite=overwrite)

    def push(
        self,
        branch: str | None = None,
        *,
        all_branches: bool = False,
        upto: str | None = None,
        dry_run: bool = False,
        org: str | None = None,
    ) -> PushResult:
        """Publishes commits; see `syncing.push`."""
        return syncing.push(
            self._context,
            branch,
            all_branches=all_branches,
            upto=self.resolve_revision(upto) if upto else None,
            dry_run=dry_run,
            org=org,
        )

    def fetch(self) -> FetchResult:
        """Receives and verifies what is new on the server."""
        return syncing.fetch(self._context)

    def pull(self, *, keep_edits: bool = False) -> PullResult:
        """Fetches, then brings what is new into the current branch; see `syncing.pull`."""
        return syncing.pull(self._context, keep_edits=keep_edits)

    def sync(self) -> SyncResult:
        """Pulls and pushes the current branch."""
        return syncing.sync(self._context)

    def events(self, *, presence: bool = False) -> live_events.Events:
        """Returns an iterator of what happens in the project, as it happens and once verified.

            with repository.events() as events:
                for event in events:
                    ...

        It waits between events, and ends when `Events.close` is called, by any thread. What others
        push is received as `fetch` does; no file and no local branch changes. Breaks are waited
        for, and told as `sopor.repository.events.Live`. With ``presence``, streams tell who is on
        which branch as well, as `sopor.repository.events.Presence`.

        Raises:
            StateConflict: the project is on no server yet.
            SessionExpired, PermissionDenied, NotFound, VerificationError, ...: while it iterates,
                if it is over for good.
        """
        return live_events.Events(self._context, presence=presence)

    def presence(self) -> tuple[Present, ...]:
        """Tells who works on which branch, of those who say so; see `presence.presence`."""
        return presences.presence(self._context)

    def fsck(self) -> FsckReport:
        """Verifies everything that this working copy holds."""
        return checking.fsck(self._context)

    def audit(self, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """Tells the project's verified push log, the newest entry first."""
        return auditing.audit(self._context, limit)

    def repair(self) -> RepairResult:
        """Publishes again what a server lost that was restored from a backup."""
        return repairing.repair(self._context)

    def config_get(self, name: str) -> str | None:
        """Returns a setting of the working copy, else of the device, else None."""
        return self._context.accounts.config.get(name, self._context.store)

    def config_set(self, name: str, value: str | None) -> None:
        """Sets a setting of this working copy, or removes it with None."""
        self._context.accounts.config.set(name, value, self._context.store)

    def config_list(self) -> dict[str, str]:
        """Returns every setting that holds here."""
        return self._context.accounts.config.all(self._context.store)


def clone(
    project: str,
    folder: Path | str | None = None,
    *,
    branch: str | None = None,
    server: str | None = None,
    login: str | None = None,
    passwords: PasswordSource | None = None,
    home: Path | None = None,
    progress: Progress = no_progress,
) -> Repository:
    """Copies a project from the server; see `sopor.repository.cloning.clone`."""
    accounts = AccountSource(home, passwords)
    account = accounts.choose(server, login)
    target = Path(folder) if folder is not None else None
    return Repository(cloning.clone(accounts, account, project, target, branch, progress))


def projects(
    *,
    org: str | None = None,
    server: str | None = None,
    login: str | None = None,
    passwords: PasswordSource | None = None,
    home: Path | None = None,
) -> tuple[ProjectInfo, ...]:
    """Lists the projects of the account on this device, in all its organizations or in one."""
    accounts = AccountSource(home, passwords)
    try:
        return cloning.projects(accounts.choose(server, login), org)
    finally:
        accounts.close()
