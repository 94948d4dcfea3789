"""Vectors of the smallest things: base64url, canonical form, ids, commits, states."""

from __future__ import annotations

from typing import Any

from tests.vectors.making.reference import (
    EPOCHS_JSON,
    KEY,
    PROJECT,
    SECRETS,
    Person,
    Vector,
    b64,
    bad,
    branch_id,
    canonical,
    cid,
    commit_id,
    commitment,
    fixed,
    good,
    mac,
    sha256,
    state_root,
)


def encoding() -> list[Vector]:
    """Base64url; `text` decodes to `hex` and back."""
    vectors = [
        good(f"{size} bytes", text=b64(fixed("b64", size)), hex=fixed("b64", size).hex())
        for size in (0, 1, 2, 3, 32)
    ]
    vectors.append(good("both letters of its own", text="-_-_", hex="fbffbf"))
    vectors += [
        bad(name, "parse", text=text)
        for name, text in (
            ("padding", "AA=="),
            ("plus of the other alphabet", "+_-_"),
            ("slash of the other alphabet", "-/-_"),
            ("unused bits set", "AB"),
            ("unused bits set, three letters", "AAB"),
            ("a lone letter", "A"),
            ("line break at the end", "AA\n"),
            ("space", "AA AA"),
            ("letter beyond ASCII", "AA\u0661\u0661"),
        )
    ]
    return vectors


# RFC 8785, appendix B: the bits of a double and its text.
_DOUBLES = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

_FORMS = {
    "the example of RFC 8785, section 3.2.2": (
        (
            '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
            '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/",'
            '"literals":[null, true, false]}'
        ),
        (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ),
    ),
    "the order of keys of RFC 8785, section 3.2.3": (
        (
            '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With '
            'Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",'
            '"\\u00f6":"Latin Small Letter O With Diaeresis"}'
        ),
        (
            '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O '
            'With Diaeresis","\u20ac":"Euro Sign","\U0001f600":"Emoji: Grinning Face",'
            '"\ufb33":"Hebrew Letter Dalet With Dagesh"}'
        ),
    ),
    "a fraction of nothing": ("[1.0,-0.0,-0,0.0,100e-2]", "[1,0,0,0,1]"),
    "integers beyond 2^53": (
        "[9007199254740993,-18446744073709551617,123456789012345678901234567890]",
        "[9007199254740993,-18446744073709551617,123456789012345678901234567890]",
    ),
    "an integer of 400 digits": ("9" * 400, "9" * 400),
    "the same number as an integer and as a double": (
        "[9007199254740993,9007199254740993.0]",
        "[9007199254740993,9007199254740992]",
    ),
    "text that looks like a number": ('"x:1.5,[2e9"', '"x:1.5,[2e9"'),
    "spaces and line breaks": (' { "b" : [ ] ,\n"a" : { } } ', '{"a":{},"b":[]}'),
    "all short escapes": (
        '"\\b\\t\\n\\f\\r\\u000b\\u001F\\u007f"',
        '"\\b\\t\\n\\f\\r\\u000b\\u001f\x7f"',
    ),
    "line separators stay": ('"\\u2028\\u2029"', '"\u2028\u2029"'),
    "no normalization": ('"A\\u030a"', '"A\u030a"'),
    "a top-level string": ('""', '""'),
    "nesting 128 deep": ("[" * 128 + "]" * 128, "[" * 128 + "]" * 128),
}

_NOT_JSON = {
    "NaN": "[NaN]",
    "Infinity": "[-Infinity]",
    "a number that no double holds": "1e400",
    "half of a surrogate pair": '"\\ud800"',
    "half of a surrogate pair in a key": '{"\\udc00":1}',
    "the halves in the wrong order": '"\\ude00\\ud83d"',
    "a key twice": '{"a":1,"a":1}',
    "a key twice, once escaped": '{"a":1,"\\u0061":2}',
    "nothing": "",
    "cut": '{"a":1',
    "a comma too much": "[1,]",
    "a key that is no string": "{1:2}",
    "single quotes": "{'a':1}",
    "a leading zero": "01",
    "a plus sign": "+1",
    "hexadecimal": "0x10",
    "a raw line break in a text": '"a\nb"',
    "more after the value": "{} {}",
    "nesting 129 deep": "[" * 129 + "]" * 129,
    "nesting 129 deep in objects": '{"a":' * 128 + "{}" + "}" * 128,
    "nesting 20,000 deep": "[" * 20_000,
}

_NOT_CANONICAL = {
    "a space": '{"a": 1}',
    "a line break at the end": "{}\n",
    "keys out of order": '{"b":1,"a":2}',
    "keys in the order of code points": '{"\ufb33":1,"\U0001f600":2}',
    "an escape that is not needed": '"\\u0041"',
    "an escaped slash": '"\\/"',
    "an upper-case escape": '"\\u001F"',
    "a long escape": '"\\u000a"',
    "an escaped surrogate pair": '"\\ud83d\\ude00"',
    "a fraction of zero": "1.0",
    "minus zero": "-0",
    "an exponent": "1e3",
    "an exponent without its sign": "1e30",
    "digits that the double does not need": "333333333.33333329",
    "a byte order mark": "\ufeff{}",
}


def canonical_form() -> list[Vector]:
    """JSON texts and their canonical form; `double` is the bits of an IEEE 754 number."""
    vectors = [
        good(f"double {bits}", double=bits, canonical=text) for bits, text in _DOUBLES.items()
    ]
    vectors += [good(name, json=a, canonical=b) for name, (a, b) in _FORMS.items()]
    vectors += [bad(name, "canonical", json=text) for name, text in _NOT_JSON.items()]
    vectors += [
        bad(f"double {name}", "canonical", double=bits)
        for name, bits in (("NaN", "7ff8000000000000"), ("infinity", "fff0000000000000"))
    ]
    vectors += [
        bad(f"not UTF-8: {name}", "canonical", json_hex=data.hex())
        for name, data in (
            ("a lone byte", b'"\xff"'),
            ("a surrogate in UTF-8", b'"\xed\xa0\x80"'),
            ("an overlong form", b'"\xc0\xaf"'),
            ("UTF-16", '{"a":1}'.encode("utf-16")),
        )
    ]
    vectors += [bad(name, "canonical", received=text) for name, text in _NOT_CANONICAL.items()]
    return vectors


DOCUMENTS = {
    "wrk_1": {"_id": "wrk_1", "_type": "workspace", "name": "Petstore", "unknown": [1, None]},
    "req_1": {"_id": "req_1", "_type": "request", "url": "{{ base }}/pets", "authentication": {}},
    "req_\u00fc": {"_id": "req_\u00fc", "_type": "request", "url": "https://\u00fc.example"},
}
PACKED = {name: canonical(document) for name, document in DOCUMENTS.items()}
CIDS = {name: cid(KEY, data) for name, data in PACKED.items()}
ADA, BOB = Person("Ada"), Person("Bob")


def commit(
    state: dict[str, bytes],
    changes: dict[str, bytes | None],
    parents: list[bytes] | None = None,
    **other: Any,
) -> Vector:
    """The JSON of a commit that gives `state`."""
    return {
        "v": 1,
        "parents": [b64(parent) for parent in parents or []],
        "root": b64(state_root(KEY, state)),
        "changes": {name: b64(item) if item else None for name, item in changes.items()},
        "author": {"account": b64(ADA.account), "name": "Ada Lovelace"},
        "time": 1_700_000_000_000,
        "message": "Add the pets\n\nAnd \u201call\u201d of them.",
        **other,
    }


FIRST = commit(CIDS, dict(CIDS))


def ids() -> list[Vector]:
    """Keyed ids of a project; `kind` says of what. All bytes are hexadecimal."""
    common = {"project": PROJECT.hex(), "epochs": EPOCHS_JSON}
    vectors = [
        good(f"document {name}", kind="document", **common, data=data.decode(), id=CIDS[name].hex())
        for name, data in PACKED.items()
    ]
    data = canonical(FIRST)
    vectors.append(
        good("commit", kind="commit", **common, data=data.decode(), id=commit_id(KEY, data).hex())
    )
    vectors += [
        good(f"branch {name}", kind="branch", **common, data=name, id=branch_id(KEY, name).hex())
        for name in ("main", "feature/\u00fcber", "Main")
    ]
    vectors += [
        good(
            f"commitment to epoch {epoch}",
            kind="commitment",
            **common,
            epoch=epoch,
            id=commitment(PROJECT, epoch, secret).hex(),
        )
        for epoch, secret in SECRETS.items()
    ]
    vectors.append(
        good(
            "account",
            kind="account",
            signing=ADA.signing.hex(),
            encryption=ADA.encryption.hex(),
            id=ADA.account.hex(),
        )
    )
    vectors += [
        bad(f"{kind} of a wrong length", "parse", kind=kind, text=b64(bytes(size)))
        for kind, size in (("document", 31), ("commit", 33), ("branch", 32), ("account", 15))
    ]
    return vectors


def commits() -> list[Vector]:
    """Commits; `text` is the canonical form."""
    second = commit(
        {**CIDS, "req_1": CIDS["wrk_1"]},
        {"req_1": CIDS["wrk_1"], "req_\u00fc": None},
        [commit_id(KEY, canonical(FIRST))],
    )
    anonymous = {**FIRST, "author": {"account": None, "name": ""}, "message": ""}
    merge = {**FIRST, "parents": [b64(fixed(f"parent {n}")) for n in range(8)]}
    texts = {"first": FIRST, "second": second, "without account": anonymous, "octopus": merge}
    vectors = [
        good(
            name,
            text=canonical(v).decode(),
            id=commit_id(KEY, canonical(v)).hex(),
            epochs=EPOCHS_JSON,
            project=PROJECT.hex(),
        )
        for name, v in texts.items()
    ]
    without = {key: item for key, item in FIRST.items() if key != "time"}
    parents = [b64(fixed(f"parent {n}")) for n in range(9)]
    author = FIRST["author"]
    faults: dict[str, Vector] = {
        "unknown member": {**FIRST, "extra": 1},
        "missing member": without,
        "version 2": {**FIRST, "v": 2},
        "nine parents": {**FIRST, "parents": parents},
        "the same parent twice": {**FIRST, "parents": [parents[0], parents[0]]},
        "a negative time": {**FIRST, "time": -1},
        "a time beyond 2^53": {**FIRST, "time": 2**53},
        "a time that is a boolean": {**FIRST, "time": True},
        "a message over 64 KiB": {**FIRST, "message": "m" * 65537},
        "a name over 200 bytes": {**FIRST, "author": {**author, "name": "\u00fc" * 101}},
        "an unknown member of the author": {**FIRST, "author": {**author, "mail": "a@b"}},
        "changes as a list": {**FIRST, "changes": []},
        "a document id that is empty": {**FIRST, "changes": {"": None}},
        "a document id of 201 characters": {**FIRST, "changes": {"i" * 201: None}},
        "a document id with a control character": {**FIRST, "changes": {"a\n": None}},
        "a content id that is a number": {**FIRST, "changes": {"a": 1}},
        "not an object": [FIRST],  # type: ignore[dict-item]
    }
    vectors += [bad(name, "commit", text=canonical(v).decode()) for name, v in faults.items()]
    vectors.append(
        bad(
            "a root of 31 bytes",
            "parse",
            text=canonical({**FIRST, "root": b64(bytes(31))}).decode(),
        )
    )
    vectors.append(bad("not canonical", "canonical", text=canonical(FIRST).decode() + " "))
    return vectors


def states() -> list[Vector]:
    """Chains of deltas from the empty state, with the root after each.

    `minimal` false marks a last delta that says what the state says already.
    """
    many = {f"req_{number}": fixed(f"document {number}") for number in range(600)}
    same_bucket = [
        name for name in (f"doc_{n}" for n in range(4000)) if sha256(name.encode())[0] == 7
    ]
    crowd = {name: fixed(name) for name in reversed(same_bucket[:6])}
    common = {"project": PROJECT.hex(), "epochs": EPOCHS_JSON}
    chains: dict[str, list[dict[str, bytes | None]]] = {
        "empty": [{}],
        "one document": [{"a": CIDS["wrk_1"]}],
        "added, changed, deleted": [
            dict(CIDS),
            {"req_1": CIDS["wrk_1"]},
            {"req_1": None, "wrk_1": None},
            {"req_\u00fc": None},
        ],
        "several documents in one bucket": [dict(crowd)],
        "ids whose bytes sort otherwise than their UTF-16": [
            {"\uffee": CIDS["wrk_1"], "\U00010000": CIDS["req_1"], "zz": CIDS["wrk_1"]}
        ],
        "every bucket": [dict(many)],
    }
    vectors = []
    for name, deltas in chains.items():
        vectors.append(good(name, **common, deltas=_hex(deltas), roots=_roots(deltas)))
    repeated: dict[str, list[dict[str, bytes | None]]] = {
        "a delta that sets what is set": [dict(CIDS), {"req_1": CIDS["req_1"]}],
        "a delta that deletes what is not there": [dict(CIDS), {"req_2": None}],
    }
    for name, chain in repeated.items():
        vectors.append(good(name, **common, deltas=_hex(chain), roots=_roots(chain), minimal=False))
    vectors.append(
        good(
            "the nodes of one document",
            **common,
            deltas=[{"a": CIDS["wrk_1"].hex()}],
            roots=_roots([{"a": CIDS["wrk_1"]}]),
            node=[
                sha256(b"a")[0],
                mac(KEY, b"bucket\0" + sha256(b"a")[:1] + b"\0\x01a" + CIDS["wrk_1"]).hex(),
            ],
        )
    )
    return vectors


def _hex(deltas: list[dict[str, bytes | None]]) -> list[dict[str, str | None]]:
    return [
        {name: item.hex() if item else None for name, item in delta.items()} for delta in deltas
    ]


def _roots(deltas: list[dict[str, bytes | None]]) -> list[str]:
    state: dict[str, bytes] = {}
    roots = []
    for delta in deltas:
        for name, item in delta.items():
            state.pop(name, None)
            if item:
                state[name] = item
        roots.append(state_root(KEY, state).hex())
    return roots
