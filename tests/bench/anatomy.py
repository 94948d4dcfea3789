"""Prints what the bytes of one push, pull and clone are: headers, entries, packs, fields.

    python -m tests.bench.anatomy

Bytes are the same on every machine, whatever else it does.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from sopor_core.wire.parts import Part, PartKind, split_parts
from tests.bench.peers.sopor import SETTINGS
from tests.support.server import running_server
from tests.support.wire import RecordingProxy, recording_proxy
from tests.support.workload import workload
from tests.support.world import World

_END = b"\r\n\r\n"
_PACK_HEADER = struct.Struct(">4sBBII32s")


def messages(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields head and body of each message of one kept connection."""
    position = 0
    while position < len(stream):
        end = stream.index(_END, position) + len(_END)
        head = stream[position:end]
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        yield head, stream[end : end + length]
        position = end + length


def anatomy(stream: bytes) -> Counter[str]:
    """Returns the bytes of each kind of thing in one direction of a connection."""
    sizes: Counter[str] = Counter()
    for head, body in messages(stream):
        sizes["headers"] += len(head)
        if b"vnd.sopor.parts" not in head:
            sizes["other bodies"] += len(body)
            continue
        for part in split_parts(body):
            sizes["lengths of parts"] += 5
            sizes.update(_part(part))
    return sizes


def _part(part: Part) -> Counter[str]:
    name = part.kind.name.lower().replace("_", " ")
    sizes = Counter({f"{name}: bytes": len(part.data), f"{name}: number": 1})
    if part.kind is PartKind.PACK:
        _, _, _, _, index, _ = _PACK_HEADER.unpack_from(part.data)
        sizes["pack: of them header"] += _PACK_HEADER.size
        sizes["pack: of them index and padding"] += index
        sizes["pack: of them frames"] += len(part.data) - _PACK_HEADER.size - index
    elif part.kind is PartKind.DEFLATED:
        for inner in split_parts(zlib.decompress(part.data[4:])):
            sizes[f"deflated: {inner.kind.name.lower().replace('_', ' ')}: number"] += 1
            sizes[f"deflated: {inner.kind.name.lower().replace('_', ' ')}: inflated"] += len(
                inner.data
            )
    elif part.data.startswith(b"{"):
        for field, value in json.loads(part.data).items():
            text = json.dumps({field: value}, separators=(",", ":"))
            sizes[f"{name}: of them {field}"] += len(text) - 1
    return sizes


def scenarios(root: Path, documents: int, commits: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Yields what crossed in each scenario, up and down."""
    work = workload()
    with (
        running_server(root / "data", **SETTINGS) as server,
        recording_proxy(server.url) as wire,
    ):
        world = World(wire, root)
        device, other = world.device("ada"), world.device("ada")
        ids = work.write(device.folder / "project", documents)
        with device.start("project", {}) as laptop:
            laptop.commit("Import", allow_secrets=True)
            yield "initial push", *_crossing(wire, laptop.push)
            for number in range(1, commits + 1):
                work.apply_commit(laptop.root, number, ids)
                laptop.commit(f"Commit {number}", allow_empty=True, allow_secrets=True)
                laptop.push()
            yield "clone", *_crossing(wire, lambda: other.clone("project").close())
            work.edit_one(laptop.root, 1, ids=ids)
            laptop.commit("Edit")
            yield "push of one document", *_crossing(wire, laptop.push)
            with other.open("project") as desktop:
                yield "pull of one commit", *_crossing(wire, desktop.pull)
                yield "nothing new", *_crossing(wire, desktop.pull)


def _crossing(wire: RecordingProxy, act: Callable[[], object]) -> tuple[bytes, bytes]:
    up, down = len(wire.sent), len(wire.received)
    with wire.measured():
        act()
    return bytes(wire.sent[up:]), bytes(wire.received[down:])


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--raw", action="store_true", help="print the heads of messages as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        for name, up, down in scenarios(Path(folder), options.documents, options.commits):
            print(f"\n{name}: {len(up):,} bytes up, {len(down):,} down")
            for way, stream in (("up", up), ("down", down)):
                for what, size in sorted(anatomy(stream).items()):
                    print(f"  {way:4} {size:9,}  {what}")
                for head, _ in messages(stream) if options.raw else ():
                    print(head.decode(errors="replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
