"""Two devices on whose files somebody works without pause, and a model of what must come of it.

The project lies in a folder of Insomnia's older Git Sync, one file for each document. Every
document is of one of three kinds:

- *own*: one device alone edits, moves, deletes and makes it; what it did last must stand.
- *shared*: both edit it, each a field of its own; both must stand.
- *contested*: both edit the same field, delete it and make it again. What conflicts is settled by
  one rule, and what stands must be the last word of one of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from sopor.repository import Repository
from sopor.repository.merge_state import has_merge
from tests.support.terminal import Terminal
from tests.support.watching import Watching
from tests.support.world import Device, request, workspace

FOLDERS = ("fld_a", "fld_b", "fld_c")
_COMPARED = {"type", "name", "url", "parentId", "description"}
_OWN, _SHARED, _CONTESTED = 5, 4, 3
_MOST_OWN = 12
_PATIENCE_SECONDS = 120.0
"""A watch may be at its push to a server that is away, which it tries again several times."""
_FIELDS = {"laptop": "name", "desktop": "url"}
"""Which field of a shared document a device edits."""

Body = dict[str, Any]


def first_documents() -> dict[str, Body]:
    """Returns what the project begins with, by id."""
    groups = [
        {"_id": folder, "type": "RequestGroup", "parentId": "wrk_1", "name": folder}
        for folder in FOLDERS
    ]
    ids = [f"req_{name}{number}" for name in _FIELDS for number in range(_OWN)]
    ids += [f"req_shared{number}" for number in range(_SHARED)]
    ids += [f"req_contested{number}" for number in range(_CONTESTED)]
    documents = [named("Workspace", workspace()), *groups, *map(new_request, ids)]
    return {str(each["_id"]): each for each in documents}


def new_request(document: str, **fields: object) -> Body:
    """Returns a request that has an id."""
    return named("Request", request(1, _id=document, **fields))


def named(kind: str, resource: Mapping[str, object]) -> Body:
    """Returns a resource as its own file holds it, which names its type otherwise."""
    return {"type": kind} | {key: value for key, value in resource.items() if key != "_type"}


def put(root: Path, body: Body, *, whole: bool = True) -> None:
    """Saves a document's file, as a new file in its place or into the one that is there."""
    path = root / ".insomnia" / body["type"] / f"{body['_id']}.yml"
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if whole:
        new = path.with_name(".saving")
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    else:
        path.write_text(text, encoding="utf-8")


def found(root: Path) -> dict[str, Body]:
    """Returns the documents in the files of a working copy, by id."""
    texts = (path.read_text(encoding="utf-8") for path in (root / ".insomnia").rglob("*.yml"))
    return {body["_id"]: body for body in map(yaml.safe_load, texts)}


@dataclass
class Model:
    """What must come of all edits.

    Attributes:
        certain: the fields of each document that one device alone edits.
        gone: the documents that the only device that edits them deleted.
        last: the last word of each device about a contested document, None for deleted.
    """

    certain: dict[str, Body] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    last: dict[str, dict[str, str | None]] = field(default_factory=dict)
    edits: Counter[str] = field(default_factory=Counter)

    def check(self, documents: Mapping[str, Body]) -> None:
        """Checks that nothing was lost and nothing came back."""
        for document, body in self.certain.items():
            stands = documents[document]
            assert {key: stands[key] for key in body} == body, document
        assert not self.gone & documents.keys()
        for document, words in self.last.items():
            stands_as = documents.get(document, {}).get("name")
            assert stands_as in words.values(), f"{document} is {stands_as!r}, none of {words}"


class Desk:
    """A device that watches with ``--auto``, and somebody who works on its files."""

    def __init__(self, name: str, device: Device, terminal: Terminal, model: Model) -> None:
        self.name = name
        self.root = device.folder / "shop"
        self.device = device
        self.conflicts: Counter[str] = Counter()
        self._model = model
        self._drawn = random.Random(name)
        self._numbers = count()
        self._own = [f"req_{name}{number}" for number in range(_OWN)]
        self._repository: Repository = device.open("shop")
        self.watch = Watching(terminal, "--auto --settle 0.2")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.watch.close()
        self._repository.close()

    # ------------------------------------------------------------------------------------- editing

    def edit(self) -> None:
        """Does one thing to one document, drawn at random."""
        doings = (self._own_field, self._move, self._new, self._delete, self._shared, self._contest)
        (doing,) = self._drawn.choices(doings, weights=(40, 12, 10, 8, 20, 10))
        doing()
        self._model.edits[doing.__name__.strip("_")] += 1

    def _word(self) -> str:
        return f"{self.name} {next(self._numbers)}"

    def _own_field(self) -> None:
        what = self._drawn.choice(["name", "url", "description"])
        self._save_own(self._drawn.choice(self._own), **{what: self._word()})

    def _move(self) -> None:
        parent = self._drawn.choice([*FOLDERS, "wrk_1"])
        self._save_own(self._drawn.choice(self._own), parentId=parent)

    def _save_own(self, document: str, **fields: object) -> None:
        # Nobody else touches it, so it is saved beside whatever the watch does at the moment.
        body = yaml.safe_load(self._path(document).read_text(encoding="utf-8")) | fields
        put(self.root, body, whole=self._drawn.random() < 0.7)
        self._model.certain[document] = {key: body[key] for key in _COMPARED & body.keys()}

    def _new(self) -> None:
        if len(self._own) >= _MOST_OWN:
            self._remove()
        document = f"req_{self.name}_new{next(self._numbers)}"
        body = new_request(document, name=self._word(), parentId=self._drawn.choice(FOLDERS))
        put(self.root, body, whole=self._drawn.random() < 0.7)
        self._own.append(document)
        self._model.certain[document] = {key: body[key] for key in _COMPARED & body.keys()}

    def _delete(self) -> None:
        if len(self._own) > 1:
            self._remove()

    def _remove(self) -> None:
        document = self._own.pop(self._drawn.randrange(len(self._own)))
        self._path(document).unlink()
        self._model.certain.pop(document, None)
        self._model.gone.add(document)

    def _shared(self) -> None:
        document, what = f"req_shared{self._drawn.randrange(_SHARED)}", _FIELDS[self.name]
        with self._repository.context.store.exclusive(_PATIENCE_SECONDS):
            body = yaml.safe_load(self._path(document).read_text(encoding="utf-8"))
            body[what] = self._word()
            put(self.root, body)
        self._model.certain.setdefault(document, {})[what] = body[what]

    def _contest(self) -> None:
        """Edits what the other one edits, unless a conflict waits to be settled."""
        document = f"req_contested{self._drawn.randrange(_CONTESTED)}"
        with self._repository.context.store.exclusive(_PATIENCE_SECONDS):
            if has_merge(self._repository.context.store):
                return
            path, word = self._path(document), None
            if path.exists() and self._drawn.random() < 0.2:
                path.unlink()
            else:
                there = path.read_text(encoding="utf-8") if path.exists() else None
                body = yaml.safe_load(there) if there else new_request(document)
                word = body["name"] = self._word()
                put(self.root, body)
        self._model.last.setdefault(document, {})[self.name] = word

    def _path(self, document: str) -> Path:
        return self.root / ".insomnia" / "Request" / f"{document}.yml"

    # ------------------------------------------------------------------------------------ settling

    def settle(self) -> None:
        """Settles what conflicts as the laptop has it."""
        status = self._repository.merge_status()
        left = [each for each in status.conflicts if not each.resolved] if status else []
        if not left:
            return
        ids = [str(each.id) for each in left]
        assert all(each.startswith("req_contested") for each in ids), ids
        self.conflicts.update(each.kind for each in left)
        self._repository.resolve(ids, "ours" if self.name == "laptop" else "theirs")

    def state(self) -> tuple[object, bool]:
        """Returns the head, and whether everything is committed and pushed."""
        with self.device.open("shop") as repository:
            refs = repository.context.store.refs
            still = not has_merge(repository.context.store) and repository.status().clean
            return refs.head, still and refs.remotes().get("main") == refs.head

    def fsck(self) -> None:
        """Checks the whole store."""
        with self.device.open("shop") as repository:
            assert repository.fsck().clean


def are_equal(desks: Iterable[Desk]) -> bool:
    """Tells whether all stand at the same commit with nothing to do."""
    states = [desk.state() for desk in desks]
    return all(still for _, still in states) and len({head for head, _ in states}) == 1
