"""Objects in bad weather: answers that get lost, damage on the way, outages, missing buckets."""

from __future__ import annotations

import pytest

from sopor_server.adapters.gcs import GcsBlobStore
from sopor_server.ports.errors import BlobDiffers, BlobMissing, StoreUnavailable
from tests.support.objects import Answered
from tests.support.watched import WatchedCloud
from tests.support.weather import Billed, Fault

KEY = "packs/01/ab"
WEATHER = [
    (Fault.BEFORE,),
    (Fault.AFTER,),
    (Fault.LOST,),
    (Fault.BEFORE, Fault.LOST),
    (Fault.AFTER, Fault.AFTER),
]


@pytest.mark.parametrize("faults", WEATHER)
def test_a_blob_is_put_once_in_any_weather(cloud: WatchedCloud, faults: tuple[Fault, ...]) -> None:
    cloud.objects.plan("POST", *faults)
    assert cloud.blobs.put(KEY, b"bytes") is True
    assert cloud.objects.is_done
    assert cloud.blobs.put(KEY, b"bytes") is False
    with pytest.raises(BlobDiffers):
        cloud.blobs.put(KEY, b"other")
    for method in ("GET", "DELETE"):
        cloud.objects.plan(method, *faults)
    assert cloud.blobs.get(KEY) == b"bytes"
    cloud.blobs.delete(KEY)
    assert cloud.objects.is_done
    assert cloud.blobs.size(KEY) is None


@pytest.mark.parametrize("faults", WEATHER)
def test_blobs_are_joined_once_in_any_weather(
    cloud: WatchedCloud, faults: tuple[Fault, ...]
) -> None:
    cloud.blobs.put("packs/p/a", b"a")
    cloud.blobs.put("packs/p/b", b"b")
    cloud.objects.plan("/compose", *faults)
    cloud.objects.plan("GET", *faults)
    assert cloud.blobs.compose(KEY, ["packs/p/a", "packs/p/b"]) is True
    assert cloud.objects.is_done
    assert cloud.blobs.get(KEY) == b"ab"
    assert cloud.blobs.compose(KEY, ["packs/p/a", "packs/p/b"]) is False


def test_what_is_billed(cloud: WatchedCloud) -> None:
    def cost(use: object) -> Billed:
        before = cloud.billed
        assert callable(use)
        use()
        return cloud.billed - before

    assert cost(lambda: cloud.blobs.put(KEY, b"bytes")) == Billed(class_a=1)
    assert cost(lambda: cloud.blobs.put(KEY, b"bytes")) == Billed(class_a=1, class_b=1)
    assert cost(lambda: cloud.blobs.get(KEY)) == Billed(class_b=1)
    assert cost(lambda: cloud.blobs.get(KEY, 1, 3)) == Billed(class_b=1)
    assert cost(lambda: cloud.blobs.size(KEY)) == Billed(class_b=1)
    assert cost(lambda: list(cloud.blobs.list("packs"))) == Billed(class_a=1)
    assert cost(lambda: cloud.blobs.compose("groups/a", [KEY])) == Billed(class_a=1, class_b=1)
    assert cost(lambda: cloud.blobs.delete(KEY)) == Billed()


def damaged(answered: Answered) -> Answered:
    return answered._replace(body=b"B" + answered.body[1:])


def shortened(answered: Answered) -> Answered:
    return answered._replace(body=answered.body[:-1])


def lengthened(answered: Answered) -> Answered:
    return answered._replace(body=answered.body + b"+")


def without_hash(answered: Answered) -> Answered:
    kept = {name: value for name, value in answered.headers.items() if name != "X-Goog-Hash"}
    return answered._replace(headers=kept)


def of_other_bytes(answered: Answered) -> Answered:
    return answered._replace(body=answered.body.replace(b'"crc32c":"', b'"crc32c":"A'))


@pytest.mark.parametrize("change", [damaged, shortened, lengthened, without_hash])
def test_a_whole_blob_that_comes_damaged_is_refused(cloud: WatchedCloud, change: object) -> None:
    cloud.blobs.put(KEY, b"bytes")
    cloud.objects.change("alt=media", change)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="damaged"):
        cloud.blobs.get(KEY)
    assert cloud.blobs.get(KEY) == b"bytes"


def test_a_part_that_is_too_long_is_refused(cloud: WatchedCloud) -> None:
    cloud.blobs.put(KEY, b"bytes")
    cloud.objects.change("alt=media", lengthened)
    with pytest.raises(StoreUnavailable, match="more"):
        cloud.blobs.get(KEY, 1, 3)


def test_the_checksum_goes_with_the_bytes(cloud: WatchedCloud) -> None:
    """Cloud Storage refuses bytes of another checksum; the emulator keeps them, and tells of it."""
    cloud.blobs.put(KEY, b"bytes")
    (sent,) = [asked for asked in cloud.objects.asked if asked.method == "POST"]
    assert b'"crc32c": "0G6ckg=="' in sent.body
    assert sent.query["ifGenerationMatch"] == "0"
    cloud.objects.on_the_way(
        "POST", lambda asked: asked._replace(body=asked.body.replace(b"other", b"OTHER", 1))
    )
    with pytest.raises(StoreUnavailable, match="damaged"):
        cloud.blobs.put("packs/01/cd", b"other bytes" * 99)


def test_what_was_stored_damaged_is_told(cloud: WatchedCloud) -> None:
    cloud.objects.change("POST", of_other_bytes)
    with pytest.raises(StoreUnavailable, match="damaged"):
        cloud.blobs.put(KEY, b"bytes")
    cloud.objects.change("/compose", of_other_bytes)
    with pytest.raises(StoreUnavailable, match="damaged"):
        cloud.blobs.compose("packs/01/cd", [KEY])


def test_a_source_that_goes_meanwhile_is_missing(cloud: WatchedCloud) -> None:
    cloud.blobs.put("packs/p/a", b"a")
    cloud.objects.change("/compose", lambda _: Answered(404))
    with pytest.raises(BlobMissing):
        cloud.blobs.compose(KEY, ["packs/p/a"])


def test_a_storage_that_is_down_is_told(cloud: WatchedCloud) -> None:
    """How long that takes is the adapter's patience; every other test has less weather."""
    impatient = GcsBlobStore(cloud.blobs._bucket, cloud.blobs._connection, patience=0.05)
    for call in (
        lambda: impatient.put(KEY, b"bytes"),
        lambda: impatient.get(KEY),
        lambda: impatient.get(KEY, 1, 3),
        lambda: impatient.size(KEY),
        lambda: list(impatient.list("packs")),
        lambda: impatient.delete(KEY),
        lambda: impatient.compose("packs/01/cd", [KEY]),
        impatient.check,
    ):
        cloud.objects.plan("/", *[Fault.BEFORE] * 20)
        with pytest.raises(StoreUnavailable, match=r"503$"):
            call()
        assert not cloud.objects.is_done
        cloud.objects.forget_plans()
    assert cloud.blobs.size(KEY) is None


def test_what_nobody_listens_to_is_unavailable() -> None:
    blobs = GcsBlobStore.open("bucket", "127.0.0.1:9")
    impatient = GcsBlobStore("bucket", blobs._connection, patience=0.05)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        impatient.check()
    impatient.close()


def test_what_is_refused_for_good_is_not_tried_again(cloud: WatchedCloud) -> None:
    cloud.objects.change("GET", lambda _: Answered(403))
    before = len(cloud.objects.asked)
    with pytest.raises(StoreUnavailable, match="403") as error:
        cloud.blobs.size(KEY)
    assert len(cloud.objects.asked) == before + 1
    assert KEY not in error.value.message
    assert "http" not in error.value.message


def test_a_missing_bucket_is_not_an_empty_one(cloud: WatchedCloud) -> None:
    nowhere = GcsBlobStore("no-such-bucket", cloud.blobs._connection)
    with pytest.raises(StoreUnavailable):
        list(nowhere.list("packs"))
    with pytest.raises(StoreUnavailable):
        nowhere.put(KEY, b"bytes")
    with pytest.raises(StoreUnavailable):
        nowhere.check()
    said = b'{"error": {"code": 404, "message": "The specified bucket does not exist."}}'
    gone = Answered(404, {"Content-Type": "application/json"}, said)
    for call in (
        lambda: nowhere.size(KEY),
        lambda: nowhere.get(KEY),
        lambda: nowhere.delete(KEY),
    ):
        cloud.objects.change("/", lambda _: gone)
        with pytest.raises(StoreUnavailable, match="there is no bucket no-such-bucket"):
            call()
