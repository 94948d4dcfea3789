"""Merges texts that hold a value, such as an OpenAPI document in YAML or JSON, by their structure.

What the text means is merged as values are. The merged text is made from the lines of the three
texts, so that comments, quotes and indents stay where nothing changed: from their merge by lines
if that means the merged value, else from it with the places that differ written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TypeAlias

from sopor.formats.errors import FormatError
from sopor.formats.json_text import JsonStyle, JsonText
from sopor.formats.yaml_patch import emit_like
from sopor.formats.yaml_read import YamlError, parse_yaml
from sopor.merge.sequences import Settled
from sopor.merge.text import merge_text
from sopor.merge.values import MaybeJson, same_json
from sopor.model.document import Body

STRUCTURED = frozenset({("api_spec", "contents")})
"""Types of documents, and their members whose texts hold a structure."""

MAX_TEXT = 4 << 20
"""Longer texts, in characters, are merged by lines; printing one in YAML takes seconds."""

MergeBodies: TypeAlias = Callable[[Body, Body, Body], Body]


def parse_text(text: MaybeJson) -> Body | None:
    """Returns the object that a text stands for, or ``None`` if it is no YAML or JSON object."""
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return None
    try:
        value = JsonText(text, "").whole() if _looks_like_json(text) else parse_yaml(text)
    except (FormatError, YamlError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _looks_like_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def write_text(value: Body, text: str, before: Body) -> str | None:
    """Returns the text of a value, like an existing one; ``None`` if it can't be written.

    Args:
        value: what to write.
        text: the existing text.
        before: the value of the existing text.
    """
    if same_json(value, before):
        return text
    if _looks_like_json(text):
        end = "\n" if text.endswith("\n") else ""
        written = JsonStyle.of(text).print(value) + end
    else:
        written = emit_like(value, text.removeprefix("\ufeff").replace("\r\n", "\n"), before)
    return written if same_json(parse_text(written) or False, value) else None


def merge_structured(
    base: MaybeJson, ours: MaybeJson, theirs: MaybeJson, merge: MergeBodies
) -> str | None:
    """Merges three texts by their structure; ``None`` if one of them has none.

    ``merge(base, ours, theirs)`` merges the values; what it reports as a conflict is its own
    matter. A comment that both sides changed differently is none: one of them stays.

    The text is the same with the sides exchanged if the value is.
    """
    values = [parse_text(text) for text in (base, ours, theirs)]
    old, left, right = values
    if old is None or left is None or right is None:
        return None
    merged = merge(old, left, right)
    for text in _frames(str(base), (str(ours), left), (str(theirs), right), merged):
        frame = parse_text(text)
        written = None if frame is None else write_text(merged, text, frame)
        if written is not None:
            return written
    return json.dumps(merged, ensure_ascii=False, indent=2) + "\n"


def _frames(
    base: str, ours: tuple[str, Body], theirs: tuple[str, Body], merged: Body
) -> Iterator[str]:
    """Yields texts to write the merged value into, from the one that says most of both sides.

    Where lines clash, those of the side come that says the merged value already, if one does.
    """
    ranked = sorted((ours, theirs), key=lambda side: (not same_json(side[1], merged), side[0]))
    first, second = ranked[0][0], ranked[1][0]
    parts = merge_text(base, first, second)
    clean = all(isinstance(part, Settled) for part in parts)
    yield "".join(
        line for part in parts for line in (part.merged if isinstance(part, Settled) else part.ours)
    )
    if not clean:
        yield "".join(
            line
            for part in parts
            for line in (part.merged if isinstance(part, Settled) else part.theirs)
        )
    yield first
    yield second
