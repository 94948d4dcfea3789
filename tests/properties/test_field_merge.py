"""The laws of merging one document."""

from __future__ import annotations

from hypothesis import assume, given

from sopor.merge.algebra import ABSENT, Side
from sopor.merge.conflicts import MergeResult, settle
from sopor.merge.fields import merge_document
from sopor.merge.paths import format_path, parse_path, value_at
from sopor.merge.values import MaybeJson, same_json
from sopor.model.document import Document
from sopor_core.canonical import encode
from tests.properties.merging import Versions, law, three_versions


def body(document: Document | None) -> MaybeJson:
    return ABSENT if document is None else document.body


def settled(result: MergeResult, side: Side) -> MaybeJson:
    choices = {conflict.path: side for conflict in result.conflicts}
    return body(settle(result, choices).document)


@law
@given(three_versions())
def test_a_side_that_did_nothing_yields(versions: Versions) -> None:
    base, ours, _ = versions
    assert merge_document(base, base, ours).document == ours
    assert merge_document(base, ours, base).document == ours


@law
@given(three_versions())
def test_the_same_change_on_both_sides_is_that_change(versions: Versions) -> None:
    base, ours, _ = versions
    assert merge_document(base, ours, ours) == MergeResult(ours, (), Side.OURS)


@law
@given(three_versions())
def test_it_does_not_matter_who_merges(versions: Versions) -> None:
    base, ours, theirs = versions
    here, there = merge_document(base, ours, theirs), merge_document(base, theirs, ours)
    assert {c.path for c in here.conflicts} == {c.path for c in there.conflicts}
    for mine, other in [(Side.BASE, Side.BASE), (Side.OURS, Side.THEIRS), (Side.THEIRS, Side.OURS)]:
        assert same_json(settled(here, mine), settled(there, other))


@law
@given(three_versions())
def test_merging_the_same_again_brings_nothing(versions: Versions) -> None:
    base, ours, theirs = versions
    merged = merge_document(base, ours, theirs)
    assume(not merged.conflicts)
    again = merge_document(base, merged.document, theirs)
    assert same_json(body(again.document), body(merged.document))
    for conflict in again.conflicts:
        # Where lines come twice or have moved, diff3 need not see the same ones as unchanged again.
        assert has_sequence(conflict.base)
    assert merge_document(theirs, merged.document, theirs).document == merged.document


def has_sequence(value: MaybeJson) -> bool:
    """Tells whether a value is, or holds, a text of several lines or a list."""
    if isinstance(value, dict):
        return any(has_sequence(item) for item in value.values())
    return isinstance(value, list) or (isinstance(value, str) and "\n" in value)


@law
@given(three_versions())
def test_the_result_is_a_document_with_the_same_id_and_type(versions: Versions) -> None:
    result = merge_document(*versions)
    assert result.document is not None
    assert result.document.body["_id"] == result.document.id == "req_1"
    assert result.document.body["_type"] == result.document.type == "request"
    assert encode(result.document.body)


@law
@given(three_versions())
def test_a_conflict_tells_what_each_side_has_at_its_path(versions: Versions) -> None:
    base, ours, theirs = versions
    result = merge_document(base, ours, theirs)
    for conflict in result.conflicts:
        assert parse_path(format_path(conflict.path)) == conflict.path
        if any(isinstance(step, int) for step in conflict.path):
            continue
        assert same_json(conflict.base, value_at(base.body, conflict.path))
        assert same_json(conflict.ours, value_at(ours.body, conflict.path))
        assert same_json(conflict.theirs, value_at(theirs.body, conflict.path))
        assert not same_json(conflict.ours, conflict.theirs)


@law
@given(three_versions())
def test_settling_puts_the_choice_at_its_path(versions: Versions) -> None:
    result = merge_document(*versions)
    for conflict in result.conflicts:
        values = {"base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs}
        for side in Side:
            after = settle(result, {conflict.path: side})
            assert same_json(value_at(body(after.document), conflict.path), values[side])
            assert after.conflicts == tuple(c for c in result.conflicts if c != conflict)
