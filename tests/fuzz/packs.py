"""Targets for packs: what is outside of the encryption, and all that may be inside of it."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.pack import Base, PackHeader, PackIndex, open_pack, padme
from sopor.crypto.pack.compression import claimed_size, compress, inflate
from sopor.crypto.pack.index import encode_index
from sopor.crypto.pack.layout import HEADER_BYTES, LENGTH_BYTES, FrameCipher
from sopor.crypto.primitives import TAG_BYTES
from sopor.model.commit import Commit
from sopor_core.encoding import b64decode
from sopor_core.errors import VerificationError
from sopor_core.ids import Cid, PackId, ProjectId
from tests.fuzz.examples import Vector, good, vectors
from tests.fuzz.target import Target, canonical_reader

_SALT = bytes(32)
_MOST_INFLATED = 1 << 20
_HEADER = PackHeader(1, 64, _SALT)
_CUT = 2
_PREFIX = b"a prefix of some length"


@cache
def _keys(*, right: bool = True) -> ProjectKeys:
    vector = vectors("packs")[0]
    secrets = {
        int(epoch): EpochSecret(bytes.fromhex(text) if right else bytes(32))
        for epoch, text in vector["epochs"].items()
    }
    return ProjectKeys(ProjectId.from_hex(vector["project"]), secrets)


@cache
def _bases() -> dict[Cid, Base]:
    return {
        Cid.from_hex(cid): Base(base["data"].encode(), base["depth"])
        for vector in good("packs")
        for cid, base in vector["bases"].items()
    }


def _open(data: bytes, keys: ProjectKeys) -> int:
    """Reads a pack to its end; returns how many objects are in it."""
    pack = open_pack(keys, data, PackId(sha256(data).digest()), len(data), _bases().__getitem__)
    count = 0
    for item in pack.objects():
        assert pack.frame(item.frame)[item.offset : item.offset + len(item.data)] == item.data
        count += 1
    return count


def read_sealed(data: bytes) -> bool:
    """Reads bytes as a pack, with the keys of the project and with others."""
    taken = False
    for right in (True, False):
        try:
            _open(data, _keys(right=right))
        except VerificationError:
            continue
        assert right, "a pack was opened by other keys"
        taken = True
    return taken


def _sealed(data: bytes) -> bytes:
    """Seals input as a member could: length of the index, the index, what is in the frames.

    What the index says of its frames tells where they end, true or not.
    """
    end = _CUT + int.from_bytes(data[:_CUT], "big")
    index, rest = data[_CUT:end], data[end:]
    try:
        sizes = [frame.size - TAG_BYTES for frame in PackIndex.parse(_HEADER, index).frames]
    except VerificationError:
        sizes = []
    frames, at = [], 0
    for size in sizes:
        frames.append(rest[at : at + size])
        at += size
    packed = compress(index)
    plain = len(packed).to_bytes(LENGTH_BYTES, "big") + packed
    size = HEADER_BYTES + len(plain) + TAG_BYTES + sum(len(each) + TAG_BYTES for each in frames)
    plain += bytes(padme(size) - size)
    header = PackHeader(1, len(plain) + TAG_BYTES, _SALT)
    cipher = FrameCipher(_keys(), header)
    pieces = [plain, *frames]
    sealed = [cipher.encrypt(n, n == len(frames), each) for n, each in enumerate(pieces)]
    return header.encode() + b"".join(sealed)


def read_inside(data: bytes) -> bool:
    """Reads a pack that a member sealed around the input."""
    try:
        _open(_sealed(data), _keys())
    except VerificationError:
        return False
    return True


def inflate_it(data: bytes) -> bool:
    """Inflates a frame alone and behind a prefix, within what its reader allows."""
    taken = False
    for prefix in (b"", _PREFIX):
        try:
            size = claimed_size(data)
            if size <= _MOST_INFLATED:
                assert len(inflate(data, size, prefix)) == size
                taken = True
        except VerificationError:
            continue
    return taken


def _opened(vector: Vector) -> bytes:
    """Returns what is inside of a pack, as `_sealed` takes it."""
    data = b64decode(vector["pack"])
    pack = open_pack(_keys(), data, PackId(sha256(data).digest()), len(data), _bases().__getitem__)
    header = PackHeader.parse(data[:HEADER_BYTES])
    cipher = FrameCipher(_keys(), header)
    index = encode_index(list(pack.index.frames))
    plain = []
    for number, (entry, offset) in enumerate(
        zip(pack.index.frames, pack.index.offsets, strict=False), 1
    ):
        last = number == len(pack.index.frames)
        plain.append(cipher.decrypt(number, last, data[offset : offset + entry.size]))
    return len(index).to_bytes(_CUT, "big") + index + b"".join(plain)


def _small(limit: int = 4096) -> list[Vector]:
    return [each for each in good("packs") if each["size"] <= limit]


def packs() -> dict[str, Target]:
    """Returns the targets by name."""
    sealed = [b64decode(each["pack"]) for each in _small()]
    opened = [_opened(each) for each in _small()]
    indexes = [each[_CUT : _CUT + int.from_bytes(each[:_CUT], "big")] for each in opened]
    commits = [each["text"].encode() for each in good("commits")]
    return {
        "pack.sealed": Target(read_sealed, sealed),
        "pack.inside": Target(read_inside, opened),
        "pack.header": canonical_reader(
            PackHeader.parse, PackHeader.encode, [sealed[0][:HEADER_BYTES]]
        ),
        "pack.index": canonical_reader(
            lambda data: PackIndex.parse(_HEADER, data),
            lambda index: encode_index(list(index.frames)),
            indexes,
        ),
        "pack.frame": Target(inflate_it, [compress(b"a" * 99), compress(b"{a prefix}", _PREFIX)]),
        "commit": canonical_reader(Commit.parse, lambda commit: commit.encoded, commits),
    }
