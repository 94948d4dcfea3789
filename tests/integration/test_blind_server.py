"""The server is blind: it stores, logs and receives nothing readable of what people write."""

from __future__ import annotations

import gzip
import json
import random
import secrets
import sqlite3
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import zstandard

from sopor.account import read_kit
from sopor.crypto.keys import FIRST_EPOCH
from sopor.crypto.pack.layout import HEADER_BYTES, LENGTH_BYTES, FrameCipher, PackHeader, padme
from sopor.repository import Repository
from sopor_core.encoding import b64decode
from tests.support.blind_story import STEPS, Story, Words
from tests.support.canaries import Needles
from tests.support.server import RunningServer, running_server
from tests.support.wire import recording_proxy
from tests.support.world import PASSWORD, World


@dataclass(frozen=True)
class Told:
    """A story that was told, and everything that the server has of it."""

    words: Words
    login: str
    secrets: Mapping[str, bytes]
    tokens: Mapping[str, bytes]
    contents: Mapping[str, bytes]
    stored: Mapping[str, bytes]
    log: bytes
    received: bytes
    pack_lengths: Sequence[int]
    shape: Mapping[str, Counter[tuple[object, ...]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return tell(tmp_path_factory.mktemp("blind"), seed=1)


def tell(folder: Path, seed: int, fillers: Sequence[int] = (0,) * STEPS) -> Told:
    """Tells the story on a server of its own and collects what that has afterwards."""
    folder.mkdir(exist_ok=True)
    words = Words.drawn(seed)
    with running_server(folder / "data") as server, recording_proxy(server.url) as wire:
        world = World(wire, folder)
        story = Story(world.device("ada"), world.device("ada"), words, fillers, seed)
        first, second = story.play()
        with first, second:
            assert first.fsck().clean
            assert second.fsck().clean
            kit = read_kit(world.kits["ada"])
            assert kit.secret_key is not None
            assert kit.recovery_key is not None
            own = _secrets_of(first) | {
                "secret key": kit.secret_key.reveal(),
                "written secret key": kit.secret_key.to_text().encode(),
                "secret key in one word": kit.secret_key.to_text().replace("-", "").encode(),
                "recovery key": kit.recovery_key.reveal(),
                "written recovery key": kit.recovery_key.to_text().encode(),
                "recovery key in one word": kit.recovery_key.to_text().replace("-", "").encode(),
            }
            return Told(
                words=words,
                login=str(first.context.store.settings.get("login")),
                secrets=own,
                tokens=_tokens_of(first) | _tokens_of(second),
                contents=_contents_of(first),
                stored=_files_in(server),
                log=server.log.read_bytes(),
                received=bytes(wire.sent),
                pack_lengths=[_unpadded(first, data) for data in _packs_of(first)],
                shape=_shape(server),
            )


def _secrets_of(repository: Repository) -> dict[str, bytes]:
    context = repository.context
    account = context.accounts.of(context.store)
    return {
        "password": PASSWORD.encode(),
        "account secret": account.entry.secrets.account_secret.reveal(),
        "project secret": context.keys.secret(FIRST_EPOCH).reveal(),
    }


def _tokens_of(repository: Repository) -> dict[str, bytes]:
    account = repository.context.accounts.of(repository.context.store)
    access = account.entry.tokens.load()
    assert access is not None
    device = account.device.short
    refresh = account.entry.secrets.refresh_token
    return {
        f"refresh token of {device}": refresh.encode(),
        f"bytes of the refresh token of {device}": b64decode(refresh),
        f"access token of {device}": access.value.encode(),
    }


def _contents_of(repository: Repository) -> dict[str, bytes]:
    """Returns canonical bytes of all documents and commits, and the working files."""
    context, found = repository.context, dict[str, bytes]()
    for commit in repository.log(all_branches=True):
        found[f"commit {commit.id.short}"] = context.store.commits.get(commit.id).encoded
        for document, cid in context.store.commits.state(commit.id).items():
            found[f"{document} {cid.short}"] = context.store.objects.read(cid)
    for path in repository.root.glob("[!.]*/*"):
        found[path.name] = path.read_bytes()
    return found


def _packs_of(repository: Repository) -> Iterator[bytes]:
    store = repository.context.store
    for seq in range(1, store.log.pin.seq + 1):
        entry = store.log.entry(seq)
        assert entry is not None
        for listed in entry.packs:
            yield store.files.read(listed.id)


def _unpadded(repository: Repository, pack: bytes) -> int:
    header = PackHeader.parse(pack[:HEADER_BYTES])
    end = HEADER_BYTES + header.index_size
    cipher = FrameCipher(repository.context.keys, header)
    index = cipher.decrypt(0, end == len(pack), pack[HEADER_BYTES:end])
    content = LENGTH_BYTES + int.from_bytes(index[:LENGTH_BYTES], "big")
    return len(pack) - (len(index) - content)


def _files_in(server: RunningServer) -> dict[str, bytes]:
    """Returns everything under the server's data folder, the database's log of writes as well."""
    found = {
        path.relative_to(server.data).as_posix(): path.read_bytes()
        for path in server.data.rglob("*")
        if path.is_file()
    }
    assert any(name.endswith("-wal") for name in found)
    return found


_TIMES = frozenset({"created", "last_used", "expires", "updated", "stored"})


def _shape(server: RunningServer) -> dict[str, Counter[tuple[object, ...]]]:
    """Returns how much there is of what, by table, and the sizes of all other files."""
    (path,) = server.data.glob("*.sqlite3")
    shape: dict[str, Counter[tuple[object, ...]]] = {}
    connection = sqlite3.connect(path)
    try:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in names.fetchall():
            rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608
            columns = [column[0] for column in rows.description]
            shape[table] = Counter(_row_shape(columns, row) for row in rows)
    finally:
        connection.close()
    shape["files"] = Counter(
        (path.stat().st_size,) for path in (server.data / "blobs").rglob("*") if path.is_file()
    )
    return shape


def _row_shape(columns: Sequence[str], row: Sequence[Any]) -> tuple[object, ...]:
    return tuple(
        "a time" if column in _TIMES else value if isinstance(value, int) else len(value or b"")
        for column, value in zip(columns, row, strict=True)
    )


def needles_of(told: Told) -> Needles:
    """Returns everything that the server must not have."""
    needles = Needles()
    needles.add_texts(told.words.texts())
    needles.add_texts({"password": PASSWORD})
    needles.add_secrets(told.secrets)
    needles.add_contents(told.contents)
    return needles


@pytest.fixture(scope="module")
def needles(told: Told) -> Needles:
    return needles_of(told)


def test_nothing_that_people_write_is_stored(told: Told, needles: Needles) -> None:
    assert needles.found_in(told.stored) == []


def test_nothing_that_people_write_is_logged(told: Told, needles: Needles) -> None:
    assert b'"route":"/v1/projects/{project}/push"' in told.log
    assert needles.found_in({"the log": told.log}) == []


def test_nothing_that_people_write_is_sent(told: Told, needles: Needles) -> None:
    assert told.received.count(b"/push HTTP/1.1\r\n") >= STEPS - 1
    assert needles.found_in({"the wire": told.received}) == []


def test_tokens_are_neither_stored_nor_logged(told: Told) -> None:
    needles = Needles()
    needles.add_secrets(told.tokens)
    assert len(told.tokens) == 6
    assert needles.found_in({**told.stored, "the log": told.log}) == []
    assert needles.found_in({"the wire": told.received}) != []


def test_what_the_server_may_know_is_found(told: Told) -> None:
    """Shows that the search sees into the database and the wire: the login name is no secret."""
    needles = Needles()
    needles.add_texts({"login": told.login})
    found = needles.found_in({**told.stored, "the wire": told.received})
    assert any("metadata.sqlite3" in place for place in found)
    assert any("the wire" in place for place in found)


_WORD = "a-word/that+nobody=knows äöü"
_DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda data: data,
    "zlib": zlib.compress,
    "zlib without effort": lambda data: zlib.compress(data, 1),
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "base64": b64encode,
    "base64 in the middle": lambda data: b64encode(b"xy" + data + b"z"),
    "base64url": lambda data: urlsafe_b64encode(b"x" + data),
    "base64 of zlib": lambda data: b64encode(zlib.compress(data)),
    "hex": lambda data: data.hex().encode(),
    "HEX": lambda data: data.hex().upper().encode(),
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "percent": lambda data: quote(data).encode(),
    "JSON": lambda data: json.dumps({"a": data.decode()}).encode(),
}


@pytest.mark.parametrize("disguise", _DISGUISES.values(), ids=_DISGUISES)
def test_a_planted_word_is_found(disguise: Callable[[bytes], bytes]) -> None:
    needles = Needles()
    needles.add_texts({"the word": _WORD})
    noise = random.Random(1).randbytes(5000)
    assert needles.found_in({"a heap": noise}) == []
    assert needles.found_in({"a heap": noise + disguise(_WORD.encode()) + noise}) != []


@pytest.mark.parametrize("spelling", ["raw", "hex", "base64"])
def test_a_planted_digest_is_found(spelling: str) -> None:
    needles = Needles()
    needles.add_contents({"a document": b'{"_id":"x"}'})
    digest = bytes.fromhex("74d86a38fd00d64bafb5871b3ffc032263938435")
    planted = {"raw": digest, "hex": digest.hex().encode(), "base64": b64encode(digest)}[spelling]
    assert needles.found_in({"a heap": secrets.token_bytes(100) + planted}) != []


def test_two_stories_with_other_words_leave_data_of_the_same_shape(
    told: Told, tmp_path: Path
) -> None:
    fillers = [_filler(length) for length in told.pack_lengths]
    one = tell(tmp_path / "one-1", 2, fillers)
    # Random ids compress by a few bytes more or less, which may tip a pack over to the next padded
    # length. What is promised is told of stories whose packs have equal padded lengths.
    tellings = (tell(tmp_path / f"two-{seed}", seed, fillers) for seed in range(3, 10))
    other = next(told for told in tellings if told.shape["files"] == one.shape["files"])
    assert one.words != other.words
    assert set(one.contents.values()).isdisjoint(other.contents.values())
    assert len(one.pack_lengths) == STEPS
    assert one.shape == other.shape


_BYTES_A_LETTER = 0.6
"""What a random letter takes when it is compressed."""


def _filler(length: int) -> int:
    """Returns how many letters bring a pack into the middle of its range of padding.

    Random ids compress by a few bytes more or less each time. Away from the edges of its range, a
    pack has the same padded length all the same.
    """
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return round((step // 2 - length) % step / _BYTES_A_LETTER)


def test_packs_look_random(told: Told) -> None:
    packs = [data for name, data in told.stored.items() if name.startswith("blobs/")]
    assert len(packs) == STEPS
    for pack in packs:
        assert len(zlib.compress(pack[14:], 9)) > len(pack[14:])
        assert padme(len(pack)) == len(pack)
