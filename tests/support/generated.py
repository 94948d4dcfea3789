"""Makes up texts, JSON values, documents and whole projects for property tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from sopor.formats.types import ID_PREFIXES
from sopor.formats.v5_fields import SHAPES
from sopor.formats.v5_resource import FRAME
from sopor.model.document import Document, DocumentId

FRAGMENTS = (
    *("a", "word", "two words", "Ünïcode", "😀", "漢字", "x" * 90),
    *(" ", "  ", "\n", "\n\n", "\t", "\r", "\r\n", "\x85", "\u2028", "\u2029", "\ufeff", "\xa0"),
    *("\x00", "\x07", "\x1b", "\x7f", "\x9f", "\ufffe", "\U0010ffff"),
    *(":", ": ", "#", " #", "- ", "-", "? ", "?", "'", '"', "\\", "\\n", "|", ">", "%", "@", "`"),
    *("---", "...", "{", "}", "[", "]", ",", "&a", "*a", "!t", "<<", "="),
    *("true", "null", "~", "yes", "NO", "1", "-1", "1.0", "1e3", "0o17", "0x1F", "1_000"),
    *(".5", ".inf", ".nan", "2024-01-01", "12:30:45", "{{ _.base_url }}", "text more text " * 9),
)


@cache
def texts() -> st.SearchStrategy[str]:
    """Returns texts of the kinds that break YAML writers."""
    pieces = st.lists(st.sampled_from(FRAGMENTS), max_size=7).map("".join)
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    return st.one_of(st.sampled_from(FRAGMENTS), pieces, anything, prose())


@cache
def prose() -> st.SearchStrategy[str]:
    """Returns lines of words, indented or not, many of them too long for one line of YAML."""
    word = st.sampled_from(
        ["a", "of", "words", "😀 smiles", "x: y", "longer-than-most", "#1", "\\"]
    )
    line = st.tuples(
        st.sampled_from(["", "", "", " ", "  ", "\t", "    "]),
        st.lists(word, max_size=24),
        st.sampled_from([" ", " ", "  ", "\t"]),
        st.sampled_from(["", "", " "]),
    ).map(lambda parts: parts[0] + parts[2].join(parts[1]) + parts[3])
    return st.lists(line, min_size=1, max_size=5).map("\n".join)


@cache
def numbers() -> st.SearchStrategy[int | float]:
    """Returns integers of any size and finite numbers."""
    floats = st.floats(allow_nan=False, allow_infinity=False)
    return st.one_of(st.integers(-5, 5), st.integers(), st.just(10**40), floats)


@cache
def json_values(max_leaves: int = 8) -> st.SearchStrategy[Any]:
    """Returns JSON values."""
    leaves = st.one_of(st.none(), st.booleans(), numbers(), texts())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(texts(), inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


_SHAPED = {key for shape in SHAPES.values() for key in (*shape.keys, *shape.heads)}
_RESERVED = ("type", "scope", "_v4", "_v5", "_exact", *sorted(FRAME))
_FIELDS = [*sorted(_SHAPED - {"_id", "_type", "parentId"}), *_RESERVED, "futureField", ""]
_TYPES = [*sorted(ID_PREFIXES), "future_request", "Strange-Type", "", "mock_server", "_MockServer"]
_FITTING: dict[str, st.SearchStrategy[Any]] = {
    "name": texts(),
    "url": texts(),
    "method": st.sampled_from(["GET", "POST"]),
    "metaSortKey": numbers(),
    "isPrivate": st.booleans(),
    "description": texts(),
    "settingDisableRenderRequestBody": st.booleans(),
    "settingSendCookies": st.booleans(),
    "preRequestScript": texts(),
    "contents": st.one_of(texts(), st.sampled_from(["openapi: 3.0.0\n", '{"a": [1]}', "a: 1 # c"])),
    "data": st.dictionaries(texts(), json_values(4), max_size=4),
    "environment": st.dictionaries(texts(), json_values(4), max_size=4),
    "dataPropertyOrder": st.one_of(st.none(), st.just({"&": ["b", "a"]})),
    "scope": st.sampled_from(["collection", "design", "environment", "mock-server", "mcp"]),
    "_v5": st.dictionaries(st.sampled_from(["meta", "settings", "x", "type"]), json_values(3)),
    "requestId": st.one_of(st.none(), texts()),
}


@cache
def fields() -> st.SearchStrategy[dict[str, Any]]:
    """Returns fields of a document: mostly known ones, with fitting values or any."""
    known = st.one_of([st.tuples(st.just(key), _FITTING[key]) for key in sorted(_FITTING)])
    wild = st.tuples(st.sampled_from(_FIELDS), json_values(4))
    unknown = st.tuples(texts(), json_values(4))
    return st.lists(st.one_of(known, known, known, wild, unknown), max_size=8).map(dict)


@st.composite
def projects(draw: st.DrawFn, *, workspaces: int = 1) -> list[Document]:
    """Returns the documents of a project, any of them below any other that came before it."""
    made = [
        _document(draw, f"wrk_{count}", "workspace", draw(st.none() | st.just("proj")))
        for count in range(draw(st.integers(1, workspaces)))
    ]
    for count in range(draw(st.integers(0, 7))):
        kind = draw(st.sampled_from([t for t in _TYPES if t != "workspace"]))
        parent = draw(st.sampled_from([*(item.id for item in made), "gone", None]))
        prefix = draw(st.sampled_from([ID_PREFIXES.get(kind, "doc"), "x", "req", "fld", "ws-req"]))
        made.append(_document(draw, f"{prefix}_{count}", kind, parent))
    return made


def _document(draw: st.DrawFn, identity: str, kind: str, parent: str | None) -> Document:
    body = draw(fields())
    for key in ("_id", "_type", "parentId"):
        body.pop(key, None)
    head: dict[str, Any] = {"_id": identity, "_type": kind}
    if parent is not None or draw(st.booleans()):
        head["parentId"] = parent
    return Document(DocumentId(identity), kind, head | body)
