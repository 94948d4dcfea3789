"""Looks for words in what a server has, however they may be written there.

A word is looked for as it is and in every spelling of `spellings`; digests of whole contents in
those of `digests`. `layers` opens what a heap of bytes may hide: compressed streams and base64.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from urllib.parse import quote, quote_plus

import zstandard

_MOST_INFLATED = 1 << 22
_ZSTD = b"\x28\xb5\x2f\xfd"
_STREAMS = re.compile(rb"\x28\xb5\x2f\xfd|\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_TOKEN = re.compile(rb"[A-Za-z0-9_+/-]{16,}")
_SHORTEST = 6
_ALGORITHMS = ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s", "sha3_256")
_PREFIXES = (b"", b"document\0", b"commit\0", b"branch\0")


def spellings(data: bytes) -> dict[str, bytes]:
    """Returns the ways in which bytes may be written, by name."""
    written = {
        "raw": data,
        "reversed": data[::-1],
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
    }
    for offset in range(3):
        # The characters at both ends depend on what stands beside the word.
        inside = b64encode(bytes(offset) + data)[4 if offset else 0 :]
        inside = inside[: len(inside) // 4 * 4 - 4]
        written[f"base64 at {offset}"] = inside
        written[f"base64url at {offset}"] = inside.translate(bytes.maketrans(b"+/", b"-_"))
    return written


def text_spellings(text: str) -> dict[str, bytes]:
    """Returns the ways in which a text may be written, by name."""
    data = text.encode()
    return spellings(data) | {
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "utf-32-le": text.encode("utf-32-le"),
        "percent": quote(text).encode(),
        "percent without /": quote(text, safe="").encode(),
        "percent+": quote_plus(text).encode(),
        "percent all": "".join(f"%{byte:02X}" for byte in data).encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "upper": text.upper().encode(),
        "lower": text.lower().encode(),
    }


def digests(data: bytes) -> dict[str, bytes]:
    """Returns the digests that somebody may take of a content without a secret, by name."""
    git = b"blob %d\0" % len(data)
    found: dict[str, bytes] = {}
    for name in _ALGORITHMS:
        for prefix in (*_PREFIXES, git):
            found[f"{name} {prefix!r}"] = hashlib.new(name, prefix + data).digest()
    return found


class Needles:
    """What is looked for: names of what must not be found, with their bytes."""

    def __init__(self) -> None:
        self._by_bytes: dict[bytes, str] = {}

    def add_texts(self, texts: Mapping[str, str]) -> None:
        """Adds texts in all spellings, and their digests."""
        for name, text in texts.items():
            self._add(name, text_spellings(text))
            self.add_contents({name: text.encode()})

    def add_secrets(self, secrets: Mapping[str, bytes]) -> None:
        """Adds bytes in all spellings."""
        for name, data in secrets.items():
            self._add(name, spellings(data))

    def add_contents(self, contents: Mapping[str, bytes]) -> None:
        """Adds the digests of contents in all spellings."""
        for name, data in contents.items():
            for kind, digest in digests(data).items():
                self._add(f"{name} ({kind})", spellings(digest))

    def _add(self, name: str, written: Mapping[str, bytes]) -> None:
        for spelling, data in written.items():
            if len(data) >= _SHORTEST:
                self._by_bytes.setdefault(data, f"{name} as {spelling}")

    def __len__(self) -> int:
        return len(self._by_bytes)

    def found_in(self, heaps: Mapping[str, bytes]) -> list[str]:
        """Returns what was found where; nothing if all is well."""
        # One look for the first bytes of all needles at once is faster than one for each of them.
        starts: dict[bytes, list[bytes]] = {}
        for needle in self._by_bytes:
            starts.setdefault(needle[:_SHORTEST], []).append(needle)
        return [
            f"{self._by_bytes[needle]} in {where}"
            for where, heap in heaps.items()
            for layer in layers(heap)
            for needle in _present(layer, starts)
        ]


def _present(heap: bytes, starts: Mapping[bytes, Iterable[bytes]]) -> list[bytes]:
    windows = {heap[at : at + _SHORTEST] for at in range(len(heap) - _SHORTEST + 1)}
    likely = chain.from_iterable(starts[start] for start in windows & starts.keys())
    return [needle for needle in likely if needle in heap]


def layers(heap: bytes, depth: int = 2) -> Iterator[bytes]:
    """Yields a heap of bytes, and what its compressed streams and base64 texts hold."""
    yield heap
    if depth == 0:
        return
    for match in _STREAMS.finditer(heap):
        inner = _inflate(heap[match.start() :])
        if len(inner) >= _SHORTEST:
            yield from layers(inner, depth - 1)
    # Joined by a byte that no needle has in its middle for long.
    decoded = b"\0\0\0".join(_decode(match[0]) for match in _TOKEN.finditer(heap))
    if decoded:
        yield from layers(decoded, depth - 1)


def _inflate(data: bytes) -> bytes:
    try:
        if data.startswith(_ZSTD):
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(data, _MOST_INFLATED)
    except (zstandard.ZstdError, zlib.error):
        return b""


def _decode(token: bytes) -> bytes:
    text = token.translate(bytes.maketrans(b"+/", b"-_"))
    return urlsafe_b64decode(text[: len(text) // 4 * 4])
