"""The contract of `sopor_server.ports.blobs.BlobStore`, as tests that every adapter inherits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256

import pytest

from sopor_server.ports.blobs import BlobStore
from sopor_server.ports.errors import BlobDiffers, BlobMissing
from tests.contract.racing import in_processes, in_threads, successes

Opener = Callable[[], BlobStore]
KEY = "packs/0123/abcdef"


class BlobContract:
    """Subclasses give the fixture `opener`: something picklable that opens the same store anew."""

    @pytest.fixture
    def blobs(self, opener: Opener) -> BlobStore:
        return opener()

    def test_a_fresh_store_answers(self, blobs: BlobStore) -> None:
        blobs.check()

    def test_what_is_put_is_got(self, blobs: BlobStore) -> None:
        assert blobs.put(KEY, b"bytes") is True
        assert blobs.get(KEY) == b"bytes"
        assert blobs.size(KEY) == 5

    def test_an_empty_blob_is_a_blob(self, blobs: BlobStore) -> None:
        assert blobs.put(KEY, b"") is True
        assert blobs.get(KEY) == b""
        assert blobs.size(KEY) == 0

    def test_a_large_blob_comes_back_whole(self, blobs: BlobStore) -> None:
        data = bytes(range(256)) * 24 * 1024
        blobs.put(KEY, data)
        assert blobs.get(KEY) == data

    def test_another_instance_sees_it(self, opener: Opener) -> None:
        opener().put(KEY, b"bytes")
        assert opener().get(KEY) == b"bytes"

    def test_the_same_bytes_again_are_success(self, blobs: BlobStore) -> None:
        blobs.put(KEY, b"bytes")
        assert blobs.put(KEY, b"bytes") is False
        assert blobs.get(KEY) == b"bytes"

    @pytest.mark.parametrize("other", [b"other", b"byte", b"bytes and more", b""])
    def test_other_bytes_are_refused_and_change_nothing(
        self, blobs: BlobStore, other: bytes
    ) -> None:
        blobs.put(KEY, b"bytes")
        with pytest.raises(BlobDiffers):
            blobs.put(KEY, other)
        assert blobs.get(KEY) == b"bytes"

    def test_what_is_not_there(self, blobs: BlobStore) -> None:
        assert blobs.size(KEY) is None
        with pytest.raises(BlobMissing):
            blobs.get(KEY)
        with pytest.raises(BlobMissing):
            blobs.get(KEY, 1, 2)
        blobs.delete(KEY)

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (0, 0, b""),
            (0, 3, b"012"),
            (3, 6, b"345"),
            (3, None, b"3456789"),
            (9, 10, b"9"),
            (8, 99, b"89"),
            (10, 12, b""),
            (99, None, b""),
        ],
    )
    def test_a_range_is_read(
        self, blobs: BlobStore, start: int, end: int | None, expected: bytes
    ) -> None:
        blobs.put(KEY, b"0123456789")
        assert blobs.get(KEY, start, end) == expected

    def test_what_is_deleted_is_gone_and_may_come_again(self, blobs: BlobStore) -> None:
        blobs.put(KEY, b"bytes")
        blobs.delete(KEY)
        assert blobs.size(KEY) is None
        assert list(blobs.list("packs")) == []
        assert blobs.put(KEY, b"other") is True

    def test_a_list_holds_what_lies_under_the_prefix(self, blobs: BlobStore) -> None:
        sizes = {"packs/ab/x1": 1, "packs/ab/y2": 2, "packs/abc/x1": 3, "trash/ab/x1": 4}
        for key, size in sizes.items():
            blobs.put(key, bytes(size))
        assert {blob.key: blob.size for blob in blobs.list("packs/ab")} == {
            "packs/ab/x1": 1,
            "packs/ab/y2": 2,
        }
        assert {blob.key for blob in blobs.list("packs")} == sizes.keys() - {"trash/ab/x1"}
        assert list(blobs.list("packs/a")) == []
        assert all(blob.modified > 0 for blob in blobs.list("packs"))

    @pytest.mark.parametrize(
        "key",
        ["", "/", "/a", "a/", "a//b", "..", "a/../b", "a/.", "A", "a b", "a\0", "a\n", "ä", "a.b",
         "a" * 129, "/".join("abcdefghi"), "c:\\a"],
    )  # fmt: skip
    def test_a_key_of_another_form_is_a_fault_of_the_program(
        self, blobs: BlobStore, key: str
    ) -> None:
        for call in (
            lambda: blobs.put(key, b""),
            lambda: blobs.get(key),
            lambda: blobs.size(key),
            lambda: list(blobs.list(key)),
            lambda: blobs.delete(key),
            lambda: blobs.compose(key, [KEY]),
            lambda: blobs.compose(KEY, [key]),
            lambda: blobs.upload_address(key, 1, bytes(32)),
            lambda: blobs.download_address(key),
        ):
            with pytest.raises(ValueError, match="malformed"):
                call()

    @pytest.mark.parametrize("count", [1, 2, 32])
    def test_blobs_are_joined_in_order(self, blobs: BlobStore, count: int) -> None:
        parts = {f"packs/p/k{n}": bytes([n]) * (n * 1000 % 7777) for n in range(count)}
        for key, data in parts.items():
            blobs.put(key, data)
        assert blobs.compose(KEY, list(parts)) is True
        joined = b"".join(parts.values())
        assert blobs.get(KEY) == joined
        assert blobs.size(KEY) == len(joined)
        assert {key: blobs.get(key) for key in parts} == parts

    def test_a_blob_may_be_joined_twice_and_a_joined_one_again(self, blobs: BlobStore) -> None:
        blobs.put("packs/p/a", b"a")
        blobs.put("packs/p/b", b"bb")
        blobs.compose("packs/p/aba", ["packs/p/a", "packs/p/b", "packs/p/a"])
        assert blobs.compose(KEY, ["packs/p/b", "packs/p/aba"]) is True
        assert blobs.get(KEY) == b"bbabba"
        assert blobs.get(KEY, 2, 5) == b"abb"

    def test_the_same_joined_again_is_success(self, blobs: BlobStore) -> None:
        blobs.put("packs/p/a", b"a" * 3_000_000)
        blobs.put("packs/p/b", b"b")
        assert blobs.compose(KEY, ["packs/p/a", "packs/p/b"]) is True
        assert blobs.compose(KEY, ["packs/p/a", "packs/p/b"]) is False
        assert blobs.put(KEY, b"a" * 3_000_000 + b"b") is False

    @pytest.mark.parametrize("sources", [["a"], ["b", "a"], ["a", "b", "b"], ["a", "c"]])
    def test_other_bytes_stay_under_the_key(self, blobs: BlobStore, sources: list[str]) -> None:
        for name in "abc":
            blobs.put(f"packs/p/{name}", name.encode())
        blobs.put(KEY, b"ab")
        with pytest.raises(BlobDiffers):
            blobs.compose(KEY, [f"packs/p/{name}" for name in sources])
        assert blobs.get(KEY) == b"ab"

    @pytest.mark.parametrize("sources", [["none"], ["a", "none"], ["none", "a"]])
    def test_what_is_not_there_is_not_joined(self, blobs: BlobStore, sources: list[str]) -> None:
        blobs.put("packs/p/a", b"a")
        with pytest.raises(BlobMissing):
            blobs.compose(KEY, [f"packs/p/{name}" for name in sources])
        assert blobs.size(KEY) is None
        assert [blob.key for blob in blobs.list("packs")] == ["packs/p/a"]
        blobs.put(KEY, b"a")
        with pytest.raises(BlobMissing):
            blobs.compose(KEY, [f"packs/p/{name}" for name in sources])

    @pytest.mark.parametrize("count", [0, 33])
    def test_no_and_too_many_sources_are_a_fault_of_the_program(
        self, blobs: BlobStore, count: int
    ) -> None:
        blobs.put("packs/p/a", b"a")
        with pytest.raises(ValueError, match="1 to 32"):
            blobs.compose(KEY, ["packs/p/a"] * count)

    def test_a_blob_is_not_joined_to_itself(self, blobs: BlobStore) -> None:
        blobs.put(KEY, b"a")
        with pytest.raises(ValueError, match="itself"):
            blobs.compose(KEY, [KEY])

    def test_of_many_that_join_one_creates(self, opener: Opener) -> None:
        for name in "abc":
            opener().put(f"packs/p/{name}", name.encode() * 9_999)
        sources = [f"packs/p/{name}" for name in "abc"]
        outcomes = in_threads([lambda: opener().compose(KEY, sources)] * 6)
        assert sorted(map(str, outcomes)) == ["False"] * 5 + ["True"]
        assert opener().get(KEY) == b"".join(name.encode() * 9_999 for name in "abc")

    def test_of_different_that_join_one_stays(self, blobs: BlobStore) -> None:
        for name in "abcdef":
            blobs.put(f"packs/p/{name}", name.encode() * 9_999)
        joins = [lambda name=name: blobs.compose(KEY, [f"packs/p/{name}"] * 2) for name in "abcdef"]
        assert successes(in_threads(joins), BlobDiffers) == 1
        assert len(set(blobs.get(KEY))) == 1

    def test_an_address_stores_nothing_and_is_one_of_both_or_of_neither(
        self, blobs: BlobStore
    ) -> None:
        upload = blobs.upload_address(KEY, 5, sha256(b"bytes").digest())
        assert (upload is None) is (blobs.download_address(KEY) is None)
        assert blobs.size(KEY) is None
        assert blobs.put(KEY, b"bytes") is True
        assert upload is None or upload.url not in repr(upload)

    def test_of_many_puts_in_threads_one_creates(self, blobs: BlobStore) -> None:
        outcomes = in_threads([lambda: blobs.put(KEY, bytes(100_000))] * 8)
        assert sorted(map(str, outcomes)) == ["False"] * 7 + ["True"]
        assert blobs.get(KEY) == bytes(100_000)

    def test_of_different_puts_in_threads_one_stays(self, blobs: BlobStore) -> None:
        puts = [lambda data=bytes([n]) * 9_999: blobs.put(KEY, data) for n in range(8)]
        assert successes(in_threads(puts), BlobDiffers) == 1
        assert len(set(blobs.get(KEY))) == 1

    def test_of_many_puts_in_processes_one_creates(self, opener: Opener) -> None:
        outcomes = in_processes([(put_many, opener, 50)] * 4)
        assert sum(outcomes) == 50
        assert len(list(opener().list("packs"))) == 50

    def test_nobody_sees_a_part_of_a_blob(self, blobs: BlobStore) -> None:
        done = threading.Event()
        data = bytes(3_000_000)
        odd: list[object] = []

        def watch() -> None:
            while not done.is_set():
                for number in range(10):
                    size = blobs.size(f"packs/p/k{number}")
                    if size not in (None, len(data)):
                        odd.append(size)
                odd.extend(blob for blob in blobs.list("packs") if blob.size != len(data))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for number in range(10):
            blobs.put(f"packs/p/k{number}", data)
        done.set()
        watcher.join()
        assert odd == []


def put_many(opener: Opener, count: int) -> int:
    """Puts the same blobs as everybody else; returns how many it created."""
    blobs = opener()
    return sum(blobs.put(f"packs/p/k{number}", b"%d" % number * 1000) for number in range(count))
