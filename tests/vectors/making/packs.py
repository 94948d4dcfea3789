"""Vectors of packs: good ones, and bad ones with one fault each."""

from __future__ import annotations

import base64
from typing import Any

from tests.vectors.making.packing import (
    Faults,
    Frame,
    build,
    contents,
    padme,
    received,
    zstd_run,
    zstd_stored,
)
from tests.vectors.making.reference import (
    KEY,
    OTHER_PROJECT,
    Vector,
    b64,
    bad,
    canonical,
    cid,
    fixed,
    flipped,
    good,
    u32,
)
from tests.vectors.making.values import CIDS, FIRST, PACKED

_COMMIT = canonical(FIRST)
_DOCUMENTS = list(PACKED.values())
_SECRET = canonical(
    {"_id": "env_1", "_type": "environment", "data": {"token": "hunter2"}, "parentId": "wrk_1"}
)


def _request(name: str, **other: Any) -> bytes:
    return canonical(
        {"_id": "req_1", "_type": "request", "name": name, "authentication": {}, **other}
    )


_OLD, _NEW, _NEWER = (
    _request(name, description=b64(fixed("text", 300))) for name in ("List", "List pets", "Pets")
)
# What zstd made of these texts behind the frame template, so that the vectors do not depend on a
# version of it.
COMPRESSED = base64.b64decode(
    "KLUv/WDMAIUKAJQRdnd2MnlaZkFRdGlmV2p3UnhzQncwQUFkYSBMb3ZlbGFjZTEiOiJEV0hWT0NMNW11NzhfUGxSYXFval"
    "dFRVlVdmI5MkdTQmE0SlpmVnVYaG8wIsO8IjoiaGYweFVEblc4bWk5SnlDTnN5ekJ5RGU4VzU1OTFxS0JtUVNTQ3R4eGRD"
    "WGJZcWFXRDdsT3JpVEdLTmdnTjd6cGhta1d6Rm94SkJ2RkM1djYySnNiSUFkZCB0aGUgcGV0c1xuXG5BbmQg4oCcYWxs4o"
    "CdIG9mbS5OX3JfZEpvRlN1a3h4OXU5T01Ha3VNUjg2aHBvVGpqcEZieWQzNlpKenRRMHdvcmtzcFBldHMiLCJ1bmtub3du"
    "IjpbMSxudWxsXX0TAIgkEN8WMNtQqLshagaAdXe6pvh2s37rMIAGb1grBQc2MbLhElsF6gYXrLW0Tv1sk5RirA=="
)
COMPRESSED_ON_OLD = base64.b64decode("KLUv/WDpAH0AADggcGV0cyJ9AQDf5+oCAg==")
COMPRESSED_ON_TWO = base64.b64decode("KLUv/WDkAHUAADBQZXRzIn0BANvs6gIC")
# The index of the commit alone, behind the index template; documents that end as the frame template
# does, of 65,536 and of 65,537 bytes, both behind it.
COMPRESSED_INDEX = base64.b64decode("KLUv/SBsBQEAaDg4Mzg4MTY5U2dGWGcGAG9QBQpWWhlqEPiGHNPRAAE=")
COMPRESSED_AT_LIMIT = base64.b64decode("KLUv/WAA/90AABgxeH0GgFAfEB9AJ0sADVP1x7XMuA0Xn8EpEA==")
COMPRESSED_OVER_LIMIT = base64.b64decode("KLUv/WAB/90AABgxeH0GgFAfMB9Ap0sADWP1x7XMuA0Xn8EpEA==")


def _plain() -> list[Frame]:
    return [Frame([("c", _COMMIT), *(("d", document) for document in _DOCUMENTS)])]


def _two() -> list[Frame]:
    # Of equal size, so that swapping them moves no border.
    return [Frame([("c", _COMMIT)], zstd=False), Frame([("d", _filled(len(_COMMIT)))], zstd=False)]


def _filled(size: int) -> bytes:
    empty = canonical({"_id": "doc_1", "_type": "request", "name": ""})
    return canonical({"_id": "doc_1", "_type": "request", "name": "x" * (size - len(empty))})


def _settings(size: int, content: bytes) -> Frame:
    """One document of `size` bytes that says much of what the frame template says."""
    settings = {
        "settingDisableRenderRequestBody": False,
        "settingEncodeUrl": True,
        "settingFollowRedirects": "global",
        "settingRebuildPath": True,
    }
    document = {"_id": "req_1", "_type": "request", "name": "", **settings}
    document["name"] = "x" * (size - len(canonical(document)))
    return Frame([("d", canonical(document))], content=content)


def _large(size: int) -> Frame:
    """One document of `size` bytes that takes a hundred in the pack."""
    document = _filled(size)
    run = document.count(b"x")
    before, _, after = document.partition(b"x" * run)
    return Frame([("d", document)], content=zstd_run(before, b"x", run, after))


def _based(content: bytes = COMPRESSED_ON_OLD, data: bytes = _NEW, depth: int = 1) -> Frame:
    return Frame([("d", data)], bases=[_OLD], content=content, depth=depth)


def packs() -> list[Vector]:
    """All vectors of packs."""
    return [*_good(), *_bad_outside(), *_bad_frames(), *_bad_index(), *_bad_objects()]


def _good() -> list[Vector]:
    in_pack = [Frame([("d", _OLD)]), _based()]
    two_bases = Frame([("d", _NEWER)], bases=[_OLD, _NEW], content=COMPRESSED_ON_TWO, depth=2)
    chain = [Frame([("d", _OLD)]), _based(), two_bases]
    frames = {
        "one commit": [Frame([("c", _COMMIT)])],
        "a commit and documents": _plain(),
        "compressed": [Frame([("c", _COMMIT), ("d", _DOCUMENTS[0])], content=COMPRESSED)],
        "frames of equal size": _two(),
        "secrets without compression": [*_plain(), Frame([("d", _SECRET)], zstd=False)],
        "a document on a base in an earlier frame": in_pack,
        "a chain of bases inside a pack": chain,
        "a document over 1 MiB": [_large(1_048_577)],
        "a full frame": [_large(1_048_576)],
        "the largest frame behind the template": [_settings(65_536, COMPRESSED_AT_LIMIT)],
        "several frames": [Frame([("c", _COMMIT)]), *(Frame([("d", d)]) for d in _DOCUMENTS)],
        "no frames": [],
    }
    vectors = [good(n, **received(build(f)), objects=contents(f)) for n, f in frames.items()]
    alone = [Frame([("c", _COMMIT)])]
    indexed = build(alone, Faults(index_zstd=COMPRESSED_INDEX))
    vectors.append(
        good("an index behind the template", **received(indexed), objects=contents(alone))
    )
    second = build(_plain(), Faults(epoch=2))
    vectors.append(good("epoch 2", **received(second), objects=contents(_plain())))
    old = {cid(KEY, _OLD): (_OLD, 0)}
    vectors.append(
        good(
            "a document on a base of an earlier pack",
            **received(build([_based()]), bases=old),
            objects=contents([_based()]),
        )
    )
    deep = {cid(KEY, _OLD): (_OLD, 15)}
    at_the_end = [_based(depth=16)]
    vectors.append(
        good(
            "the sixteenth on its chain",
            **received(build(at_the_end), bases=deep),
            objects=contents(at_the_end),
        )
    )
    return vectors


def _case(name: str, layer: str, frames: list[Frame], **faults: Any) -> Vector:
    return bad(name, layer, **received(build(frames, Faults(**faults))))


def _bad_outside() -> list[Vector]:
    whole = build(_plain())
    vector = received(whole)
    changed: dict[str, dict[str, Any]] = {
        "the hash of other bytes": {"id": fixed("another pack").hex()},
        "a byte more than listed": {"size": len(whole) - 1},
        "a byte less than listed": {"size": len(whole) + 1},
    }
    vectors = [bad(name, "pack", **{**vector, **change}) for name, change in changed.items()]
    cuts = {"empty": b"", "header alone": whole[:46], "inside the header": whole[:45]}
    vectors += [bad(name, "pack", **received(data)) for name, data in cuts.items()]
    vectors += [
        _case("another magic", "pack", _plain(), magic=b"SOPQ\x01\x01"),
        _case("version 2", "pack", _plain(), magic=b"SOPK\x02\x01"),
        _case("version 0", "pack", _plain(), magic=b"SOPK\x00\x01"),
        _case("suite 2", "pack", _plain(), magic=b"SOPK\x01\x02"),
        _case("an epoch without key", "epoch", _plain(), epoch=3),
        _case("epoch 0", "epoch", _plain(), epoch=0),
    ]
    index_size = int.from_bytes(whole[10:14], "big")
    for name, size in (
        ("an index of no bytes", 0),
        ("an index shorter than a tag", 19),
        ("an index beyond the end", len(whole) - 45),
        ("an index of 4 GiB", 2**32 - 1),
    ):
        vectors.append(bad(name, "pack", **received(whole[:10] + u32(size) + whole[14:])))
    for name, data in (
        ("an index a byte too short", whole[:10] + u32(index_size - 1) + whole[14:]),
        ("an index a byte too long", whole[:10] + u32(index_size + 1) + whole[14:]),
        ("another salt", flipped(whole, 20)),
        ("another epoch in the header", whole[:6] + u32(2) + whole[10:]),
    ):
        vectors.append(bad(name, "frame", **received(data)))
    return vectors


def _bad_frames() -> list[Vector]:
    whole, start = build(_two()), 46
    size = int.from_bytes(whole[10:14], "big")
    one = len(_COMMIT) + 16
    vectors = [
        bad(f"flipped bit in {name}", "frame", **received(flipped(whole, at)))
        for name, at in (
            ("the index", start),
            ("the tag of the index", start + size - 1),
            ("the first frame", start + size),
            ("the tag of the first frame", start + size + one - 1),
            ("the last frame", -20),
            ("the tag of the last frame", -1),
        )
    ]
    vectors += [
        bad("cut by a byte", "frame", **received(whole[:-1])),
        bad("the last frame missing", "frame", **received(whole[:-one])),
        bad("all frames missing", "frame", **received(whole[: start + size])),
        bad("a byte after the last frame", "frame", **received(whole + b"\0")),
        bad("the last frame twice", "frame", **received(whole + whole[-one:])),
        _case("frames swapped", "frame", _two(), order=[0, 2, 1]),
        _case("the first frame in the place of the last", "frame", _two(), order=[0, 1, 1]),
        _case("no last mark", "frame", _two(), last=99),
        _case("the last mark too early", "frame", _two(), last=1),
        _case("the index marked as last", "frame", _two(), last=0),
        _case("frames counted from one", "frame", _two(), numbers_from=1),
        _case("of another project", "frame", _plain(), project=OTHER_PROJECT),
        _case(
            "another project in what is authenticated",
            "frame",
            _plain(),
            associated_project=OTHER_PROJECT,
        ),
        _case("the key of another epoch", "frame", _plain(), key_epoch=2),
    ]
    content, raw = zstd_stored(_COMMIT), len(_COMMIT)
    claims = {
        "a frame that claims more than it holds": zstd_stored(_COMMIT, raw + 1),
        "a frame that claims less than it holds": zstd_stored(_COMMIT, raw - 1),
        "a frame that claims 4 GiB": zstd_stored(_COMMIT, 2**32 - 1),
        "a frame that is not zstd": b"\0" + content[1:],
        "a frame that is cut": content[:-1],
        "a frame with bytes after it": content + b"\0",
        "two zstd frames in one": zstd_stored(_COMMIT[:9], raw) + zstd_stored(_COMMIT[9:]),
        "a skippable frame": b"\x50\x2a\x4d\x18" + (raw).to_bytes(4, "little") + _COMMIT,
        "a frame that names a dictionary": content[:4] + b"\xa1\x07" + content[5:],
        "a frame that does not say its size": b"\x28\xb5\x2f\xfd\x00\x58" + content[9:],
        "a frame that needs 64 MiB of window": b"\x28\xb5\x2f\xfd\x80\x80" + content[5:],
        "an empty frame": b"",
    }
    vectors += [
        _case(name, "frame", [Frame([("c", _COMMIT)], content=data)])
        for name, data in claims.items()
    ]
    over = [_settings(65_537, COMPRESSED_OVER_LIMIT)]
    vectors.append(_case("a larger frame behind the template", "frame", over))
    bomb = _large(17_825_793)
    vectors.append(_case("a frame that inflates to over 17 MiB", "frame", [bomb]))
    vectors.append(_case("a document over 16 MiB", "frame", [_large(16_777_217)]))
    return vectors


def _bad_index() -> list[Vector]:
    unpadded = len(build(_plain(), Faults(padding=b"")))
    zeros = padme(unpadded) - unpadded
    vectors = [
        _case("padding that is not zero", "frame", _plain(), padding=bytes(zeros - 1) + b"\x01"),
        _case("no padding", "frame", _plain(), padding=b""),
        _case("a byte of padding too much", "frame", _plain(), padding_error=1),
        _case("a byte of padding too little", "frame", _plain(), padding_error=-1),
        _case(
            "padding to the next length",
            "frame",
            _plain(),
            padding=bytes(padme(unpadded + zeros + 1) - unpadded),
        ),
        _case("an index length beyond the frame", "frame", _plain(), length_error=10_000),
        _case("an index length a byte short", "frame", _plain(), length_error=-1),
        _case("an index that is not zstd", "frame", _plain(), index_zstd=b"{}"),
        _case(
            "an index that claims 4 GiB",
            "frame",
            _plain(),
            index_zstd=zstd_stored(b"{}", 2**32 - 1),
        ),
        _case(
            "an index over 64 MiB",
            "frame",
            _plain(),
            index_zstd=zstd_run(b"[", b" ", 67_108_863, b"]"),
        ),
        _case(
            "an index that is not canonical", "canonical", _plain(), index=b'{"v":1,"frames":[]}'
        ),
        _case("an index that is not JSON", "canonical", _plain(), index=b"frames"),
        _case("an index that is a list", "frame", _plain(), index=b"[]"),
        _case("an index of version 2", "frame", _plain(), index_lies={"v": 2}),
        _case("an index with an unknown member", "frame", _plain(), index_lies={"extra": 1}),
        _case("frames that are no list", "frame", _plain(), index_lies={"frames": {}}),
        _case("a frame that is no object", "frame", _plain(), index_lies={"frames": [1]}),
        _case("frames missing in the index", "frame", _plain(), index_lies={"frames": []}),
        _case(
            "a frame too many in the index",
            "frame",
            _two()[1:],
            index_lies={"frames": [_two()[1].entry()] * 2},
        ),
    ]
    wide = [_large(16_777_216).entry()] * 17
    vectors.append(
        _case("frames of 272 MiB in all", "frame", _plain(), index_lies={"frames": wide})
    )
    frame = _plain()[0]
    size, raw, count = len(frame.plaintext()) + 16, len(frame.raw), len(frame.objects)
    lengths = [len(data) for _, data in frame.objects]
    lies: dict[str, dict[str, Any]] = {
        "a size a byte short": {"size": size - 1},
        "a size a byte long": {"size": size + 1},
        "a size of a tag alone": {"size": 16},
        "a negative size": {"size": -size},
        "a size over 24 MiB": {"size": 25_165_825},
        "a size that is a text": {"size": str(size)},
        "raw a byte short": {"raw": raw - 1},
        "raw a byte long": {"raw": raw + 1},
        "raw of zero": {"raw": 0, "lengths": [0] * count},
        "zstd that is a number": {"zstd": 1},
        "no compression where there is": {"zstd": False},
        "an unknown kind": {"kinds": "cddx"},
        "a kind too few": {"kinds": "cdd"},
        "a kind too many": {"kinds": "cdddd"},
        "a kind in upper case": {"kinds": "Cddd"},
        "a commit behind a document": {"kinds": "cdcd"},
        "a length too few": {"lengths": lengths[:-1]},
        "a length too many": {"lengths": [*lengths, 1]},
        "a length of zero": {"lengths": [*lengths[:-2], sum(lengths[-2:]), 0]},
        "a negative length": {"lengths": [*lengths[:-2], sum(lengths[-2:]) + 1, -1]},
        "a length that is a boolean": {"lengths": [*lengths[:-2], sum(lengths[-2:]) - 1, True]},
        "lengths that do not fill the frame": {"lengths": [*lengths[:-1], lengths[-1] - 1]},
        "no objects": {"lengths": [], "kinds": "", "tags": ""},
        "tags of one object missing": {"tags": b64(bytes(4 * count - 4))},
        "a byte of tags too much": {"tags": b64(bytes(4 * count + 1))},
        "a base that is a number": {"bases": [1]},
        "a base twice": {"bases": [b64(fixed("base"))] * 2},
        "an unknown member of a frame": {"extra": 1},
    }
    vectors += [_case(name, "frame", [_lying(lie)]) for name, lie in lies.items()]
    vectors += [
        _case("tags that are not base64url", "parse", [_lying({"tags": "===="})]),
        _case("a base of a wrong length", "parse", [_lying({"bases": [b64(bytes(31))]})]),
    ]
    lack = {k: v for k, v in frame.entry().items() if k != "tags"}
    vectors.append(_case("a frame without tags", "frame", _plain(), index_lies={"frames": [lack]}))
    return vectors


def _lying(lie: dict[str, Any]) -> Frame:
    frame = _plain()[0]
    frame.lies = lie
    return frame


def _bad_objects() -> list[Vector]:
    frame = _plain()[0]
    tags = b"".join(id_[:4] for id_ in frame.ids())
    plain = Frame([("d", _DOCUMENTS[0])], zstd=False)
    with_base = Frame([("d", _SECRET)], zstd=False, lies={"bases": [b64(CIDS["wrk_1"])]})
    pair = Frame([("d", _filled(600_000)), ("d", _DOCUMENTS[0])])
    large = _large(600_000)
    pair.content = zstd_run(
        large.raw.partition(b"xx")[0], b"x", large.raw.count(b"x"), b'"}' + _DOCUMENTS[0]
    )
    double = Frame([*large.objects, *_large(600_001).objects])
    double.content = zstd_run(double.raw[:9], b"x", len(double.raw) - 18, double.raw[-9:])
    vectors = [
        _case("tags of other ids", "cid", [_lying({"tags": b64(flipped(tags))})]),
        _case("tags in another order", "cid", [_lying({"tags": b64(tags[4:] + tags[:4])})]),
        _case("a document called a commit", "cid", [Frame([("d", _COMMIT)], lies={"kinds": "c"})]),
        _case("lengths shifted by a byte", "cid", [_shifted()]),
        _case(
            "no compression and another raw",
            "frame",
            [
                Frame(
                    plain.objects,
                    zstd=False,
                    lies={"raw": len(plain.raw) - 1, "lengths": [len(plain.raw) - 1]},
                )
            ],
        ),
        _case("a base without compression", "frame", [with_base]),
        _case("several objects over 1 MiB", "frame", [double]),
        _case("a base that nobody has", "frame", [_based()]),
        _case(
            "a base in the same frame", "frame", [Frame([("d", _OLD), ("d", _NEW)], bases=[_OLD])]
        ),
        _case("a base in a later frame", "frame", [_based(), Frame([("d", _OLD)])]),
    ]
    key = cid(KEY, _OLD)
    pack = build([_based()])
    vectors += [
        bad("the seventeenth on its chain", "frame", **received(pack, bases={key: (_OLD, 16)})),
        bad(
            "a base of other bytes",
            "cid",
            **received(pack, bases={key: (_OLD.replace(b"L", b"l"), 0)}),
        ),
        bad("a base that is too short", "cid", **received(pack, bases={key: (_OLD[:9], 0)})),
    ]
    return vectors


def _shifted() -> Frame:
    frame = _plain()[0]
    lengths = [len(data) for _, data in frame.objects]
    frame.lies = {"lengths": [lengths[0] - 1, lengths[1] + 1, *lengths[2:]]}
    return frame
