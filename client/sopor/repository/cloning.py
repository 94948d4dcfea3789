"""Makes working copies: a new project in a folder, or a copy of one that is on a server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sopor.account import Account
from sopor.crypto.keys import EpochSecret
from sopor.errors import InvalidInput, NotFound, StateConflict
from sopor.moments import Moment
from sopor.organization import Organization, find_organization
from sopor.remote.listings import RemoteProject
from sopor.repository.accounts import AccountSource
from sopor.repository.connection import Connection
from sopor.repository.context import Context, Progress, no_progress
from sopor.repository.project_keys import write_local_keys
from sopor.repository.publishing import remember_account
from sopor.repository.results import ProjectInfo
from sopor.store import FOLDER, Store
from sopor.store.beginning import begin, finish, is_unfinished
from sopor.store.refs import DEFAULT_BRANCH
from sopor_core.ids import ProjectId
from sopor_core.names import check_branch_name, check_project_name

_MIN_PREFIX = 4


def init(
    root: Path,
    accounts: AccountSource,
    *,
    name: str | None = None,
    branch: str = DEFAULT_BRANCH,
) -> Context:
    """Starts a project in a folder, without any server or account.

    Raises:
        StateConflict: the folder is a working copy already.
        InvalidValue: the name of project or branch is not acceptable.
    """
    check_branch_name(branch)
    name = check_project_name(name or root.resolve().name or "project")
    if (root / FOLDER).exists() and not is_unfinished(root / FOLDER):
        raise StateConflict(f"{root} is a working copy already", hint="see `sopor status`")
    project = ProjectId.random()
    with _new_store(root) as store:
        write_local_keys(store.folder, project, EpochSecret.random())
        with store.transaction():
            store.settings.set("project", project.hex())
            store.settings.set("project-name", name)
            store.refs.switch(branch)
    return Context(root.resolve(), store, accounts)


@contextmanager
def _new_store(root: Path) -> Iterator[Store]:
    """Creates ``.sopor``; what was created is gone again if the block fails."""
    created_root = not root.exists()
    folder = root / FOLDER
    begin(folder)
    try:
        yield Store.create(folder)
        finish(folder)
    except BaseException:
        shutil.rmtree(root if created_root else folder)
        raise


def projects(account: Account, org: str | None = None) -> tuple[ProjectInfo, ...]:
    """Lists the account's projects, their names opened from verified membership logs.

    Args:
        account: the account.
        org: the name, or the start of the id, of the one organization that is meant.

    Raises:
        NotFound: the account is not a member of such an organization.
    """
    summaries = account.remote.projects()
    if org is None:
        orgs = dict.fromkeys(summary.organization for summary in summaries)
        organizations = [Organization(account, each).refresh() for each in orgs]
    else:
        organizations = [find_organization(account, org)]
    found = [
        _info(organization, summary)
        for organization in organizations
        for summary in summaries
        if summary.organization == organization.id
    ]
    return tuple(sorted(found, key=lambda info: (info.name, info.id)))


def _info(organization: Organization, summary: RemoteProject) -> ProjectInfo:
    log, project = organization.log, summary.project
    return ProjectInfo(
        project,
        organization.project_name(project),
        organization.id,
        organization.name,
        str(log.access.role(organization.me, project)),
        str(log.status(project)),
        summary.seq,
        summary.bytes,
        Moment(summary.updated),
    )


def find_project(account: Account, word: str) -> ProjectInfo:
    """Returns the project that a name, or the start of an id, means.

    Raises:
        NotFound: there is none.
        InvalidInput: there are several.
    """
    known = projects(account)
    found = [info for info in known if info.name == word]
    if not found and len(word) >= _MIN_PREFIX:
        found = [info for info in known if info.id.hex().startswith(word.lower())]
    if not found:
        raise NotFound(
            f"there is no project {word!r} that you have access to",
            hint="see `sopor projects`; if you had access, ask an owner or admin",
        )
    if len(found) > 1:
        ids = ", ".join(info.id.short for info in found)
        raise InvalidInput(f"{word!r} means several projects: {ids}", hint="use an id")
    return found[0]


def clone(
    accounts: AccountSource,
    account: Account,
    word: str,
    folder: Path | None = None,
    branch: str | None = None,
    progress: Progress = no_progress,
) -> Context:
    """Copies a project from the server into a new or an empty folder.

    A clone that was killed is repeated in the same folder.

    Raises:
        StateConflict: the folder holds something.
        NotFound: there is no such project or branch.
        VerificationError: the server's copy does not verify; no folder is left behind.
    """
    info = find_project(account, word)
    root = folder or Path(_folder_name(info.name))
    if _holds_something(root) and not is_unfinished(root / FOLDER):
        raise StateConflict(f"{root} exists and is not empty", hint="name another folder")
    with _new_store(root) as store:
        context = Context(root.resolve(), store, accounts, progress)
        _remember(context, account, info)
        accounts.use(account)
        connection = Connection(context, info.organization, account)
        connection.fetch()
        _check_out(context, branch)
    return context


def _holds_something(root: Path) -> bool:
    return root.exists() and (not root.is_dir() or any(root.iterdir()))


def _folder_name(name: str) -> str:
    return name.replace("/", "-").strip(". ") or "project"


def _remember(context: Context, account: Account, info: ProjectInfo) -> None:
    settings = context.store.settings
    with context.store.transaction():
        settings.set("project", info.id.hex())
        settings.set("project-name", info.name)
        settings.set("organization", info.organization.hex())
        remember_account(context, account)


def _check_out(context: Context, branch: str | None) -> None:
    refs = context.store.refs
    remotes = refs.remotes()
    if branch is not None and branch not in remotes:
        raise NotFound(f"the project has no branch {branch!r}", hint="see `sopor branch -a`")
    names = [branch or DEFAULT_BRANCH, *remotes]
    name = next((name for name in names if name in remotes), DEFAULT_BRANCH)
    head = remotes.get(name)
    state = context.store.commits.state(head)
    context.progress(f"writing {len(state)} documents")
    written = context.files.write_all(context.load_all(state.values()))
    with context.store.transaction():
        refs.switch(name)
        if head is not None:
            refs.set(name, head)
        context.files.rebase(dict(state), written.paths)
