"""What two people do to the text of one design document, and to texts for people."""

from __future__ import annotations

import json

import pytest

from sopor.merge.algebra import ABSENT, Side, Value
from sopor.merge.conflicts import MergeResult, settle
from sopor.merge.fields import merge_document
from sopor.merge.paths import format_path, replace_at, value_at
from sopor.model.document import Document, DocumentId, Json
from sopor_core.errors import InvalidValue
from tests.unit.merge.stories import member

BASE = """\
openapi: 3.0.3   # the version
info:
  title: "Pets"
  version: 1.0.0
paths:
  # everything about pets
  /pets:
    get:
      summary: List pets
      parameters:
        - {name: limit, in: query}   # at most so many
"""


def spec(text: Json) -> Document:
    body: dict[str, Json] = {"_id": "spc_1", "_type": "api_spec", "contents": text}
    return Document(DocumentId("spc_1"), "api_spec", body)


def merged(base: str, ours: str, theirs: str) -> tuple[str, list[str]]:
    """Merges three texts; returns the merged one, and the paths of conflicts."""
    result = merge_document(spec(base), spec(ours), spec(theirs))
    return text_of(result), [format_path(conflict.path) for conflict in result.conflicts]


def text_of(result: MergeResult) -> str:
    assert result.document is not None
    text = result.document.body["contents"]
    assert isinstance(text, str)
    return text


def both_ways(base: str, ours: str, theirs: str) -> tuple[str, list[str]]:
    """Merges three texts, whoever does it; what comes out must be the same."""
    here = merged(base, ours, theirs)
    assert here == merged(base, theirs, ours)
    return here


def test_changes_of_one_line_and_the_next_merge_by_their_keys() -> None:
    ours = BASE.replace('"Pets"', '"Pet shop"')
    theirs = BASE.replace("1.0.0", "1.1.0")
    expected = BASE.replace('"Pets"', '"Pet shop"').replace("1.0.0", "1.1.0")
    assert both_ways(BASE, ours, theirs) == (expected, [])


def test_comments_outside_the_change_stay_and_those_of_both_sides_come() -> None:
    ours = BASE.replace('"Pets"', '"Pet shop"').replace("everything about", "all about")
    theirs = BASE.replace("1.0.0", "1.1.0").replace("at most", "not more than")
    text, conflicts = both_ways(BASE, ours, theirs)
    assert not conflicts
    for part in ('"Pet shop"', "1.1.0", "# the version", "# all about pets", "# not more than so"):
        assert part in text


def test_each_adds_a_path_at_the_end() -> None:
    text, conflicts = both_ways(BASE, BASE + "  /owners: {}  # new\n", BASE + "  /cats: {}\n")
    assert not conflicts
    assert text.startswith(BASE)
    assert text[len(BASE) :].split("\n") in (
        ["  /cats: {}", "  /owners: {}  # new", ""],
        ["  /cats: {}", "  /owners: {}", ""],
    )


def test_a_conflict_has_the_path_inside_the_text_and_all_else_is_merged() -> None:
    ours = BASE.replace("1.0.0", "1.1.0").replace("/pets", "/animals")
    theirs = BASE.replace("1.0.0", "2.0.0").replace('"Pets"', '"Shop"')
    result = merge_document(spec(BASE), spec(ours), spec(theirs))
    (conflict,) = result.conflicts
    assert format_path(conflict.path) == "contents.info.version"
    assert (conflict.base, conflict.ours, conflict.theirs) == ("1.0.0", "1.1.0", "2.0.0")
    assert text_of(result) == ours.replace('"Pets"', "Shop")
    settled = settle(result, {conflict.path: Side.THEIRS})
    assert text_of(settled) == text_of(result).replace("1.1.0", "2.0.0")
    own = settle(result, {conflict.path: Value("3.0.0")})
    assert text_of(own) == text_of(result).replace("1.1.0", "3.0.0")


def test_one_deletes_the_path_that_the_other_one_edits() -> None:
    ours = BASE[: BASE.index("  # everything")].replace("paths:", "paths: {}")
    theirs = BASE.replace("List pets", "List all pets")
    result = merge_document(spec(BASE), spec(ours), spec(theirs))
    assert [format_path(c.path) for c in result.conflicts] == ["contents.paths./pets"]
    assert "List all pets" in text_of(result)
    gone = settle(result, {c.path: Side.OURS for c in result.conflicts})
    assert "/pets" not in text_of(gone)


def test_a_document_in_json_stays_json_in_its_own_layout() -> None:
    value = {"openapi": "3.0.3", "info": {"title": "Pets", "version": "1"}, "paths": {}}
    base = json.dumps(value, indent=4)
    ours = base.replace("Pets", "Pet shop")
    theirs = base.replace('"version": "1"', '"version": "2"')
    expected = base.replace("Pets", "Pet shop").replace('"version": "1"', '"version": "2"')
    assert both_ways(base, ours, theirs) == (expected, [])


def test_what_does_not_parse_is_merged_by_lines() -> None:
    broken = "openapi: [\n\na: 1\n\nb: 2\n"
    ours, theirs = broken.replace("a: 1", "a: 9"), broken.replace("b: 2", "b: 8")
    assert merged(broken, ours, theirs) == ("openapi: [\n\na: 9\n\nb: 8\n", [])
    assert merged(broken, ours, broken.replace("a: 1", "a: 8")) == (ours, ["contents"])


def test_a_side_that_broke_the_text_conflicts_or_merges_by_lines() -> None:
    ours = BASE.replace('"Pets"', '"Pets')
    theirs = BASE.replace('"Pets"', '"Shop"')
    assert merged(BASE, ours, theirs) == (ours, ["contents"])


def test_the_text_of_another_type_of_document_is_merged_by_lines() -> None:
    assert member("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n", "contents")[1] == ["contents"]


def test_a_place_inside_a_text_is_read_and_written() -> None:
    body = spec(BASE).body
    path = ("contents", "info", "title")
    assert value_at(body, path) == "Pets"
    assert value_at(body, ("contents", "nothing", "title")) is ABSENT
    assert value_at({"x": "no: [object"}, ("x", "no")) is ABSENT
    assert replace_at(body, path, "Shop")["contents"] == BASE.replace('"Pets"', "Shop")
    with pytest.raises(InvalidValue, match="no place"):
        replace_at({"x": "text"}, ("x", "y"), 1)


class TestProse:
    """Names and descriptions merge by words; addresses, tokens and code do not."""

    def test_changes_of_different_words(self) -> None:
        base, ours, theirs = "List the pets now", "List all the pets now", "List the pets slowly"
        assert member(base, ours, theirs, "name") == ("List all the pets slowly", [])
        assert member(base, theirs, ours, "name") == ("List all the pets slowly", [])

    def test_words_next_to_each_other_are_one_change(self) -> None:
        assert member("List pets", "Show pets", "List cats", "name") == ("Show pets", ["name"])

    def test_the_same_new_word_and_one_of_ones_own(self) -> None:
        assert member("a b c", "x b c", "x b y", "name") == ("x b y", [])

    def test_words_in_one_line_of_a_description(self) -> None:
        base = "# Pets\n\nLists pets, at most ten of them.\n"
        ours = base.replace("Lists pets", "Shows pets")
        theirs = base.replace("ten", "20")
        expected = base.replace("Lists pets", "Shows pets").replace("ten", "20")
        assert member(base, ours, theirs, "description") == (expected, [])

    def test_a_url_is_never_put_together_from_two(self) -> None:
        base, ours, theirs = "{{ a }} b c/d", "{{ x }} b c/d", "{{ a }} b c/y"
        assert member(base, ours, theirs, "url") == (ours, ["url"])

    def test_a_script_is_put_together_by_whole_lines(self) -> None:
        base = "const a = 1;\nconst b = 2;\nlog(a, b);\n"
        ours, theirs = base.replace("a = 1", "a = 10"), base.replace("(a, b)", "(b, a)")
        both = "const a = 10;\nconst b = 2;\nlog(b, a);\n"
        assert member(base, ours, theirs, "preRequestScript") == (both, [])
        theirs = base.replace("const a", "let a")
        assert member(base, ours, theirs, "preRequestScript") == (ours, ["preRequestScript"])

    def test_json_in_a_description_is_not_merged_by_words(self) -> None:
        ours, theirs = '{"a": 2, "b": [1]}', '{"a": 1, "b": [2]}'
        assert member('{"a": 1, "b": [1]}', ours, theirs, "description")[1] == ["description"]
