"""Insomnia's v4 export as JSON.

Rewriting copies the text of every resource that did not change, so that a file made by another tool
keeps its looks, and prints the others in the style around them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from functools import partial

from sopor.formats import v4
from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import by_id, same_json
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, name_of
from sopor.formats.json_text import JsonStyle, JsonText
from sopor.formats.ordering import order_body
from sopor.formats.text import TextStyle, decode_text
from sopor.model.document import Body, Document, DocumentId, Json
from sopor.records import dataclass


@dataclass(frozen=True, slots=True)
class _Span:
    """A resource in the text: the white space before it, its own place, the space after it."""

    value: Json
    lead: str
    start: int
    end: int
    trail: str


@dataclass(slots=True)
class _Outer:
    """A v4 file taken apart: what is before, in and after its list of resources."""

    source: JsonText
    container: Body = field(default_factory=dict)
    spans: list[_Span] = field(default_factory=list)
    before: str = ""
    after: str = ""


class V4Json:
    """The format ``insomnia.v4.json``; see `sopor.formats.base.Format`."""

    name = "insomnia.v4.json"

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether a ``.json`` file looks like a v4 export."""
        return path.lower().endswith(".json") and bool(v4.JSON_MARK.search(data))

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns what the file says."""
        return self._content(_take_apart(data, path, limits))

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file."""
        outer = _try_take_apart(previous)
        content = self._try_content(outer, record)
        everything = v4.with_local(documents, local, content)
        if previous is not None and content and v4.says_the_same(content, record, everything):
            return previous
        old = outer if content else None
        ordered = v4.in_order(everything, _documents_in_order(old, content))
        return TextStyle.of(previous).encode(_put_together(record, ordered, old, content))

    def _content(self, outer: _Outer) -> FileContent:
        found = (
            Found(
                span.value,
                name_of(span.value, f"resources[{index}]"),
                partial(outer.source.line, span.start),
            )
            for index, span in enumerate(outer.spans)
        )
        return v4.content_of(outer.source.path, self.name, outer.container, found)

    def _try_content(self, outer: _Outer | None, record: Document) -> FileContent | None:
        if outer is None:
            return None
        path = record.body.get("path")
        outer.source = JsonText(outer.source.text, path if isinstance(path, str) else "")
        try:
            return self._content(outer)
        except FormatError:
            return None


def _try_take_apart(data: bytes | None) -> _Outer | None:
    try:
        return None if data is None else _take_apart(data, "", DEFAULT_LIMITS)
    except FormatError:
        return None


def _take_apart(data: bytes, path: str, limits: Limits) -> _Outer:
    source = JsonText(decode_text(data, path, limits).replace("\r\n", "\n"), path)
    outer = _Outer(source)
    at = source.skip(source.expect("{", 0))
    more = not source.text.startswith("}", at)
    at += not more
    while more:
        key, end = source.value(at)
        if not isinstance(key, str) or key in outer.container:
            raise source.error("expected a key that the object does not have yet", at)
        at = source.skip(source.expect(":", end))
        if key == v4.RESOURCES:
            outer.before = source.text[: source.expect("[", at)]
            at = _take_resources(outer, at + 1)
            outer.container[key] = []
        else:
            outer.container[key], at = source.value(at)
        more, at = source.more(at, "}")
    source.expect_end(at)
    if v4.RESOURCES not in outer.container:
        raise FormatError("expected a list of resources", path=path, line=1)
    return outer


def _take_resources(outer: _Outer, at: int) -> int:
    """Takes the list whose bracket is before a place; returns the place after it."""
    source = outer.source
    start = source.skip(at)
    more = not source.text.startswith("]", start)
    end = at
    while more:
        value, end = source.value(start)
        after = source.skip(end)
        span = _Span(value, source.text[at:start], start, end, source.text[end:after])
        outer.spans.append(span)
        more, start = source.more(after, "]")
        at = after + 1
    end = source.expect("]", end)
    outer.after = source.text[end - 1 :]
    return end


def _documents_in_order(outer: _Outer | None, content: FileContent | None) -> list[Document] | None:
    if outer is None or content is None:
        return None
    known = by_id(content.everything)
    ids = (span.value["_id"] for span in outer.spans if isinstance(span.value, dict))
    return [known[DocumentId(str(item))] for item in ids]


def _put_together(
    record: Document,
    ordered: list[Document],
    outer: _Outer | None,
    content: FileContent | None,
) -> str:
    container = v4.container_of(record)
    if outer is None or content is None:
        container[v4.RESOURCES] = [order_body(document) for document in ordered]
        return JsonStyle().print(container) + "\n"
    before, after = outer.before, outer.after
    if not same_json(dict(outer.container), container):
        before, after = _around(container, JsonStyle.of(outer.source.text), outer)
    if not ordered:
        return before + after
    return before + _list_of(ordered, outer) + after


def _around(container: Body, style: JsonStyle, outer: _Outer) -> tuple[str, str]:
    text = style.print(container)
    place = text.index("[]", text.index(f'"{v4.RESOURCES}"'))
    tail = outer.source.text
    return text[: place + 1], text[place + 1 :] + tail[len(tail.rstrip()) :]


def _list_of(ordered: list[Document], outer: _Outer) -> str:
    """Returns the resources as text, those that did not change in their old words."""
    text = outer.source.text
    style = JsonStyle.of(text)
    old = {span.value["_id"]: span for span in outer.spans if isinstance(span.value, dict)}
    common = _common_lead(outer, style)
    parts: list[str] = []
    for document in ordered:
        span = old.get(document.id)
        lead = span.lead if span and (span.lead or common == "") else common
        base = lead.rpartition("\n")[2]
        if span is None or not isinstance(span.value, dict):
            parts.append(lead + style.print(order_body(document), base))
        elif same_json(span.value, document.body):
            parts.append(lead + text[span.start : span.end])
        else:
            its = JsonStyle(_step_of(text[span.start : span.end], base, style), style.ascii)
            parts.append(lead + its.print(order_body(document, span.value), base))
    closing = outer.spans[-1].trail if outer.spans else ("\n  " if style.indent else "")
    return ",".join(parts) + closing


def _common_lead(outer: _Outer, style: JsonStyle) -> str:
    """Returns the white space that a new resource gets in front of it."""
    if not outer.spans:
        return "\n" + style.indent * 2 if style.indent else ""
    leads = [span.lead for span in outer.spans]
    return max(dict.fromkeys(leads), key=leads.count)


def _step_of(text: str, base: str, style: JsonStyle) -> str | None:
    """Returns the indent of one level inside a resource's text."""
    own = JsonStyle.of(text).indent
    if own is None:
        return None
    return own.removeprefix(base) or style.indent
