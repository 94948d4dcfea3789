"""Paths are read back as they were written; a diff tells all that differs and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sopor.merge.algebra import ABSENT
from sopor.merge.diff import ChangeKind, diff_documents, diff_values
from sopor.merge.paths import ElementKey, Path, format_path, parse_path, replace_at, value_at
from sopor.merge.values import MaybeJson, fingerprint, same_json
from sopor.model.document import Body, Document, Json
from sopor_core.canonical import encode
from tests.properties.merging import Dice, Versions, dice, law, member, three_versions, tree

KEYS = st.one_of(
    st.sampled_from(["a", "0", "a.b", "[x]", '"', "\\", " ", "", "ä", "\n"]), st.text()
)
PATHS = st.lists(st.one_of(KEYS, KEYS.map(ElementKey), st.integers(0, 99)), max_size=4).map(tuple)


@law
@given(PATHS)
def test_a_path_is_read_back_as_it_was_written(path: Path) -> None:
    found = parse_path(format_path(path))
    assert found == path
    assert [type(step) for step in found] == [type(step) for step in path]


@law
@given(dice())
def test_values_are_the_same_exactly_if_their_canonical_forms_are(drawn: Dice) -> None:
    one, other = tree(drawn), tree(drawn)
    assert same_json(one, other) == (encode(one) == encode(other))
    assert (fingerprint(one) == fingerprint(other)) == same_json(one, other)
    assert same_json([one, {"x": one}], [one, {"x": one}])


@law
@given(three_versions())
def test_a_diff_tells_the_values_on_both_sides(versions: Versions) -> None:
    before, after, _ = versions
    for change in diff_documents(before, after):
        if change.kind is ChangeKind.MOVED:
            for body, keys in ((before.body, change.before), (after.body, change.after)):
                elements = value_at(body, change.path)
                assert isinstance(elements, list)
                assert isinstance(keys, list)
                found = [item.get("id") for item in elements if isinstance(item, dict)]
                names = [item.get("name") for item in elements if isinstance(item, dict)]
                assert [k for k in found if k in keys] == keys or names_in(names, keys) == keys
        elif not any(isinstance(step, int) for step in change.path):
            assert same_json(change.before, value_at(before.body, change.path))
            assert same_json(change.after, value_at(after.body, change.path))
            assert not same_json(change.before, change.after)
            assert change.kind == kind_of(change.before, change.after)


def names_in(names: list[Json], keys: list[Json]) -> list[Json]:
    return [name for name in names if name in keys]


def kind_of(before: MaybeJson, after: MaybeJson) -> str:
    if before is ABSENT:
        return "added"
    return "removed" if after is ABSENT else "changed"


@law
@given(dice())
def test_a_diff_of_objects_leads_from_one_to_the_other(drawn: Dice) -> None:
    """Applies the changes by hand to the version before, where no list is in the way."""
    before, after = without_lists(tree(drawn, 4)), without_lists(tree(drawn, 4))
    one: Body = {"x": before, "headers": member(drawn, "name")}
    other: Body = {"x": after, "headers": member(drawn, "name")}
    result = one
    for change in diff_values(one, other):
        result = replace_at(result, change.path, change.after)
    assert result == other
    assert same_json(result, other)


def without_lists(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: without_lists(item) for key, item in value.items()}
    return len(value) if isinstance(value, list) else value


@law
@given(three_versions())
def test_no_difference_means_the_same_document(versions: Versions) -> None:
    before, after, _ = versions
    same = encode(before.body) == encode(after.body)
    assert (diff_documents(before, after) == ()) == same
    assert diff_documents(before, Document(before.id, before.type, {**before.body})) == ()
