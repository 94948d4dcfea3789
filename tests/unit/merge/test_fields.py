"""What two people do to one document, and what comes of it."""

from __future__ import annotations

import pytest

from sopor.merge.algebra import ABSENT, Side, Value
from sopor.merge.conflicts import FieldConflict, settle
from sopor.merge.fields import merge_document
from sopor.merge.paths import parse_path
from sopor.model.document import Document, DocumentId, Json
from sopor_core.errors import InvalidValue
from tests.unit.merge.stories import header, member, request


def test_one_renames_a_request_and_the_other_one_changes_its_url() -> None:
    base = request(name="Get", url="/a", method="GET")
    result = merge_document(
        base,
        request(name="Get user", url="/a", method="GET"),
        request(name="Get", url="/users/:id", method="GET"),
    )
    assert result.document == request(name="Get user", url="/users/:id", method="GET")
    assert not result.conflicts
    assert result.equals is None


def test_both_rename_it_differently() -> None:
    result = merge_document(request(name="a"), request(name="b"), request(name="c"))
    assert result.conflicts == (FieldConflict(("name",), "a", "b", "c"),)
    assert result.document == request(name="b")


def test_the_merged_document_is_known_to_equal_a_side() -> None:
    base, ours, theirs = request(a=1, b=1), request(a=2, b=1), request(a=2, b=2)
    assert merge_document(base, ours, theirs).equals is Side.THEIRS
    assert merge_document(base, theirs, ours).equals is Side.OURS


def test_a_field_that_one_adds_and_one_that_the_other_removes() -> None:
    result = merge_document(request(a=1), request(a=1, b=2), request())
    assert result.document == request(b=2)


def test_null_is_a_value_and_not_the_lack_of_one() -> None:
    assert merge_document(request(a=1), request(a=None), request(a=1)).document == request(a=None)
    result = merge_document(request(a=1), request(a=None), request())
    assert result.conflicts == (FieldConflict(("a",), 1, None, ABSENT),)
    assert result.document == request(a=None)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"), [(1, True, 1), (0, False, 0), (1, 1, True), ("1", 1, "1")]
)
def test_a_change_of_type_alone_is_a_change(base: Json, ours: Json, theirs: Json) -> None:
    merged, conflicts = member(base, ours, theirs)
    assert merged == (theirs if ours is base else ours)
    assert type(merged) is not type(base)
    assert not conflicts


def test_a_number_is_the_same_with_and_without_its_fraction() -> None:
    assert member(1, 1.0, 2) == (2, [])


def test_an_object_turned_into_a_text_while_the_other_one_edits_it() -> None:
    merged, conflicts = member({"a": 1}, "{}", {"a": 2})
    assert (merged, conflicts) == ("{}", ["x"])


def test_both_turn_a_text_into_different_objects() -> None:
    assert member("", {"a": 1}, {"a": 2}) == ({"a": 1}, ["x"])


class TestHeaders:
    """Lists of objects that are told by their names or ids."""

    def test_each_adds_one_at_the_end(self) -> None:
        base: Json = [header("Accept")]
        ours: Json = [header("Accept"), header("X-Ours")]
        theirs: Json = [header("Accept"), header("X-Theirs")]
        merged: Json = [header("Accept"), header("X-Ours"), header("X-Theirs")]
        assert member(base, ours, theirs) == (merged, [])
        assert member(base, theirs, ours) == (merged, [])

    def test_one_edits_what_the_other_one_moves(self) -> None:
        base: Json = [header("A"), header("B"), header("C")]
        ours: Json = [header("C"), header("A"), header("B")]
        theirs: Json = [header("A", "2"), header("B"), header("C")]
        assert member(base, ours, theirs) == ([header("C"), header("A", "2"), header("B")], [])

    def test_a_conflict_names_the_header(self) -> None:
        _, conflicts = member([header("A")], [header("A", "2")], [header("A", "3")], "headers")
        assert conflicts == ["headers[A].value"]

    def test_one_removes_what_the_other_one_edits(self) -> None:
        base: Json = [header("A"), header("B"), header("C")]
        merged, conflicts = member(
            base, [header("A"), header("C")], [header("A"), header("B", "2")]
        )
        assert conflicts == ["x[B]"]
        assert merged == [header("A"), header("B", "2")]

    def test_ids_tell_parameters_apart_that_have_one_name(self) -> None:
        base: Json = [header("tag", id="p1"), header("tag", id="p2")]
        ours: Json = [header("tag", "9", id="p1"), header("tag", id="p2")]
        theirs: Json = [header("tag", id="p2")]
        _, conflicts = member(base, ours, theirs)
        assert conflicts == ["x[p1]"]
        theirs = [header("label", id="p1"), header("tag", id="p2")]
        assert member(base, ours, theirs) == (
            [header("label", "9", id="p1"), header("tag", id="p2")],
            [],
        )

    def test_both_save_headers_that_had_no_ids_until_then(self) -> None:
        base: Json = [header("A")]
        ours: Json = [header("A", id="pair_2")]
        theirs: Json = [header("A", "2", id="pair_1")]
        assert member(base, ours, theirs) == ([header("A", "2", id="pair_1")], [])
        assert member(base, theirs, ours) == ([header("A", "2", id="pair_1")], [])

    def test_both_add_the_same_parameter_with_ids_of_their_own(self) -> None:
        ours: Json = [header("page", id="p7"), header("size", id="p8")]
        theirs: Json = [header("page", id="p3")]
        merged: Json = [header("page", id="p3"), header("size", id="p8")]
        assert member([], ours, theirs) == (merged, [])
        assert member([], theirs, ours) == (merged, [])

    def test_a_parameter_that_both_have_is_not_taken_for_its_copy(self) -> None:
        one, copy = header("page", id="p1"), header("page", id="p2")
        assert member([], [one, copy], [one]) == ([one, copy], [])
        assert member([], [one], [one, copy]) == ([one, copy], [])

    def test_both_turn_pairs_round_that_do_not_go_together(self) -> None:
        a, b, c = header("A"), header("B"), header("C")
        assert member([a, b, c], [b, a, c], [a, c, b]) == ([c, b, a], [])

    def test_very_long_lists_that_both_sort_take_the_order_of_one(self) -> None:
        base: list[Json] = [header(f"H{number:04}") for number in range(1100)]
        ours, theirs = [*base[500:], *base[:500]], [*base[100:], *base[:100]]
        assert member([*base], ours, theirs) == (theirs, [])
        assert member([*base], theirs, ours) == (theirs, [])

    def test_what_is_added_stays_behind_what_it_was_put_behind(self) -> None:
        a, b, new = header("A"), header("B"), header("N")
        assert member([a, b], [a, new, b], [b, a]) == ([b, a, new], [])
        assert member([a, b], [new, a, b], [b, a]) == ([new, b, a], [])

    def test_both_add_the_same_one_at_different_places(self) -> None:
        a, b, new = header("A"), header("B"), header("N")
        assert member([a, b], [new, a, b], [a, b, new]) == ([a, b, new], [])
        assert member([a, b], [a, b, new], [new, a, b]) == ([a, b, new], [])


class TestOtherLists:
    """Lists in which nothing tells the elements apart."""

    def test_each_adds_a_name(self) -> None:
        assert member(["a"], ["a", "c"], ["a", "b"]) == (["a", "b", "c"], [])

    def test_both_replace_one_name(self) -> None:
        assert member(["a"], ["b"], ["c"]) == (["b"], ["x"])

    def test_both_add_one_name_at_different_places(self) -> None:
        assert member(["a"], ["n", "a"], ["a", "n"]) == (["n", "a"], ["x"])

    def test_changes_at_both_ends(self) -> None:
        assert member([1, 2, 3], [0, 1, 2, 3], [1, 2, 4]) == ([0, 1, 2, 4], [])

    def test_each_adds_a_number(self) -> None:
        assert member([1], [1, 2], [1, 3]) == ([1, 2], ["x"])

    def test_objects_without_names_merge_place_by_place(self) -> None:
        base: Json = [{"k": 1, "v": 1}, {"k": 2, "v": 2}]
        ours: Json = [{"k": 1, "v": 9}, {"k": 2, "v": 2}]
        theirs: Json = [{"k": 7, "v": 1}, {"k": 2, "v": 3}]
        assert member(base, ours, theirs) == ([{"k": 7, "v": 9}, {"k": 2, "v": 3}], [])

    def test_a_conflict_in_an_object_without_a_name_tells_its_place(self) -> None:
        base: Json = [0, {"v": 1}]
        assert member(base, [0, {"v": 2}], [0, {"v": 3}]) == ([0, {"v": 2}], ["x[1].v"])

    def test_headers_with_one_name_twice_are_not_mixed_up(self) -> None:
        base: Json = [header("A", "1"), header("A", "2")]
        merged, conflicts = member(base, [header("A", "2")], [header("A", "1")])
        assert conflicts == ["x"]
        assert merged == [header("A", "2")]


class TestTexts:
    """Texts of several lines, and those of one."""

    def test_changes_in_different_lines(self) -> None:
        assert member("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n") == ("A\nb\nC\n", [])

    def test_changes_in_lines_next_to_each_other(self) -> None:
        assert member("a\nb\n", "A\nb\n", "a\nB\n") == ("A\nb\n", ["x"])

    def test_one_line_is_never_put_together_from_two(self) -> None:
        assert member("/a/b", "/A/b", "/a/B") == ("/A/b", ["x"])

    def test_json_stays_json(self) -> None:
        base = '{\n "a": 1,\n "b": 2,\n "c": 3\n}'
        ours = '{\n "a": 1,\n "b": 2\n}'
        theirs = '{\n "z": 0,\n "a": 1,\n "b": 2,\n "c": 3\n}'
        assert member(base, ours, theirs) == ('{\n "z": 0,\n "a": 1,\n "b": 2\n}', [])

    def test_a_key_that_would_come_twice_is_a_conflict(self) -> None:
        base = '{\n "a": 1,\n "b": 2\n}'
        ours = '{\n "n": 0,\n "a": 1,\n "b": 2\n}'
        theirs = '{\n "a": 1,\n "n": 5,\n "b": 2\n}'
        assert member(base, ours, theirs) == (ours, ["x"])

    def test_text_that_is_no_json_before_need_not_be_any_after(self) -> None:
        assert member("{\na\n\nb", "{\nA\n\nb", "{\na\n\nB") == ("{\nA\n\nB", [])

    def test_long_texts_in_which_lines_come_again_and_again(self) -> None:
        base = [f"{number} {{\n" if number % 2 else "}\n" for number in range(1000)]
        ours, theirs = list(base), list(base)
        ours[1] = "first\n"
        theirs[999] = "last\n"
        merged = [*ours[:999], "last\n"]
        assert member("".join(base), "".join(ours), "".join(theirs)) == ("".join(merged), [])


class TestQuietFields:
    """Sort keys and times."""

    def test_the_later_time_and_the_larger_sort_key_win(self) -> None:
        base = request(modified=1, created=5, metaSortKey=-10)
        ours = request(modified=3, created=4, metaSortKey=-12.5)
        theirs = request(modified=2, created=6, metaSortKey=-11)
        for result in (merge_document(base, ours, theirs), merge_document(base, theirs, ours)):
            assert result.document == request(modified=3, created=4, metaSortKey=-11)
            assert not result.conflicts

    def test_a_time_that_one_side_drops_stays(self) -> None:
        assert member_of(request(modified=1), request(), request(modified=2)) == 2
        assert member_of(request(modified=1), request(modified="?"), request(modified=2)) == 2

    def test_what_is_no_number_may_conflict(self) -> None:
        assert member("a", "b", "c", "metaSortKey") == ("b", ["metaSortKey"])
        assert member(1, True, False, "metaSortKey") == (True, ["metaSortKey"])

    def test_the_time_of_an_export_never_conflicts(self) -> None:
        dates: list[Json] = [
            {"__export_date": f"2026-01-0{day}T00:00:00.000Z"} for day in (1, 3, 2)
        ]
        merged: tuple[Json, list[str]] = (dates[1], [])
        assert member(dates[0], dates[1], dates[2], "container") == merged
        assert member(dates[0], dates[2], dates[1], "container") == merged

    def test_a_variable_of_the_user_is_not_quiet(self) -> None:
        _, conflicts = member({"modified": 1}, {"modified": 2}, {"modified": 3}, "data")
        assert conflicts == ["data.modified"]


def member_of(base: Document, ours: Document, theirs: Document) -> Json:
    result = merge_document(base, ours, theirs)
    assert not result.conflicts
    assert result.document is not None
    return result.document.body["modified"]


class TestKinds:
    """Objects whose fields depend on one of them."""

    def test_two_kinds_of_authentication_are_not_mixed(self) -> None:
        base: Json = {"type": "bearer", "token": "t"}
        ours: Json = {"type": "basic", "username": "u", "password": "p"}
        theirs: Json = {"type": "apikey", "key": "k", "value": "v"}
        assert member(base, ours, theirs, "authentication") == (ours, ["authentication"])

    def test_one_edits_the_body_and_the_other_one_makes_it_a_form(self) -> None:
        base: Json = {"mimeType": "application/json", "text": "1"}
        ours: Json = {"mimeType": "application/json", "text": "2"}
        theirs: Json = {"mimeType": "multipart/form-data", "params": []}
        assert member(base, ours, theirs, "body") == (ours, ["body"])

    def test_a_change_beside_the_kind_merges(self) -> None:
        base: Json = {"type": "bearer", "token": "t"}
        ours: Json = {"type": "bearer", "token": "t", "disabled": True}
        theirs: Json = {"type": "basic", "username": "u"}
        merged: Json = {"type": "basic", "username": "u", "disabled": True}
        assert member(base, ours, theirs, "authentication") == (merged, [])

    def test_the_same_kind_conflicts_field_by_field(self) -> None:
        tokens: list[Json] = [{"type": "bearer", "token": token} for token in "abc"]
        _, conflicts = member(tokens[0], tokens[1], tokens[2], "authentication")
        assert conflicts == ["authentication.token"]


class TestWholeDocuments:
    """Deleted, added twice, of another type."""

    def test_one_deletes_what_the_other_one_edits(self) -> None:
        base, edited = request(name="a"), request(name="b")
        result = merge_document(base, edited, None)
        assert result.conflicts == (FieldConflict((), base.body, edited.body, ABSENT),)
        assert result.document == edited
        assert settle(result, {(): Side.THEIRS}).document is None
        assert merge_document(base, None, edited).document == edited

    def test_sorting_does_not_keep_a_deleted_document(self) -> None:
        base, sorted_ = request(metaSortKey=1, modified=1), request(metaSortKey=2, modified=2)
        for result in (merge_document(base, None, sorted_), merge_document(base, sorted_, None)):
            assert result.document is None
            assert not result.conflicts

    def test_both_add_it_with_different_content(self) -> None:
        result = merge_document(None, request(a=1, b=1), request(a=1, b=2, c=3))
        assert result.document == request(a=1, b=1, c=3)
        assert result.conflicts == (FieldConflict(("b",), ABSENT, 1, 2),)
        assert settle(result, {("b",): Side.BASE}).document == request(a=1, c=3)

    def test_neither_has_it_any_more(self) -> None:
        assert merge_document(request(), None, None).document is None

    def test_another_type_is_a_conflict_of_the_whole(self) -> None:
        base = request(name="a")
        ours = request(name="a", type_="grpc_request")
        theirs = request(name="b")
        result = merge_document(base, ours, theirs)
        assert [conflict.path for conflict in result.conflicts] == [()]
        assert settle(result, {(): Side.THEIRS}).document == theirs

    def test_only_versions_of_one_document_merge(self) -> None:
        other = Document(DocumentId("req_2"), "request", {"_id": "req_2", "_type": "request"})
        with pytest.raises(ValueError, match="same document"):
            merge_document(request(), other, request())


class TestSettling:
    """Choosing one conflict after the other."""

    def test_by_sides_and_by_a_value_of_its_own(self) -> None:
        result = merge_document(request(a=1, b=1), request(a=2, b=2), request(a=3, b=3))
        half = settle(result, {("a",): Side.THEIRS})
        assert half.document == request(a=3, b=2)
        assert [conflict.path for conflict in half.conflicts] == [("b",)]
        assert settle(half, {("b",): Value([])}).document == request(a=3, b=[])
        assert result.document == request(a=2, b=2)

    def test_a_removed_header_goes_and_leaves_the_others_in_place(self) -> None:
        base: Json = [header("A"), header("B"), header("C")]
        ours: Json = [header("A"), header("C")]
        theirs: Json = [header("A"), header("B", "2"), header("C")]
        result = merge_document(request(x=base), request(x=ours), request(x=theirs))
        path = parse_path("x[B]")
        assert settle(result, {path: Side.OURS}).document == request(x=ours)
        assert settle(result, {path: Side.THEIRS}).document == request(x=theirs)
        assert settle(result, {path: Side.BASE}).document == request(x=base)

    def test_a_place_without_conflict_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="no conflict at url"):
            settle(merge_document(request(), request(a=1), request(b=1)), {("url",): Side.OURS})

    @pytest.mark.parametrize(
        "value",
        [None, {"_id": "req_2", "_type": "request"}, {"_id": "req_1"}],
        ids=["no object", "another id", "no type"],
    )
    def test_a_value_that_is_no_such_document_is_refused(self, value: Json) -> None:
        result = merge_document(request(a=1), request(a=2), None)
        with pytest.raises(InvalidValue):
            settle(result, {(): Value(value)})

    def test_a_value_that_is_not_json_is_refused(self) -> None:
        result = merge_document(request(a=1), request(a=2), request(a=3))
        with pytest.raises(InvalidValue, match="nan"):
            settle(result, {("a",): Value(float("nan"))})


def test_values_nested_as_deep_as_documents_may_be_merge_as_a_whole() -> None:
    def nested(core: Json) -> Json:
        for _ in range(95):
            core = {"x": core}
        return core

    _, conflicts = member(nested(1), nested(2), nested(3))
    assert conflicts == [".".join(["x"] * 48)]


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (["a", "b"], ["a", "b", "c", "d"], ["a", "b", "d"]),
        (["c", "a", "b"], ["a", "b", "c", "d"], ["c", "d", "a", "b"]),
        (["a", "b", "c", "x"], ["a", "b", "c", "y"], ["a", "b", "c", "x", "y"]),
    ],
)
def test_the_order_of_variables_never_conflicts(
    ours: list[Json], theirs: list[Json], merged: list[Json]
) -> None:
    base: list[Json] = ["a", "b", "c"]
    versions = [request(dataPropertyOrder={"&": order}) for order in (base, ours, theirs)]
    result = merge_document(*versions)
    assert result.conflicts == ()
    assert result.document is not None
    assert result.document.body["dataPropertyOrder"] == {"&": merged}
    mirrored = merge_document(versions[0], versions[2], versions[1]).document
    assert mirrored is not None
    assert mirrored.body == result.document.body
