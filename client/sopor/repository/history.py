"""Looks at history: log, graph, one commit, one document, differences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sopor.errors import NotFound
from sopor.merge.algebra import ABSENT
from sopor.merge.diff import diff_documents
from sopor.merge.drawing import graph_lines, graph_rows
from sopor.merge.graph import newest_first
from sopor.merge.paths import format_path
from sopor.merge.values import MaybeJson
from sopor.model.document import Document, DocumentId, Json
from sopor.model.state import State
from sopor.repository.context import Context
from sopor.repository.describing import (
    branch_names,
    describe,
    describe_commit,
    describe_delta,
    document_name,
    in_order,
    kind_of,
)
from sopor.repository.interrupted import end_if_free
from sopor.repository.results import (
    CommitDetail,
    CommitInfo,
    DocumentDiff,
    FieldChange,
)
from sopor.repository.revisions import HEAD, resolve
from sopor.repository.selection import Candidate, select
from sopor_core.ids import CommitId


def log(
    context: Context,
    revision: str | None = None,
    *,
    document: str | None = None,
    limit: int | None = None,
    all_branches: bool = False,
) -> tuple[CommitInfo, ...]:
    """Returns commits, newest first, children before parents.

    Args:
        context: the working copy.
        revision: where to start; the present commit by default.
        document: only commits that changed this document.
        limit: at most so many.
        all_branches: start from all branches, remote ones as well.
    """
    heads = _heads(context, revision, all_branches=all_branches)
    commits = context.store.commits
    wanted = _find_in_history(context, heads, document) if document else None
    names = branch_names(context)
    found: list[CommitInfo] = []
    for commit_id in newest_first(context.graph, heads):
        if limit is not None and len(found) >= limit:
            break
        if wanted is None or wanted in commits.get(commit_id).changes:
            found.append(describe_commit(context, commit_id, names))
    return tuple(found)


def graph(commits: Sequence[CommitInfo]) -> tuple[tuple[str, ...], ...]:
    """Returns, for each of the commits of one `log`, its lines of the graph, its own line first."""
    shown = {commit.id: commit for commit in commits}
    rows = graph_rows(
        shown, lambda commit: [parent for parent in shown[commit].parents if parent in shown]
    )
    drawn: list[list[str]] = []
    for line in graph_lines(rows):
        if line.commit is not None:
            drawn.append([])
        drawn[-1].append(line.text)
    return tuple(map(tuple, drawn))


def _heads(context: Context, revision: str | None, *, all_branches: bool) -> list[CommitId]:
    refs = context.store.refs
    if all_branches:
        return list(dict.fromkeys([*refs.all().values(), *refs.remotes().values()]))
    if revision is None and refs.head is None:
        return []
    return [resolve(context.store, revision or HEAD)]


def in_history(
    context: Context, revision: str | None, word: str, *, all_branches: bool = False
) -> DocumentId:
    """Returns the document that a word means in a log, also one that is deleted by now."""
    return _find_in_history(context, _heads(context, revision, all_branches=all_branches), word)


def _find_in_history(context: Context, heads: Sequence[CommitId], word: str) -> DocumentId:
    state = context.store.commits.state(heads[0] if heads else None)
    try:
        return find_document(context, state, word)
    except NotFound:
        for commit_id in newest_first(context.graph, heads):
            if DocumentId(word) in context.store.commits.get(commit_id).changes:
                return DocumentId(word)
        raise


def find_document(context: Context, state: State, word: str) -> DocumentId:
    """Returns the document of a state that a word means; opens documents only for a name."""
    if DocumentId(word) in state:
        return DocumentId(word)
    by_prefix = [document_id for document_id in state if document_id.startswith(word)]
    if len(by_prefix) == 1:
        return by_prefix[0]
    (found,) = select([word], _candidates(context, state))
    return found


def _candidates(context: Context, state: State) -> Iterator[Candidate]:
    for document_id, cid in state.items():
        yield Candidate(
            document_id, document_name(context.load(cid)), context.files.path_of(document_id)
        )


def select_documents(context: Context, state: State, words: Sequence[str]) -> list[DocumentId]:
    """Returns the documents of a state that words mean: ids, names, files."""
    if all(DocumentId(word) in state for word in words):
        return [DocumentId(word) for word in dict.fromkeys(words)]
    return select(words, _candidates(context, state))


def show(context: Context, revision: str) -> CommitDetail:
    """Returns one commit with the documents that it changed."""
    commit_id = resolve(context.store, revision)
    commit = context.store.commits.get(commit_id)
    before = context.store.commits.state(commit.parents[0] if commit.parents else None)
    return CommitDetail(
        describe_commit(context, commit_id, branch_names(context)),
        describe_delta(context, before, commit.changes),
    )


def show_diff(context: Context, revision: str) -> tuple[DocumentDiff, ...]:
    """Returns the places that one commit changed against its first parent."""
    commit_id = resolve(context.store, revision)
    parents = context.store.commits.parents(commit_id)
    before = context.store.commits.state(parents[0] if parents else None)
    return _diff_states(context, before, context.store.commits.state(commit_id), ())


def document(context: Context, word: str, revision: str | None = None) -> Document:
    """Returns one document of a revision, the present commit by default; raises NotFound."""
    state = context.store.commits.state(resolve(context.store, revision or HEAD))
    return context.load(state[find_document(context, state, word)])


def diff(
    context: Context,
    old: str | None = None,
    new: str | None = None,
    documents: Sequence[str] = (),
) -> tuple[DocumentDiff, ...]:
    """Returns the places that differ between two revisions, or a revision and the working files.

    Args:
        context: the working copy.
        old: a revision; the present commit by default.
        new: a revision; the working files by default.
        documents: only these.
    """
    if new is None:
        end_if_free(context)
    commits = context.store.commits
    if old is None and context.store.refs.head is None:
        before = State()
    else:
        before = commits.state(resolve(context.store, old or HEAD))
    if new is not None:
        return _diff_states(context, before, commits.state(resolve(context.store, new)), documents)
    return _diff_files(context, before, documents)


def _diff_states(
    context: Context, before: State, after: State, words: Sequence[str]
) -> tuple[DocumentDiff, ...]:
    delta = before.difference(after)
    pairs = (
        (
            context.load(before[key]) if key in before else None,
            context.load(after[key]) if key in after else None,
        )
        for key in delta
    )
    return _diff_pairs(pairs, words, {})


def _diff_files(context: Context, before: State, words: Sequence[str]) -> tuple[DocumentDiff, ...]:
    scan = context.scan()
    head = context.store.commits.state(context.store.refs.head)
    delta = before.difference(head)
    pairs = []
    for key in dict.fromkeys([*delta, *scan.changes]):
        at_head = context.load(head[key]) if key in head else None
        old = context.load(before[key]) if key in before else None
        pairs.append((old, scan.changes.get(key, at_head)))
    return _diff_pairs(pairs, words, scan.paths)


def _diff_pairs(
    pairs: Iterable[tuple[Document | None, Document | None]],
    words: Sequence[str],
    paths: Mapping[DocumentId, str],
) -> tuple[DocumentDiff, ...]:
    diffs: dict[DocumentId, DocumentDiff] = {}
    for old, new in pairs:
        shown = new or old
        if shown is None or (old and new and old.body == new.body):
            continue
        change = describe(kind_of(old, new), shown, paths.get(shown.id))
        diffs[shown.id] = DocumentDiff(change, tuple(_fields(old, new)))
    if words:
        candidates = [
            Candidate(key, item.change.name, item.change.file) for key, item in diffs.items()
        ]
        chosen = set(select(words, candidates, "changed document"))
        diffs = {key: item for key, item in diffs.items() if key in chosen}
    order = [change.id for change in in_order(item.change for item in diffs.values())]
    return tuple(diffs[key] for key in order)


def _fields(old: Document | None, new: Document | None) -> Iterator[FieldChange]:
    for change in diff_documents(old, new):
        yield FieldChange(
            format_path(change.path), str(change.kind), _value(change.before), _value(change.after)
        )


def _value(value: MaybeJson) -> Json:
    return None if value is ABSENT else value
