"""The laws of merging texts by their structure and by words."""

from __future__ import annotations

from hypothesis import given

from sopor.formats.yaml_write import emit_yaml
from sopor.merge.conflicts import FieldConflict, MergeResult
from sopor.merge.fields import merge_document
from sopor.merge.spec import parse_text, write_text
from sopor.merge.text import merged_prose
from sopor.merge.values import same_json
from sopor.model.document import Body, Document, DocumentId, Json
from tests.properties.merging import Dice, dice, fewer, law

KEYS = ["info", "paths", "/pets", "get", "200", "title"]
WORDS = ["List", "all", "pets", "now", "{{ a }}"]
COMMENTS = ["# one\n", "  # two\n", "# three\n"]


def value(drawn: Dice, depth: int = 3) -> Json:
    kind = drawn.upto(4)
    if kind > 1 and depth:
        return {drawn.of(KEYS): value(drawn, depth - 1) for _ in range(drawn.upto(3))}
    if kind == 1:
        return [
            {"name": name, "in": drawn.of(["query", "path"])} for name in drawn.some(["a", "b"])
        ]
    return drawn.of(["x", "y", "two words", "two\nlines\n", 1, True, None])


def root(drawn: Dice) -> Body:
    return {"openapi": "3", **{key: value(drawn) for key in drawn.some(KEYS)}}


def edited(drawn: Dice, old: Json) -> Json:
    """Makes one edit at some depth."""
    if isinstance(old, dict) and drawn.upto(4):
        key = drawn.of([*sorted(old), *KEYS])
        if key in old and not drawn.upto(4):
            return {name: item for name, item in old.items() if name != key}
        return {**old, key: edited(drawn, old[key]) if key in old else value(drawn, 1)}
    return value(drawn, 1)


def commented(drawn: Dice, text: str) -> str:
    """Puts comments between lines that are not part of a text of several lines."""
    if "|" in text:
        return text
    lines = text.splitlines(keepends=True)
    for _ in range(drawn.upto(2)):
        lines.insert(drawn.upto(len(lines)), drawn.of(COMMENTS))
    return "".join(lines)


def side(drawn: Dice, base: Body, text: str) -> str:
    new = base
    for _ in range(1 + drawn.upto(1)):
        changed = edited(drawn, new)
        new = changed if isinstance(changed, dict) and changed else new
    written = write_text(new, text, base)
    assert written is not None
    return commented(drawn, written)


Texts = tuple[str, str, str]


def three_texts(drawn: Dice) -> Texts:
    base = root(drawn)
    text = commented(drawn, emit_yaml(base))
    return text, side(drawn, base, text), side(drawn, base, text)


def document(contents: Json, type_: str = "api_spec") -> Document:
    body: Body = {"_id": "spc_1", "_type": type_, "contents": contents}
    return Document(DocumentId("spc_1"), type_, body)


def merge(base: str, ours: str, theirs: str) -> tuple[str, tuple[FieldConflict, ...]]:
    result = merge_document(document(base), document(ours), document(theirs))
    return contents(result), result.conflicts


def contents(result: MergeResult) -> str:
    assert result.document is not None
    text = result.document.body["contents"]
    assert isinstance(text, str)
    return text


def parsed(text: str) -> Body:
    found = parse_text(text)
    assert found is not None
    return found


@fewer
@given(dice(120).map(three_texts))
def test_a_text_means_what_the_merge_of_the_values_is(texts: Texts) -> None:
    text, conflicts = merge(*texts)
    base, ours, theirs = (document(parsed(each), "values") for each in texts)
    plain = merge_document(base, ours, theirs)
    assert plain.document is not None
    assert [c.path for c in conflicts] == [c.path for c in plain.conflicts]
    assert same_json(parsed(text), plain.document.body["contents"])


@fewer
@given(dice(120).map(three_texts))
def test_texts_merge_by_the_laws(texts: Texts) -> None:
    base, ours, theirs = texts
    assert merge(base, ours, base) == (ours, ())
    assert merge(base, base, theirs) == (theirs, ())
    assert merge(base, ours, ours) == (ours, ())
    text, conflicts = merge(base, ours, theirs)
    other, mirrored = merge(base, theirs, ours)
    assert {c.path for c in conflicts} == {c.path for c in mirrored}
    if conflicts:
        return
    assert same_json(parsed(text), parsed(other))
    again, left = merge(base, text, theirs)
    assert not [c for c in left if not isinstance(c.base, list | str)]
    assert left or same_json(parsed(again), parsed(text))


def sentence(drawn: Dice) -> str:
    return " ".join(drawn.of(WORDS) for _ in range(1 + drawn.upto(4)))


@law
@given(dice(30))
def test_prose_merges_by_the_laws(drawn: Dice) -> None:
    base, ours, theirs = sentence(drawn), sentence(drawn), sentence(drawn)
    merged = merged_prose(base, ours, theirs)
    assert merged == merged_prose(base, theirs, ours)
    assert merged_prose(base, ours, base) in (ours, None)
    assert merged_prose(base, ours, ours) in (ours, None)
    if merged is not None:
        known = {*base.split(), *ours.split(), *theirs.split()}
        assert set(merged.split()) <= known
        assert merged_prose(base, merged, theirs) in (merged, None)
