"""`fsck`: verifies everything that this working copy holds, from the bytes up."""

from __future__ import annotations

from collections.abc import Iterator

from sopor.crypto.pack import ObjectKind, open_pack
from sopor.errors import DamagedStore, SoporError
from sopor.repository.context import Context
from sopor.repository.results import Finding, FsckReport
from sopor.sync.verify import check_state
from sopor_core import canonical
from sopor_core.ids import Cid, CommitId, PackId
from sopor_core.push_entry import PushEntry
from sopor_core.push_log import EMPTY_LOG, LogPosition, check_entry

_PUSHED = "clone the project again to restore what was pushed; keep this folder until then"
_LOCAL = "what was not pushed and is not in the working files is lost; keep this folder"


def fsck(context: Context) -> FsckReport:
    """Verifies database, log, packs, documents, commits, states and branches.

    Files that a killed command left behind are deleted and counted as ``swept``.
    """
    findings: list[Finding] = []
    context.progress("checking the database")
    findings += [
        Finding(f"the database: {text}", _PUSHED) for text in context.store.database.check()
    ]
    with context.store.exclusive():
        entries = _check_log(context, findings)
        seen: set[Cid] = set()
        packs = _check_packs(context, findings, seen)
        commits = _check_commits(context, findings)
        _check_refs(context, findings)
        swept = _sweep(context)
    return FsckReport(commits, len(seen), packs, entries, tuple(findings), swept)


def _check_log(context: Context, findings: list[Finding]) -> int:
    org = context.org
    if org is None:
        return 0
    log = context.store.log
    log.forget_membership()
    count, head, cited = 0, EMPTY_LOG, 0
    heads: dict[bytes, CommitId] = {}
    try:
        membership = log.membership(org)
        for seq in range(1, log.pin.seq + 1):
            entry = log.entry(seq)
            if entry is None:
                raise DamagedStore(f"entry {seq} is missing", hint=_PUSHED)
            position = LogPosition(
                context.project, head, cited, heads.get, context.store.commits.listed
            )
            check_entry(entry, position, membership)
            _apply(entry, heads)
            count, head, cited = seq, entry.citation, entry.members.seq
    except SoporError as error:
        findings.append(Finding(f"the push log: {error.message}", _PUSHED))
    return count


def _apply(entry: PushEntry, heads: dict[bytes, CommitId]) -> None:
    for op in entry.ops:
        if op.new is None:
            heads.pop(op.branch, None)
        else:
            heads[op.branch] = op.new


def _check_packs(context: Context, findings: list[Finding], seen: set[Cid]) -> int:
    store, count = context.store, 0
    for pack, size, seq in store.objects.packs():
        count += 1
        context.progress(f"checking pack {count}")
        try:
            documents = set(_documents(context, pack, size))
        except SoporError as error:
            findings.append(
                Finding(f"pack {pack.short}: {error.message}", _PUSHED if seq else _LOCAL)
            )
            continue
        missing = store.objects.documents_of(pack) - documents
        if missing:
            findings.append(Finding(f"pack {pack.short} lacks {len(missing)} documents", _PUSHED))
        seen |= documents
    return count


def _documents(context: Context, pack: PackId, size: int) -> Iterator[Cid]:
    store = context.store
    opened = open_pack(
        context.keys, store.files.read(pack), pack, size, store.objects.verified_base
    )
    for item in opened.objects():
        if item.kind is ObjectKind.DOCUMENT:
            canonical.decode(item.data)
            yield Cid(item.id)


def _check_commits(context: Context, findings: list[Finding]) -> int:
    store, count = context.store, 0
    for commit_id in store.commits.all_ids():
        count += 1
        try:
            commit = store.commits.get(commit_id)
            if context.ids.commit_id(commit.encoded) != commit_id:
                raise DamagedStore("its content is another one", hint=_PUSHED)
            check_state(store, context.ids, commit_id, commit, store.objects.read)
        except SoporError as error:
            findings.append(Finding(f"commit {commit_id.short}: {error.message}", _PUSHED))
    return count


def _check_refs(context: Context, findings: list[Finding]) -> None:
    refs = context.store.refs
    for name, head in [*refs.all().items(), *refs.remotes().items()]:
        if context.store.commits.listed(head) is None:
            findings.append(Finding(f"branch {name!r} points at an unknown commit", _PUSHED))


def _sweep(context: Context) -> int:
    store = context.store
    left = store.files.unnamed({pack for pack, _size, _seq in store.objects.packs()})
    for path in left:
        path.unlink()
    return len(left)
