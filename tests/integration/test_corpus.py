"""Real files and their real histories travel to another device and lose nothing on the way.

Files are compared twice: by what Sopor's own readers find in them, and by what plain JSON and YAML
libraries find, which know nothing of Sopor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sopor.formats import FileContent, recognise
from sopor.formats.compare import same_documents, same_json
from sopor.model.document import Document, DocumentId, split_modified
from sopor.repository import Repository
from tests.support.corpus import corpus, corpus_files, corpus_name
from tests.support.server import RunningServer
from tests.support.world import Device, World

_FILES = [path for path in corpus_files() if path.parent == corpus()]
_HISTORIES = sorted({path.parent for path in corpus_files()} - {corpus()})


def parse(path: str, data: bytes) -> FileContent:
    """Returns what Sopor's readers find in a file."""
    form = recognise(path, data)
    assert form is not None, f"{path} is not recognised"
    return form.read(data, path)


def shared(content: FileContent) -> tuple[Document, ...]:
    """Returns what of a file is shared: its record, and its documents without ``modified``."""
    return (content.record, *(split_modified(document)[0] for document in content.documents))


class _PlainYaml(yaml.CSafeLoader):
    """Reads dates as the texts that they are in JSON."""


_PlainYaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def plain(path: str, data: bytes) -> Any:
    """Returns a file as JSON or YAML say it, less what stays on its machine, in one order."""
    value = json.loads(data) if path.endswith(".json") else yaml.load(data, _PlainYaml)  # noqa: S506
    assert isinstance(value, dict)
    value.pop("cookieJar", None)
    return _in_order(value)


def _in_order(value: Any) -> Any:
    """Sorts what has an id: where it is shown follows from its sort key, not from the file."""
    if isinstance(value, dict):
        local = {"modified"} if {"_id", "id"} & value.keys() else set()
        return {key: _in_order(item) for key, item in value.items() if key not in local}
    if not isinstance(value, list):
        return value
    if not all(isinstance(item, dict) and _id_of(item) for item in value):
        return [_in_order(item) for item in value]
    return sorted((_in_order(item) for item in value if not _is_private(item)), key=_id_of)


def _id_of(item: dict[str, Any]) -> str:
    meta = item.get("meta")
    return str(item.get("_id") or (meta.get("id", "") if isinstance(meta, dict) else ""))


def _is_private(item: dict[str, Any]) -> bool:
    if item.get("_type") in ("cookie_jar", "environment"):
        return item["_type"] == "cookie_jar" or item.get("isPrivate") is True
    return "data" in item and item.get("meta", {}).get("isPrivate") is True


@dataclass(frozen=True)
class Copied:
    """A file before it was committed, and on the device that cloned the project."""

    path: str
    original: bytes
    copy: bytes


@pytest.fixture(scope="module")
def people(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world for the whole module."""
    return World(server, tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def devices(people: World) -> tuple[Device, Device]:
    """Two devices of one person."""
    return people.device("ada"), people.device("ada")


def _projects() -> Iterator[dict[str, bytes]]:
    """Yields the files in as few projects as possible: an id is in one file of a project only."""
    waiting = {path.name: path.read_bytes() for path in _FILES}
    while waiting:
        taken: dict[str, bytes] = {}
        ids: set[DocumentId] = set()
        for name, data in waiting.items():
            own = {document.id for document in parse(name, data).everything}
            if ids.isdisjoint(own):
                taken[name] = data
                ids |= own
        waiting = {name: data for name, data in waiting.items() if name not in taken}
        yield taken


@pytest.fixture(scope="module")
def copies(devices: tuple[Device, Device]) -> Mapping[str, Copied]:
    """Every file of the corpus, committed and pushed on one device, cloned on the other."""
    laptop, desktop = devices
    found: dict[str, Copied] = {}
    for number, files in enumerate(_projects()):
        with laptop.start(f"files-{number}", files) as first:
            first.commit("Import")
            first.push()
            assert first.status().clean
        with desktop.clone(f"files-{number}") as second:
            assert second.status().clean
            assert second.fsck().clean
            for name, data in files.items():
                found[name] = Copied(name, data, (second.root / name).read_bytes())
    return found


@pytest.mark.parametrize("path", _FILES, ids=corpus_name)
def test_a_file_is_the_same_on_the_other_device(path: Path, copies: Mapping[str, Copied]) -> None:
    copied = copies[path.name]
    before, after = parse(path.name, copied.original), parse(path.name, copied.copy)
    assert len(after.documents) > 1
    assert after.local == ()
    assert same_documents(shared(after), shared(before))
    assert same_json(after.record.body, before.record.body)
    assert plain(path.name, copied.copy) == plain(path.name, copied.original)


@dataclass(frozen=True)
class History:
    """A history, replayed on one device and cloned on another."""

    file: str
    versions: Mapping[str, bytes]
    first: Repository
    second: Repository


@pytest.fixture(scope="module", params=_HISTORIES, ids=lambda path: path.name)
def history(request: pytest.FixtureRequest, devices: tuple[Device, Device]) -> Iterator[History]:
    """One of the histories: each version a commit that is named after it."""
    folder: Path = request.param
    laptop, desktop = devices
    versions = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    file = f"api/insomnia{min(folder.iterdir()).suffix}"
    name, newest = next(iter(versions)), None
    first = laptop.start(folder.name, {file: versions[name]})
    for name, data in versions.items():
        (first.root / file).write_bytes(data)
        # A version may differ from the one before in nothing that is shared: cookies, or order.
        newest = first.commit(name, allow_empty=True)
    assert newest is not None
    first.push()
    second = desktop.clone(folder.name)
    yield History(file, versions, first, second)
    second.close()
    first.close()


def _documents_of(repository: Repository, revision: str) -> list[Document]:
    context = repository.context
    state = context.store.commits.state(repository.resolve_revision(revision))
    return [context.load(cid) for cid in state.values()]


def _shared(history: History, name: str) -> tuple[Document, ...]:
    return shared(parse(history.file, history.versions[name]))


def test_every_version_is_one_commit(history: History) -> None:
    told = [commit.subject for commit in reversed(history.second.log())]
    assert told == list(history.versions)
    assert [commit.id for commit in history.second.log()] == [
        commit.id for commit in history.first.log()
    ]


def test_every_commit_holds_its_version(history: History) -> None:
    assert history.second.fsck().clean
    for commit in history.second.log():
        held = _documents_of(history.second, commit.id.hex())
        assert same_documents(held, _shared(history, commit.subject)), commit.subject


def test_every_commit_is_restored_into_the_working_file(history: History) -> None:
    second = history.second
    newest = second.log()[0]
    for commit in second.log():
        second.restore(["."], commit.id.hex())
        data = (second.root / history.file).read_bytes()
        content, wanted = parse(history.file, data), _shared(history, commit.subject)
        assert same_documents(shared(content), wanted), commit.subject
        original = history.versions[commit.subject]
        assert plain(history.file, data) == plain(history.file, original), commit.subject
    second.restore(["."], newest.id.hex())
    assert second.status().clean


def test_the_project_goes_back_to_its_first_version_on_both_devices(history: History) -> None:
    oldest = history.first.log()[-1]
    history.first.revert_to(oldest.id.hex())
    history.first.push()
    history.second.pull()
    for repository in (history.first, history.second):
        data = (repository.root / history.file).read_bytes()
        content, wanted = parse(history.file, data), _shared(history, oldest.subject)
        assert same_documents(shared(content), wanted)
        assert repository.status().clean
