"""Creates, renames, deletes and switches branches."""

from __future__ import annotations

from sopor.errors import InvalidInput, NotFound, StateConflict
from sopor.merge.graph import ahead_behind, is_ancestor
from sopor.repository.checkout import check_not_in_the_way, move_files
from sopor.repository.context import Context
from sopor.repository.describing import describe_delta
from sopor.repository.interrupted import begin
from sopor.repository.journal import Move
from sopor.repository.merge_state import refuse_during_merge
from sopor.repository.results import BranchInfo, DocumentChange, Tracking
from sopor.repository.revisions import HEAD, REMOTE_PREFIX, resolve
from sopor_core.ids import CommitId
from sopor_core.names import check_branch_name


def branches(context: Context, *, remote: bool = False) -> tuple[BranchInfo, ...]:
    """Lists the local branches, and with ``remote`` those that only the remote has."""
    refs = context.store.refs
    local = refs.all()
    listed = [_info(context, name, head) for name, head in local.items()]
    if remote:
        listed += [
            _info(context, name, head, remote=True)
            for name, head in refs.remotes().items()
            if name not in local
        ]
    return tuple(listed)


def _info(context: Context, name: str, head: CommitId, *, remote: bool = False) -> BranchInfo:
    return BranchInfo(
        name=name,
        head=head,
        subject=context.store.commits.get(head).subject,
        current=not remote and name == context.store.refs.current,
        tracking=None if remote else tracking(context, name),
        remote=remote,
    )


def tracking(context: Context, name: str) -> Tracking | None:
    """Returns how far a local branch is from its remote one, or None without one."""
    theirs = context.store.refs.remotes().get(name)
    ours = context.store.refs.get(name)
    if theirs is None or ours is None:
        return None
    apart = ahead_behind(context.graph, ours, theirs)
    return Tracking(theirs, apart.ahead, apart.behind)


def create_branch(context: Context, name: str, at: str | None = None) -> BranchInfo:
    """Creates a branch at a revision, the present commit by default.

    Raises:
        InvalidValue: git would not take the name either.
        StateConflict: there is such a branch.
    """
    with begin(context):
        head = _new_target(context, name, at)
        context.store.refs.set(name, head)
        return _info(context, name, head)


def _check_new(context: Context, name: str) -> None:
    check_branch_name(name)
    if name.startswith(REMOTE_PREFIX):
        raise InvalidInput(
            f"{name!r} is not a branch name here", hint="'remote/' stands for the server's branches"
        )
    if context.store.refs.get(name) is not None:
        raise StateConflict(f"branch {name!r} exists already", hint="choose another name")


def delete_branch(context: Context, name: str, *, force: bool = False) -> CommitId:
    """Deletes a local branch; returns where it was.

    Raises:
        NotFound: there is no such branch.
        StateConflict: it is the current one, or has commits that nothing else has.
    """
    with begin(context):
        refs = context.store.refs
        head = refs.require(name)
        if name == refs.current:
            raise StateConflict(
                f"branch {name!r} is the current one", hint="switch to another one first"
            )
        if not force and not _kept_elsewhere(context, name, head):
            raise StateConflict(
                f"branch {name!r} has commits that no other branch has",
                hint="merge it, or delete it all the same with `sopor branch -D`",
            )
        refs.delete(name)
        return head


def _kept_elsewhere(context: Context, name: str, head: CommitId) -> bool:
    refs = context.store.refs
    others = {other for branch, other in refs.all().items() if branch != name}
    others |= set(refs.remotes().values())
    return any(is_ancestor(context.graph, head, other) for other in others)


def rename_branch(context: Context, old: str, new: str) -> BranchInfo:
    """Renames a local branch.

    Raises:
        NotFound: there is no such branch.
        StateConflict: the new name exists.
    """
    with begin(context):
        refs = context.store.refs
        head = refs.get(old)
        if head is None and old != refs.current:
            raise NotFound(f"there is no branch {old!r}", hint="see `sopor branch`")
        _check_new(context, new)
        with context.store.transaction():
            if old == refs.current:
                refs.switch(new)
            if head is not None:
                refs.delete(old)
                refs.set(new, head)
        return _info(context, new, head or resolve(context.store, HEAD))


def switch(
    context: Context, name: str, *, create: bool = False, at: str | None = None
) -> tuple[DocumentChange, ...]:
    """Makes a branch the current one and its state the working files'.

    Uncommitted edits of documents that both branches hold alike are carried over. A branch that
    only the remote has is created from there.

    Returns:
        what changed in the working files.

    Raises:
        NotFound: there is no such branch.
        StateConflict: uncommitted edits are in the way, or a merge is under way.
    """
    refs = context.store.refs
    with begin(context):
        refuse_during_merge(context.store)
        target = _new_target(context, name, at) if create else _known_target(context, name)
        before = context.store.commits.state(refs.head)
        delta = before.difference(context.store.commits.state(target))
        check_not_in_the_way(context, context.scan(), delta)
        move_files(context, Move(name, target), delta)
        return describe_delta(context, before, delta)


def _known_target(context: Context, name: str) -> CommitId:
    refs = context.store.refs
    target = refs.get(name) or refs.remotes().get(name)
    if target is None:
        raise NotFound(
            f"there is no branch {name!r}",
            hint=f"see `sopor branch -a`, or create it with `sopor switch -c {name}`",
        )
    return target


def _new_target(context: Context, name: str, at: str | None) -> CommitId:
    _check_new(context, name)
    return resolve(context.store, at or HEAD)
