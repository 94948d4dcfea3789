"""Results as lines: what the stories do not come across."""

from __future__ import annotations

from sopor.cli.paint import finish, one_line, paint
from sopor.cli.rendering.changes import count
from sopor.cli.rendering.commits import full_lines, log_lines
from sopor.cli.rendering.diffs import diff_lines
from sopor.cli.rendering.listings import size
from sopor.cli.rendering.state import branch_lines, tracking_line
from sopor.cli.rendering.times import full_time, short_time
from sopor.cli.rendering.transfers import fetch_lines, merge_lines, push_lines
from sopor.model.document import DocumentId, Json
from sopor.moments import Moment
from sopor.repository.results import (
    BranchInfo,
    BranchPush,
    ChangeKind,
    CommitInfo,
    DocumentChange,
    DocumentDiff,
    FetchResult,
    FieldChange,
    MergeOutcome,
    PushResult,
    Tracking,
)
from sopor_core.ids import CommitId

ONE, TWO = CommitId(bytes([1]) * 32), CommitId(bytes([2]) * 32)


def plain(lines: object) -> list[str]:
    """Returns lines without styles."""
    assert hasattr(lines, "__iter__")
    return [finish(line, colour=False) for line in lines]


def diff_of(*fields: FieldChange, kind: ChangeKind = ChangeKind.MODIFIED) -> list[str]:
    """Returns the lines of one document's diff, without the first, which names it."""
    change = DocumentChange(kind, DocumentId("req_1"), "request", "Get it")
    return plain(diff_lines([DocumentDiff(change, fields)]))[1:]


def changed(before: Json, after: Json) -> list[str]:
    return diff_of(FieldChange("body.text", "changed", before, after))


def test_short_values_stand_side_by_side() -> None:
    assert changed("a", "b") == ['  body.text: "a" -> "b"']
    assert changed(1, None) == ["  body.text: 1 -> null"]
    assert changed([1], {"a": 2}) == ['  body.text: [1] -> {"a": 2}']


def test_long_texts_are_compared_by_lines_and_words() -> None:
    before = "".join(f"line {number}\n" for number in range(20))
    after = before.replace("line 7\n", "line seven\n").replace("line 19\n", "")
    assert changed(before, after) == [
        "  body.text:",
        "      line 4",
        "      line 5",
        "      line 6",
        "    - line 7",
        "    + line seven",
        "      line 8",
        "      line 9",
        "      line 10",
        "    ...",
        "      line 16",
        "      line 17",
        "      line 18",
        "    - line 19",
    ]
    change = FieldChange("description", "changed", "x " * 60 + "old end", "x " * 60 + "new end")
    diff = DocumentDiff(DocumentChange(ChangeKind.MODIFIED, DocumentId("r"), "t", "n"), (change,))
    *_, removed, added = (finish(line, colour=True) for line in diff_lines([diff]))
    assert "\x1b[31;7mold\x1b[0m" in removed
    assert "\x1b[32;7mnew\x1b[0m" in added


def test_values_that_come_go_and_move() -> None:
    assert diff_of(FieldChange("a", "added", None, 1)) == ["  + a: 1"]
    assert diff_of(FieldChange("a", "removed", "x", None)) == ['  - a: "x"']
    assert diff_of(FieldChange("a", "moved", ["x", "y"], ["y", "x"])) == [
        "  a: order changed",
        '  - ["x", "y"]',
        '  + ["y", "x"]',
    ]
    long: Json = {"name": "x" * 80}
    assert diff_of(FieldChange("a", "added", None, long)) == [
        "  + a:",
        "  +   {",
        f'  +     "name": "{"x" * 80}"',
        "  +   }",
    ]
    assert changed(long, 1) == [
        "  - body.text:",
        "  -   {",
        f'  -     "name": "{"x" * 80}"',
        "  -   }",
        "  + body.text: 1",
    ]


def test_a_whole_document_is_shown_as_it_is() -> None:
    body: Json = {"_id": "req_1", "name": "Get it"}
    lines = diff_of(FieldChange("", "added", None, body), kind=ChangeKind.ADDED)
    assert lines == ["  + " + '{"_id": "req_1", "name": "Get it"}']


def test_times_of_clocks_that_are_wrong() -> None:
    assert short_time(2**53 - 1) == "9007199254740991 ms after 1970"
    assert full_time(2**53 - 1) == "9007199254740991 ms after 1970"
    assert Moment(2**53 - 1).iso == "9999-12-31T23:59:59.999Z"
    assert short_time(0)[:4] in ("1969", "1970")


def test_sizes_and_counts() -> None:
    assert [size(number) for number in (0, 999, 1000, 12_345, 5 * 10**9, 10**16)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "12.3 kB",
        "5.0 GB",
        "10000.0 TB",
    ]
    assert (count(1, "commit"), count(1200, "commit")) == ("1 commit", "1,200 commits")


def test_how_far_a_branch_is() -> None:
    def line(ahead: int, behind: int) -> str:
        return tracking_line("main", Tracking(ONE, ahead, behind))

    assert line(0, 0) == "Your branch is up to date with 'remote/main'."
    assert line(1, 0) == "Your branch is ahead of 'remote/main' by 1 commit."
    assert line(0, 2) == (
        "Your branch is behind 'remote/main' by 2 commits, and can be fast-forwarded."
    )
    assert "1 and 2 different commits" in line(1, 2)
    assert plain(branch_lines([])) == []
    info = BranchInfo("main", ONE, "A\nB", current=True, tracking=Tracking(ONE, 0, 3))
    assert plain(branch_lines([info])) == ["* main 0101010101 [behind 3] A\\nB"]


def commit(*parents: CommitId) -> CommitInfo:
    return CommitInfo(ONE, parents, "Ada", None, Moment(0), "Subject\n\nBody\n", ("main", "next"))


def test_commits_in_full() -> None:
    lines = plain(full_lines(commit(ONE, TWO), "next"))
    assert lines[0] == f"commit {'01' * 32} (HEAD -> next, main)"
    assert lines[1] == "Merge: 0101010101 0202020202"
    assert lines[-4:] == ["", "    Subject", "", "    Body"]


def test_commits_beside_their_graph() -> None:
    lines = plain(log_lines([commit(TWO)], [["| *", "|/"]], "main", form="full"))
    assert lines[0].startswith("| * commit ")
    assert lines[1] == "| | Author: Ada"
    assert lines[3] == "| |"
    assert lines[-1] == "|/"
    root = plain(log_lines([commit()], [["*"]], "main", form="full"))
    assert root[1] == "  Author: Ada"
    assert root[-1] == ""


def test_what_was_moved() -> None:
    moves = (
        BranchPush("main", ONE, TWO, 3),
        BranchPush("new", None, ONE, 3),
        BranchPush("old", TWO, None, 3),
    )
    assert plain(push_lines(PushResult(7, moves, 1234))) == [
        "   0101010101..0202020202  main -> remote/main",
        " * [new branch]  new -> remote/new",
        " - [deleted]     remote/old",
        "3 commits, 1,234 bytes, entry 7",
    ]
    assert plain(fetch_lines(FetchResult(1, 3, moves[:1]))) == [
        "   0101010101..0202020202  remote/main",
        "3 commits, 1 entry",
    ]
    notes = MergeOutcome("merged", ONE, ONE, 2, notes=("Pets was put back",))
    assert plain(merge_lines(notes)) == [
        "Merged as 0101010101: 2 documents changed",
        "  Pets was put back",
    ]


def test_styles_are_nothing_without_colours() -> None:
    text = f"a {paint('add', 'b')} {paint('hash', '')}c"
    assert finish(text, colour=False) == "a b c"
    assert finish(text, colour=True) == "a \x1b[32mb\x1b[0m c"
    assert one_line("a\nb\tc") == "a\\nb\\tc"
    assert finish("\x00add;x\ud800\x07", colour=True) == "\\x00add;x\\ud800\\x07"
