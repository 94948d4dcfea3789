"""Builds packs by hand, with a knob for every byte that a bad one can have wrong."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.vectors.making.reference import (
    EPOCHS_JSON,
    KEY,
    PROJECT,
    SECRETS,
    Vector,
    b64,
    canonical,
    cid,
    commit_id,
    fixed,
    hkdf,
    sha256,
    u32,
)

_BLOCK = 128 * 1024


def zstd_stored(data: bytes, claimed: int | None = None) -> bytes:
    """A zstd frame (RFC 8878) of blocks that are not compressed: the same bytes by any library."""
    runs = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)]
    blocks = [(0, len(run), run) for run in runs]
    return _zstd(blocks, len(data) if claimed is None else claimed)


def zstd_run(before: bytes, byte: bytes, count: int, after: bytes) -> bytes:
    """A zstd frame that inflates to `count` times one byte between two texts: small and large."""
    runs = [_BLOCK] * (count // _BLOCK) + [count % _BLOCK]
    blocks = [(0, len(before), before), *((1, run, byte) for run in runs if run)]
    blocks.append((0, len(after), after))
    return _zstd(blocks, len(before) + count + len(after))


def _zstd(blocks: list[tuple[int, int, bytes]], content_size: int) -> bytes:
    # Magic, then "single segment, content size in 4 bytes".
    frame = b"\x28\xb5\x2f\xfd\xa0" + content_size.to_bytes(4, "little")
    for number, (kind, size, data) in enumerate(blocks, 1):
        last = number == len(blocks)
        frame += (last | kind << 1 | size << 3).to_bytes(3, "little") + data
    return frame


def padme(length: int) -> int:
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


@dataclass
class Frame:
    """Objects of one frame: (kind, canonical bytes). `content` is what is encrypted."""

    objects: list[tuple[str, bytes]]
    zstd: bool = True
    bases: list[bytes] = field(default_factory=list)
    content: bytes | None = None
    lies: dict[str, Any] = field(default_factory=dict)
    depth: int = 0

    @property
    def raw(self) -> bytes:
        return b"".join(data for _, data in self.objects)

    def plaintext(self) -> bytes:
        if self.content is not None:
            return self.content
        return zstd_stored(self.raw) if self.zstd else self.raw

    def ids(self) -> list[bytes]:
        return [(commit_id if kind == "c" else cid)(KEY, data) for kind, data in self.objects]

    def entry(self) -> dict[str, Any]:
        return {
            "size": len(self.plaintext()) + 16,
            "raw": len(self.raw),
            "zstd": self.zstd,
            "bases": [b64(cid(KEY, base)) for base in self.bases],
            "kinds": "".join(kind for kind, _ in self.objects),
            "lengths": [len(data) for _, data in self.objects],
            "tags": b64(b"".join(id_[:4] for id_ in self.ids())),
            **self.lies,
        }


@dataclass
class Faults:
    """What to do wrong; the defaults do everything right."""

    magic: bytes = b"SOPK\x01\x01"
    epoch: int = 1
    key_epoch: int | None = None
    project: bytes = PROJECT
    associated_project: bytes | None = None
    index: bytes | None = None
    index_zstd: bytes | None = None
    index_lies: dict[str, Any] = field(default_factory=dict)
    length_error: int = 0
    padding: bytes | None = None
    padding_error: int = 0
    index_size_error: int = 0
    order: list[int] | None = None
    last: int | None = None
    numbers_from: int = 0
    trailing: bytes = b""


def build(frames: list[Frame], faults: Faults | None = None) -> bytes:
    """The bytes of a pack."""
    wrong = faults or Faults()
    index = _index(frames, wrong)
    salt = fixed("pack salt")
    size = len(index) + 16 + wrong.index_size_error
    header = wrong.magic + u32(wrong.epoch) + u32(size) + salt
    epoch = wrong.epoch if wrong.key_epoch is None else wrong.key_epoch
    secret = SECRETS.get(epoch, fixed("a secret that nobody knows"))
    key = hkdf(secret, salt, b"sopor/1 pack\0" + wrong.project + u32(epoch))
    associated = b"sopor/1 pack\0" + (wrong.associated_project or wrong.project) + header
    last = len(frames) if wrong.last is None else wrong.last
    sealed = []
    for number, plaintext in enumerate([index, *(frame.plaintext() for frame in frames)]):
        nonce = bytes(7) + u32(number + wrong.numbers_from) + bytes([number == last])
        sealed.append(AESGCM(key).encrypt(nonce, plaintext, associated))
    order = wrong.order or list(range(len(sealed)))
    return header + b"".join(sealed[at] for at in order) + wrong.trailing


def _index(frames: list[Frame], wrong: Faults) -> bytes:
    value = {"v": 1, "frames": [frame.entry() for frame in frames], **wrong.index_lies}
    packed = wrong.index_zstd
    if packed is None:
        packed = zstd_stored(canonical(value) if wrong.index is None else wrong.index)
    index = u32(len(packed) + wrong.length_error) + packed
    total = 46 + len(index) + 16 + sum(len(frame.plaintext()) + 16 for frame in frames)
    padding = bytes(padme(total) - total + wrong.padding_error)
    return index + (padding if wrong.padding is None else wrong.padding)


def received(pack: bytes, *, bases: dict[bytes, tuple[bytes, int]] | None = None) -> Vector:
    """The vector of a pack: its bytes, and what the entry and the store say of it.

    `bases` maps the content id that a reader looks up to what it finds: bytes and depth.
    """
    return {
        "project": PROJECT.hex(),
        "epochs": EPOCHS_JSON,
        "pack": b64(pack),
        "id": sha256(pack).hex(),
        "size": len(pack),
        "bases": {
            key.hex(): {"data": data.decode(), "depth": depth}
            for key, (data, depth) in (bases or {}).items()
        },
    }


def contents(frames: list[Frame]) -> list[Vector]:
    """The objects of a pack as a reader finds them; short ones with their text."""
    found = []
    for number, frame in enumerate(frames, 1):
        offset = 0
        for (kind, data), id_ in zip(frame.objects, frame.ids(), strict=True):
            item: Vector = {
                "kind": kind,
                "id": id_.hex(),
                "frame": number,
                "offset": offset,
                "length": len(data),
                "depth": frame.depth,
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            found.append(item | ({"text": data.decode()} if len(data) < 4096 else {}))
            offset += len(data)
    return found
