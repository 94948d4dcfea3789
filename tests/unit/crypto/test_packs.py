"""Packs as their writers and readers see them; single faults are in tests/vectors/packs.json."""

import secrets
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st

from sopor.crypto.pack import (
    Base,
    HeldFrames,
    ObjectKind,
    OpenedPack,
    PackObject,
    holds_secrets,
    open_pack,
    padme,
    write_packs,
)
from sopor.crypto.pack.index import MAX_INFLATED_PACK_BYTES, FrameEntry
from sopor.crypto.pack.planning import plan_frames
from sopor.crypto.pack.templates import FRAME, INDEX
from sopor.crypto.pack.writer import FinishedFrame, _grouped, seal_frames
from sopor_core import canonical
from sopor_core.errors import InvalidValue, VerificationError
from sopor_core.ids import Cid, PackId
from sopor_core.limits import MAX_DOCUMENT_BYTES, MAX_PACK_BYTES, MIB
from tests.unit.crypto.making import (
    IDS,
    KEYS,
    PROJECT,
    commits,
    document,
    documents,
    everything,
    opened,
)
from tests.vectors.making import reference

_BODIES = st.fixed_dictionaries(
    {
        "_id": st.text("abc\u00e4", min_size=1, max_size=8),
        "_type": st.sampled_from(["request", "environment"]),
    },
    optional={
        "authentication": st.sampled_from([{}, {"type": "basic"}]),
        "text": st.text(max_size=200),
    },
)
_DOCUMENTS = st.lists(_BODIES.map(lambda body: canonical.encode(cast("Any", body))), max_size=12)


@given(_DOCUMENTS, _DOCUMENTS, st.sampled_from([1, 2]))
def test_what_is_packed_comes_out_again(
    first: list[bytes], second: list[bytes], epoch: int
) -> None:
    new, texts = documents(*first), commits(*second)
    packs = write_packs(KEYS, epoch, texts, new)
    found = everything(packs)
    assert {item.data for item in found if item.id in texts} == set(second)
    assert {item.data for item in found if item.id in new} == set(first)
    assert len(found) == len(texts) + len(new)
    assert found == [item for pack in packs for item in pack.objects]
    assert [item.id for item in found if item.kind is ObjectKind.COMMIT] == list(texts)
    assert "dc" not in "".join(item.kind for item in found)


@given(st.lists(st.text("ab", max_size=300), min_size=1, max_size=6, unique=True), st.data())
def test_new_versions_come_out_on_their_bases(texts: list[str], data: st.DataObject) -> None:
    old = [document(f"req_{number}", text=text) for number, text in enumerate(texts)]
    new = [document(f"req_{number}", text=text + "c") for number, text in enumerate(texts)]
    based = data.draw(st.sets(st.sampled_from(range(len(texts)))))
    bases = {IDS.cid(new[n]): (IDS.cid(old[n]), Base(old[n], n)) for n in based}
    packs = write_packs(KEYS, 1, {}, documents(*new), bases)
    assert [item.data for item in everything(packs, *old)] == new


def test_a_push_of_nothing_has_no_pack() -> None:
    assert write_packs(KEYS, 1, {}, {}) == []


def test_a_push_needs_the_key_of_its_epoch() -> None:
    with pytest.raises(VerificationError, match="epoch 3 is not known"):
        write_packs(KEYS, 3, {}, documents(document("a")))


def test_the_bytes_of_a_pack_are_those_of_the_specification() -> None:
    items = [document(f"req_{number}", text="pets " * 9) for number in range(3)]
    secret = canonical.encode({"_id": "env", "_type": "environment", "data": {"t": "x"}})
    [pack] = write_packs(KEYS, 2, commits(b'{"v":1}'), documents(*items, secret))
    data = pack.data
    assert pack.id == sha256(data).digest()
    assert data[:10] == b"SOPK\x01\x01\0\0\0\x02"
    at, size = 46, int.from_bytes(data[10:14], "big")
    info = b"sopor/1 pack\0" + PROJECT + bytes([0, 0, 0, 2])
    cipher = AESGCM(reference.hkdf(KEYS.secret(2).reveal(), data[14:46], info))
    associated = b"sopor/1 pack\0" + PROJECT + data[:46]
    index = cipher.decrypt(bytes(12), data[at : at + size], associated)
    length = int.from_bytes(index[:4], "big")
    assert not index[4 + length :].strip(b"\0")
    value: Any = canonical.decode(_behind("index template", index[4 : 4 + length]))
    at += size
    contents = []
    for number, frame in enumerate(value["frames"], 1):
        end = at + frame["size"]
        nonce = bytes(7) + bytes([0, 0, 0, number, number == 2])
        contents.append(cipher.decrypt(nonce, data[at:end], associated))
        at = end
    assert at == len(data)
    assert _behind("frame template", contents[0]) == b'{"v":1}' + b"".join(items)
    assert contents[1] == secret


def _behind(template: str, compressed: bytes) -> bytes:
    """Inflates behind a template as the specification has it."""
    text = (Path(__file__).parents[3] / "shared" / "SPEC.md").read_text("utf-8")
    lines = text.partition(f"\n{template}:\n\n")[2].partition("\n\n")[0].splitlines()
    prefix = "".join(line.removeprefix("    ") for line in lines).encode("ascii")
    known = zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=known).decompress(compressed)


def test_the_templates_are_those_of_the_specification() -> None:
    for name, template in (("index template", INDEX), ("frame template", FRAME)):
        whole = zstandard.ZstdCompressionDict(template, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        packed = zstandard.ZstdCompressor(dict_data=whole).compress(template)
        assert len(packed) < 30
        assert _behind(name, packed) == template


def test_every_pack_has_its_own_salt() -> None:
    packs = [write_packs(KEYS, 1, {}, documents(document("a")))[0] for _ in range(3)]
    assert len({pack.data[14:46] for pack in packs}) == len({pack.id for pack in packs}) == 3


# ------------------------------------------------------------------------------------------- size


def _edit(**fields: Any) -> tuple[bytes, bytes]:
    noise = Random(1).randbytes(400).hex()
    fields = {
        "url": "https://example.com/pets",
        "body": {"text": noise, "x": "pets " * 120},
        **fields,
    }
    return document("req_1", **fields, name="List"), document("req_1", **fields, name="List all")


def _commit(new: bytes) -> bytes:
    ids = {name: secrets.token_urlsafe(32) for name in ("parent", "root")}
    return canonical.encode(
        {
            "v": 1,
            "parents": [ids["parent"]],
            "root": ids["root"],
            "changes": {"req_5fa3fdc0fa4e4b9aaf6b2f4a1a5e9f27": IDS.cid(new).b64},
            "author": {"account": secrets.token_urlsafe(16), "name": "Ada Lovelace"},
            "time": 1_700_000_000_000,
            "message": "Rename the request",
        }
    )


def test_the_edit_of_a_field_costs_what_it_changes() -> None:
    old, new = _edit()
    assert len(new) > 1_400
    bases = {IDS.cid(new): (IDS.cid(old), Base(old))}
    [alone] = write_packs(KEYS, 1, {}, documents(new), bases)
    [with_commit] = write_packs(KEYS, 1, commits(_commit(new)), documents(new), bases)
    [without_base] = write_packs(KEYS, 1, {}, documents(new))
    assert alone.size <= 240
    assert with_commit.size <= 512
    assert without_base.size > 2 * alone.size
    assert [item.data for item in everything([alone], old)] == [new]


def test_a_line_of_a_large_document_costs_a_line() -> None:
    lines = [Random(number).randbytes(40).hex() for number in range(60_000)]
    old = document("spec", contents="\n".join(lines))
    lines[30_000] += "x"
    new = document("spec", contents="\n".join(lines))
    assert len(old) > 4 * MIB
    [pack] = write_packs(KEYS, 1, {}, documents(new), {IDS.cid(new): (IDS.cid(old), Base(old))})
    assert pack.size < 2_000
    assert [item.data for item in everything([pack], old)] == [new]


@pytest.mark.parametrize(
    "change", [{"authentication": {"type": "basic", "password": "x"}}, {"_type": "environment"}]
)
def test_the_length_tells_nothing_of_a_secret(change: dict[str, Any]) -> None:
    guesses = [f"hunter{number:02}" * 20 for number in range(4)]
    plain = document("req_0", text=guesses[0])
    sizes = set()
    for guess in guesses:
        secret = canonical.encode({"_id": "a", "_type": "request", "text": guess, **change})
        assert holds_secrets(secret)
        bases = {IDS.cid(secret): (IDS.cid(plain), Base(plain))}
        [pack] = write_packs(KEYS, 1, {}, documents(plain, secret), bases)
        index = opened(pack).index
        sizes.add(pack.size)
        assert [frame.zstd for frame in index.frames] == [True, False]
        assert [frame.bases for frame in index.frames] == [(), ()]
    assert len(sizes) == 1


def test_secrets_are_found_wherever_they_are() -> None:
    for text in (
        b'{"_id":"a","_type":"environment"}',
        b'{"_id":"a","_type":"cookie_jar"}',
        b'{"_id":"a","_type":"request","authentication":{"token":"abc","type":"bearer"}}',
        b'{"_id":"a","_type":"request","authentication":{"token":"{{ _.a }}x","type":"bearer"}}',
        b'{"_id":"a","_type":"request","authentication":{"unheard-of":{"deep":"x"}}}',
        b'{"_id":"a","_type":"request","authentication":"token"}',
        b'{"_id":"a","_type":"request","authentication":[1]}',
        b'{"_id":"a","_type":"request","nested":{"authentication":{"x":1}}}',
    ):
        assert holds_secrets(canonical.encode(canonical.decode(text)))
    for text in (
        b'{"_id":"a","_type":"request","authentication":{}}',
        b'{"_id":"a","_type":"request","authentication":null}',
        b'{"_id":"a","_type":"request","authentication":{"type":"bearer"}}',
        b'{"_id":"a","_type":"request","authentication":{"disabled":false,"password":""}}',
        b'{"_id":"a","_type":"request","authentication":{"token":" {{ _.t }}{% x %}"}}',
        b'{"_id":"a","_type":"request","authentication":""}',
        b'{"_id":"a","_type":"request","text":"\\"authentication\\":{\\"x\\":1}"}',
        b'{"_id":"a","_type":"request","text":"\\"_type\\":\\"environment\\""}',
        b'{"_id":"environment","_type":"request"}',
    ):
        assert not holds_secrets(canonical.encode(canonical.decode(text)))


def test_a_document_that_held_a_secret_is_no_base() -> None:
    old = document("req_1", authentication={"type": "basic", "password": "hunter2"}, text="x" * 99)
    new = document("req_1", text="x" * 99)
    [pack] = write_packs(KEYS, 1, {}, documents(new), {IDS.cid(new): (IDS.cid(old), Base(old))})
    assert opened(pack).index.frames[0].bases == ()


def test_bases_that_are_too_deep_or_in_the_same_frame_are_left_aside() -> None:
    old, new = _edit()
    deep = {IDS.cid(new): (IDS.cid(old), Base(old, 16))}
    [pack] = write_packs(KEYS, 1, {}, documents(new), deep)
    assert opened(pack).index.frames[0].bases == ()
    [both] = write_packs(
        KEYS, 1, {}, documents(old, new), {IDS.cid(new): (IDS.cid(old), Base(old))}
    )
    assert opened(both).index.frames[0].bases == ()
    [last] = write_packs(KEYS, 1, {}, documents(new), {IDS.cid(new): (IDS.cid(old), Base(old, 15))})
    assert last.objects[0].depth == 16


def _versions(count: int, size: int = 300_000) -> list[bytes]:
    noise = Random(2).randbytes(size // 2).hex()
    return [document("spec", text=f"{number} {noise}") for number in range(count)]


def test_versions_of_one_push_are_bases_of_each_other_across_frames() -> None:
    items = _versions(8)
    bases = {IDS.cid(new): (IDS.cid(old), Base(old, 7)) for old, new in pairwise(items)}
    [pack] = write_packs(KEYS, 1, {}, documents(*items), bases)
    frames = opened(pack).index.frames
    assert [frame.kinds for frame in frames] == ["ddd", "ddd", "dd"]
    assert [frame.bases for frame in frames] == [(), (IDS.cid(items[2]),), (IDS.cid(items[5]),)]
    assert [item.depth for item in pack.objects] == [0, 0, 0, 1, 1, 1, 2, 2]
    assert pack.size < len(items[0])
    assert everything([pack]) == list(pack.objects)


def test_chains_inside_of_a_push_end_as_others_do() -> None:
    items = _versions(20, 600_000)
    pairs = {IDS.cid(new): (IDS.cid(old), Base(old)) for old, new in pairwise(items)}
    first, *rest = items
    bases = {**pairs, IDS.cid(rest[0]): (IDS.cid(first), Base(first, 14))}
    [pack] = write_packs(KEYS, 1, {}, documents(*rest), bases)
    depths = [item.depth for item in pack.objects]
    assert depths == [15, 16, *range(17)]
    deep = {IDS.cid(first): Base(first, 14)}
    received = open_pack(KEYS, pack.data, pack.id, pack.size, deep.__getitem__)
    assert list(received.objects()) == list(pack.objects)


def test_no_document_is_built_on_a_later_one_or_on_one_with_secrets_of_the_same_push() -> None:
    items = _versions(4)
    back = {IDS.cid(old): (IDS.cid(new), Base(new)) for old, new in pairwise(items)}
    [pack] = write_packs(KEYS, 1, {}, documents(*items), back)
    assert [frame.bases for frame in opened(pack).index.frames] == [(), ()]
    secret = canonical.encode({"_id": "env", "_type": "environment", "data": {"t": "x" * 999}})
    on_secret = {IDS.cid(items[3]): (IDS.cid(secret), Base(secret))}
    [pack] = write_packs(KEYS, 1, {}, documents(secret, *items), on_secret)
    assert [frame.bases for frame in opened(pack).index.frames] == [(), (), ()]


@given(st.integers(min_value=47, max_value=MAX_PACK_BYTES))
def test_padding_tells_little_and_costs_little(length: int) -> None:
    padded = padme(length)
    assert length <= padded <= min(length * 1.12, MAX_PACK_BYTES)
    assert padme(padded) == padded
    assert padded == reference_padme(length)


def reference_padme(length: int) -> int:
    """Padmé as its authors write it (Nikitin et al., 2019, algorithm 1)."""
    e = length.bit_length() - 1
    s = e.bit_length()
    last_bits = e - s
    mask = (1 << last_bits) - 1
    return (length + mask) & ~mask


# ----------------------------------------------------------------------------------------- frames


def test_frames_are_of_a_mebibyte() -> None:
    items = [document(f"req_{number}", text=secrets.token_hex(50_000)) for number in range(25)]
    [pack] = write_packs(KEYS, 1, {}, documents(*items))
    frames = opened(pack).index.frames
    assert [len(frame.lengths) for frame in frames] == [10, 10, 5]
    assert [item.data for item in everything([pack])] == items


def test_many_commits_fill_frames_of_their_own() -> None:
    texts = [canonical.encode({"v": 1, "message": secrets.token_hex(60_000)}) for _ in range(9)]
    [pack] = write_packs(KEYS, 1, commits(*texts), documents(document("a")))
    assert [frame.kinds for frame in opened(pack).index.frames] == ["c" * 8, "cd"]
    assert [item.data for item in everything([pack])] == [*texts, document("a")]


def test_a_base_that_two_documents_share_is_named_once() -> None:
    old, new = _edit()
    copy = document("req_2", name="A copy", text=old.decode())
    bases = {IDS.cid(item): (IDS.cid(old), Base(old)) for item in (new, copy)}
    [pack] = write_packs(KEYS, 1, {}, documents(new, copy), bases)
    assert opened(pack).index.frames[0].bases == (IDS.cid(old),)
    assert [item.data for item in everything([pack], old)] == [new, copy]


def test_a_large_document_has_a_frame_to_itself() -> None:
    large = document("large", text="x" * (2 * MIB))
    items = [document("a"), large, document("b")]
    [pack] = write_packs(KEYS, 1, {}, documents(*items))
    frames = opened(pack).index.frames
    assert [frame.kinds for frame in frames] == ["d", "d", "d"]
    assert pack.size < 2_000
    assert [item.data for item in everything([pack])] == items


def test_bases_of_a_frame_stay_within_bounds() -> None:
    texts = [secrets.token_hex(150_000) for _ in range(5)]
    old = [document(f"req_{number}", text=text) for number, text in enumerate(texts)]
    new = [document(f"req_{number}", text=text, x=1) for number, text in enumerate(texts)]
    bases = {IDS.cid(b): (IDS.cid(a), Base(a)) for a, b in zip(old, new, strict=True)}
    [pack] = write_packs(KEYS, 1, {}, documents(*new), bases)
    assert [len(frame.bases) for frame in opened(pack).index.frames] == [3, 2]
    assert [item.data for item in everything([pack], *old)] == new


def test_what_does_not_fit_a_pack_goes_to_the_next() -> None:
    items = [
        canonical.encode({"_id": f"e{n}", "_type": "environment", "x": secrets.token_hex(4 * MIB)})
        for n in range(4)
    ]
    packs = write_packs(KEYS, 1, commits(b"{}"), documents(*items))
    assert [len(pack.objects) for pack in packs] == [3, 2]
    assert all(pack.size <= MAX_PACK_BYTES for pack in packs)
    assert [item.data for item in everything(packs)] == [b"{}", *items]


def test_a_pack_inflates_to_256_mib_at_most() -> None:
    entry = FrameEntry(100, 16 * MIB, True, (), "d", (16 * MIB,), bytes(4))
    frames = [FinishedFrame(entry, bytes(84), (), 0) for _ in range(40)]
    groups = list(_grouped(frames))
    assert [len(group) for group in groups] == [16, 16, 8]
    assert 16 * entry.raw == MAX_INFLATED_PACK_BYTES


def test_objects_over_their_limit_are_refused_with_a_way_out() -> None:
    with pytest.raises(InvalidValue, match="larger than 16 MiB") as refused:
        write_packs(KEYS, 1, {}, documents(b"x" * (MAX_DOCUMENT_BYTES + 1)))
    assert refused.value.hint
    with pytest.raises(InvalidValue, match="commit changes more documents") as refused:
        write_packs(KEYS, 1, commits(b"x" * (17 * MIB + 1)), {})
    assert refused.value.hint


def test_the_salt_can_be_chosen_for_vectors_alone() -> None:
    frames = [FinishedFrame(FrameEntry(18, 2, False, (), "d", (2,), bytes(4)), b"{}", (), 0)]
    drawn = []

    def fixed(size: int) -> bytes:
        drawn.append(size)
        return bytes(size)

    assert seal_frames(KEYS, 1, frames, fixed) == seal_frames(KEYS, 1, frames, fixed)
    assert drawn == [32, 32]


def test_the_plan_keeps_the_order_given() -> None:
    items = documents(*(document(name) for name in "dacb"))
    [frame] = plan_frames({}, items, {})
    assert [id_ for _, id_, _ in frame.objects] == list(items)


# ------------------------------------------------------------------------------------ random access


class Stored:
    """A pack in a file; counts what is read of it."""

    def __init__(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.path = path
        self.reads: list[tuple[int, int]] = []

    def __call__(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)


def _stored(tmp_path: Path) -> tuple[Stored, OpenedPack, list[PackObject]]:
    items = [document(f"req_{number}", text=secrets.token_hex(50_000)) for number in range(25)]
    [pack] = write_packs(KEYS, 1, commits(b'{"v":1}'), documents(*items))
    stored = Stored(tmp_path / "pack", pack.data)
    return stored, OpenedPack(KEYS, stored, pack.size), list(pack.objects)


def test_one_object_is_read_from_a_stored_pack_by_one_frame(tmp_path: Path) -> None:
    stored, pack, objects = _stored(tmp_path)
    assert len(stored.reads) == 2
    last, before = objects[-1], objects[-2]
    assert pack.read_document(Cid(last.id), last.frame, last.offset, len(last.data)) == last.data
    assert pack.read_document(Cid(before.id), 3, before.offset, len(before.data)) == before.data
    frame = pack.index.frames[-1]
    assert stored.reads[2:] == [(pack.size - frame.size, frame.size)]
    first = objects[0]
    assert pack.read_commit(IDS.commit_id(first.data), 1, 0, len(first.data)) == first.data


def test_frames_are_inflated_once_as_long_as_there_is_room(tmp_path: Path) -> None:
    stored, _, objects = _stored(tmp_path)
    size = tmp_path.joinpath("pack").stat().st_size
    largest = max(frame.raw for frame in opened_at(stored, size, None).index.frames)
    # How often a frame is read when each document is read twice, and in an order that jumps.
    for room, reads in ((3 * largest, 3), (largest, 50)):
        pack = opened_at(stored, size, HeldFrames(room))
        documents = objects[1:]
        jumping = [documents[at % 25] for at in range(0, 50 * 12, 12)]
        stored.reads.clear()
        for item in jumping:
            found = pack.read_document(Cid(item.id), item.frame, item.offset, len(item.data))
            assert found == item.data
        changes = 1 + sum(one.frame != other.frame for one, other in pairwise(jumping))
        assert len(stored.reads) == min(reads, changes)


def opened_at(stored: "Stored", size: int, held: HeldFrames | None) -> OpenedPack:
    """Opens a stored pack."""
    return OpenedPack(KEYS, stored, size, held=held)


def test_one_room_is_for_the_frames_of_many_packs() -> None:
    held, asked = HeldFrames(100), []

    def get(salt: bytes, number: int, size: int) -> bytes:
        def inflate() -> bytes:
            asked.append((salt, number))
            return bytes(size)

        return held.get(salt, number, inflate)

    assert get(b"a", 1, 40) == get(b"a", 1, 40) == bytes(40)
    get(b"b", 1, 40)
    get(b"a", 1, 40)
    get(b"a", 2, 40)  # b1 is the one that was not asked for lately
    get(b"a", 1, 40)
    get(b"b", 1, 40)
    assert asked == [(b"a", 1), (b"b", 1), (b"a", 2), (b"b", 1)]
    get(b"c", 1, 500)
    get(b"c", 1, 500)
    assert asked[4:] == [(b"c", 1)]


def test_a_place_that_holds_another_object_is_refused(tmp_path: Path) -> None:
    _, pack, objects = _stored(tmp_path)
    item, other = objects[1], objects[2]
    with pytest.raises(VerificationError, match=r"cid: document .* is not at its place"):
        pack.read_document(Cid(other.id), item.frame, item.offset, len(item.data))
    with pytest.raises(VerificationError, match=r"cid: commit .* is not at its place"):
        pack.read_commit(IDS.commit_id(b"{}"), item.frame, item.offset, len(item.data))
    for number in (0, 4, -1):
        with pytest.raises(VerificationError, match="frame: a pack has no frame"):
            pack.read_document(Cid(item.id), number, 0, 1)


def test_a_stored_pack_that_was_cut_is_refused(tmp_path: Path) -> None:
    stored, pack, objects = _stored(tmp_path)
    stored.path.write_bytes(stored.path.read_bytes()[:-1])
    item = objects[-1]
    with pytest.raises(VerificationError, match="pack: a stored pack is shorter than it was"):
        pack.read_document(Cid(item.id), item.frame, item.offset, len(item.data))


def test_a_stored_document_finds_its_base_through_the_store() -> None:
    old, new = _edit()
    [pack] = write_packs(KEYS, 1, {}, documents(new), {IDS.cid(new): (IDS.cid(old), Base(old))})
    asked: list[Cid] = []

    def lookup(cid: Cid) -> Base:
        asked.append(cid)
        return Base(old)

    view = OpenedPack(KEYS, lambda at, size: pack.data[at : at + size], pack.size, lookup)
    assert view.read_document(IDS.cid(new), 1, 0, len(new)) == new
    assert asked == [IDS.cid(old)]
    with pytest.raises(VerificationError, match="needs a document that is not here"):
        OpenedPack(KEYS, lambda at, size: pack.data[at : at + size], pack.size).frame(1)


# ---------------------------------------------------------------------------------------- tampering


def _pack() -> bytes:
    secret = canonical.encode({"_id": "env", "_type": "environment", "data": {"t": "x"}})
    items = documents(document("a", text="x" * 200), document("b"), secret)
    return write_packs(KEYS, 1, commits(b'{"v":1}'), items)[0].data


_WHOLE = _pack()


def _read_all(data: bytes) -> None:
    pack = OpenedPack(KEYS, lambda at, size: data[at : at + size], len(data))
    list(pack.objects())


@given(st.integers(0, len(_WHOLE) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, difference: int) -> None:
    data = bytearray(_WHOLE)
    data[at] ^= difference
    with pytest.raises(VerificationError):
        _read_all(bytes(data))


@given(st.integers(0, len(_WHOLE) - 1))
def test_no_pack_can_be_cut(size: int) -> None:
    with pytest.raises(VerificationError):
        _read_all(_WHOLE[:size])


@given(st.binary(max_size=200))
def test_nothing_else_is_taken_for_a_pack(data: bytes) -> None:
    with pytest.raises(VerificationError):
        _read_all(data)
    with pytest.raises(VerificationError):
        _read_all(_WHOLE[:46] + data)


@given(st.integers(0, len(_WHOLE) - 1), st.integers(0, len(_WHOLE) - 1))
def test_no_two_packs_can_be_crossed(left: int, right: int) -> None:
    other = _pack()
    crossed = _WHOLE[:left] + other[right:]
    assume(crossed not in (_WHOLE, other))
    with pytest.raises(VerificationError):
        _read_all(crossed)


def test_the_pack_as_it_is_can_be_read() -> None:
    _read_all(_WHOLE)


def test_the_id_of_a_pack_is_checked_before_it_is_read() -> None:
    with pytest.raises(VerificationError, match="pack: the bytes of pack 0000000000 are others"):
        open_pack(KEYS, _WHOLE, PackId(bytes(32)), len(_WHOLE))
