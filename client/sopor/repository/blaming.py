"""Follows one document through its history: who gave each field its value, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from sopor.merge.algebra import ABSENT
from sopor.merge.diff import diff_documents
from sopor.merge.graph import newest_first
from sopor.merge.keys import by_key, key_field
from sopor.merge.paths import ElementKey, Path, format_path, value_at
from sopor.merge.spec import STRUCTURED, parse_text
from sopor.merge.values import MaybeJson, same_json
from sopor.model.document import Body, Document, DocumentId, Json
from sopor.records import dataclass
from sopor.repository.context import Context
from sopor.repository.describing import branch_names, describe_commit, document_name
from sopor.repository.history import find_document, in_history, log
from sopor.repository.results import (
    CommitInfo,
    DocumentBlame,
    DocumentStep,
    FieldBlame,
    FieldChange,
)
from sopor.repository.revisions import HEAD, resolve
from sopor_core.ids import Cid, CommitId

_UNCHANGING = frozenset({"_id", "_type"})


def blame(context: Context, word: str, revision: str | None = None) -> DocumentBlame:
    """Returns, for each field of a document, the commit that gave it the value that it has.

    A field that both sides of a merge have alike is followed along the first parent that has it.
    Elements of lists are fields where ids or names tell them apart; so are places inside the text
    of a design document.

    Args:
        context: the working copy.
        word: the document, by id, name or file.
        revision: the present commit by default.

    Raises:
        NotFound: the revision has no such document.
    """
    head = resolve(context.store, revision or HEAD)
    state = context.store.commits.state(head)
    document_id = find_document(context, state, word)
    document = context.load(state[document_id])
    places = dict(_places(document))
    found = _Blame(context, document_id, head, state[document_id]).run(places)
    names = branch_names(context)
    infos = {commit: describe_commit(context, commit, names) for commit in {*found.values()}}
    fields = tuple(
        FieldBlame(format_path(path), _json(value), infos[found[path]])
        for path, value in places.items()
    )
    return DocumentBlame(document_id, document.type, document_name(document), fields)


def _json(value: MaybeJson) -> Json:
    return None if value is ABSENT else value


def _places(document: Document) -> Iterator[tuple[Path, MaybeJson]]:
    for key, value in document.body.items():
        if key not in _UNCHANGING:
            text = parse_text(value) if (document.type, key) in STRUCTURED else None
            yield from _leaves((key,), value if text is None else text)


def _leaves(path: Path, value: Json) -> Iterator[tuple[Path, MaybeJson]]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _leaves((*path, key), member)
    elif isinstance(value, list) and value and (field_name := key_field(value)) is not None:
        for key, element in by_key(value, field_name).items():
            yield from _leaves((*path, ElementKey(key)), element)
    else:
        yield path, value


@dataclass(slots=True)
class _Blame:
    """One search under way; loads the document only where it changed."""

    context: Context
    document_id: DocumentId
    head: CommitId
    newest: Cid
    _cids: dict[CommitId, Cid | None] = field(default_factory=dict)

    def run(self, places: dict[Path, MaybeJson]) -> dict[Path, CommitId]:
        """Hands each place down the history, to where no parent has the value."""
        waiting: dict[CommitId, set[Path]] = {self.head: set(places)}
        found: dict[Path, CommitId] = {}
        self._cids[self.head] = self.newest
        for commit in newest_first(self.context.graph, [self.head]):
            left = waiting.pop(commit, set())
            for parent in self.context.store.commits.parents(commit):
                if not left:
                    break
                passed = self._same_in(commit, parent, left, places)
                if passed:
                    waiting.setdefault(parent, set()).update(passed)
                    left -= passed
            found.update(dict.fromkeys(left, commit))
            if not waiting:
                break
        return found

    def _same_in(
        self, commit: CommitId, parent: CommitId, paths: set[Path], places: dict[Path, MaybeJson]
    ) -> set[Path]:
        cid = self._cid(parent)
        if cid is None:
            return set()
        if cid == self._cid(commit):
            return set(paths)
        body = _opened(self.context.load(cid))
        return {path for path in paths if same_json(value_at(body, path), places[path])}

    def _cid(self, commit: CommitId) -> Cid | None:
        """Returns the document's content in a commit, along first parents to a known one."""
        commits = self.context.store.commits
        trail = []
        at: CommitId | None = commit
        while at is not None and at not in self._cids:
            trail.append(at)
            changes = commits.get(at).changes
            if self.document_id in changes:
                self._cids[at] = changes[self.document_id]
                break
            parents = commits.parents(at)
            at = parents[0] if parents else None
        cid = None if at is None else self._cids[at]
        self._cids.update(dict.fromkeys(trail, cid))
        return cid


def _opened(document: Document) -> Body:
    """Returns a body with the texts that hold a structure read, so that each is read once."""
    body = dict(document.body)
    for key, value in document.body.items():
        if (document.type, key) in STRUCTURED:
            text = parse_text(value)
            body[key] = value if text is None else text
    return body


def _changed(
    context: Context, commit: CommitInfo, document_id: DocumentId
) -> Iterator[FieldChange]:
    states = context.store.commits
    before = states.state(commit.parents[0] if commit.parents else None)
    after = states.state(commit.id)
    versions = [
        context.load(state[document_id]) if document_id in state else None
        for state in (before, after)
    ]
    for change in diff_documents(versions[0], versions[1]):
        yield FieldChange(
            format_path(change.path), str(change.kind), _json(change.before), _json(change.after)
        )


def document_log(
    context: Context,
    revision: str | None,
    word: str,
    *,
    limit: int | None = None,
    all_branches: bool = False,
) -> tuple[DocumentStep, ...]:
    """Returns the commits that changed one document, newest first, with what each changed in it."""
    commits = log(context, revision, document=word, limit=limit, all_branches=all_branches)
    if not commits:
        return ()
    document_id = in_history(context, revision, word, all_branches=all_branches)
    return tuple(
        DocumentStep(commit, tuple(_changed(context, commit, document_id))) for commit in commits
    )
