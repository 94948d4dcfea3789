"""Renders one text as a YAML scalar: plain, quoted or as a block, folded at 80 columns.

See `sopor.formats.yaml_write` for the style. Widths count UTF-16 units, as JavaScript does.
"""

from __future__ import annotations

import json
import re

from sopor.formats.scalars import is_resolved
from sopor.formats.yaml_fold import Mode, fold, fold_block
from sopor.formats.yaml_read import parse_yaml

INDENT = "  "
_WIDTH = 80
_MIN_BROKEN_QUOTES = 40

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOT_PLAIN = re.compile(
    r"^[\n\t ,\[\]{}#&*!|>'\"%@`]|^[?-]\Z|^[?-][ \t]|[\n:][ \t]|[ \t]\n|[\n\t ]#|[\n\t :]\Z"
)
_DOCUMENT_MARKER = re.compile(r"(?:^|[\n\u2028\u2029])(?:%|---|\.\.\.)")
_SPACE_AT_BREAK = re.compile(r"[ \t]\n|\n[ \t]")
_ENDS_IN_SPACE_LINE = re.compile(r"\n[\t ]+\Z")
_BLANK = re.compile(r"[\s\ufeff]*\Z")
_BREAKS = re.compile(r"\n+")
_BREAKS_BEFORE_TEXT = re.compile(r"(?<!\n)\n+(?!\n|\Z)")
_DEEPER_LINES = re.compile(r"(?:^|\n)([\t ][^\n\u2028\u2029]*)(?:([\n\t ]*)\n(?![\n\t ]))?")
_ESCAPE = re.compile(r"( ?)((?:\\n)+)(?=(\"\Z| (?!\\n))?)|\\u(....)|\\.")
_SHORT_ESCAPES = {"0000": "\\0", "0007": "\\a", "000b": "\\v", "001b": "\\e"}


def render_key(key: str, *, outermost: bool) -> str:
    """Returns a key on one line; ``outermost`` where it starts in the first column."""
    if _CONTROL.search(key):
        return _double_quoted(key, None)
    if "\n" in key or not key or _NOT_PLAIN.search(key) or is_resolved(key):
        return _quoted(key, None)
    if outermost and (_DOCUMENT_MARKER.search(key) or key[0] == "\ufeff"):
        return _quoted(key, None)
    return key


def render_text(text: str, indent: str, at_start: int | None) -> str:
    """Returns a text as a value.

    Args:
        text: the text.
        indent: what its further lines start with.
        at_start: how wide what stands before it on its first line is, if anything does.
    """
    wide = not text.isascii() and max(text) > "\uffff"
    if wide:
        text = _to_units(text)
    rendered = _render(text, indent, at_start)
    return _from_units(rendered) if wide else rendered


def _to_units(text: str) -> str:
    """Returns a text with each character beyond U+FFFF as two surrogates, as JavaScript sees it."""
    return "".join(_pair(char) if char > "\uffff" else char for char in text)


def _pair(char: str) -> str:
    offset = ord(char) - 0x10000
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))


def _from_units(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _render(text: str, indent: str, at_start: int | None) -> str:
    if _CONTROL.search(text):
        return _double_quoted(text, indent, at_start)
    if "\n" in text or (not indent and _DOCUMENT_MARKER.search(text)):
        return _block(text, indent or INDENT, at_start)
    if not text or _NOT_PLAIN.search(text) or is_resolved(text):
        return _quoted(text, indent, at_start)
    return fold(text, indent, Mode.FLOW, at_start)


def _quoted(text: str, indent: str | None, at_start: int | None = None) -> str:
    if (
        '"' not in text
        or "'" in text
        or (_BREAKS if indent is None else _SPACE_AT_BREAK).search(text)
    ):
        return _double_quoted(text, indent, at_start)
    doubled = text.replace("'", "''")
    if indent is None:
        return f"'{doubled}'"
    broken = _BREAKS.sub(lambda match: f"{match[0]}\n{indent}", doubled)
    return fold(f"'{broken}'", indent, Mode.FLOW, at_start)


def _double_quoted(text: str, indent: str | None, at_start: int | None = None) -> str:
    """Returns a text in double quotes; on one line where ``indent`` is None."""
    literal = json.dumps(text, ensure_ascii=False)
    breaks = indent is not None and len(literal) >= _MIN_BROKEN_QUOTES

    def escaped(match: re.Match[str]) -> str:
        if match[2]:
            return _escaped_breaks(match, indent if breaks else None)
        code = match[4]
        if code is None:
            return match[0]
        if code in _SHORT_ESCAPES:
            return _SHORT_ESCAPES[code]
        return f"\\x{code[2:]}" if code.startswith("00") else match[0]

    body = _ESCAPE.sub(escaped, literal)
    return body if indent is None else fold(body, indent, Mode.QUOTED, at_start)


def _escaped_breaks(match: re.Match[str], indent: str | None) -> str:
    space, escapes, after = match[1], match[2], match[3]
    before = "\\ " if space else ""
    count = len(escapes) // 2
    kept = count if indent is None else int(after not in {None, " "})
    broken = count - kept
    text = before
    if broken:
        text += "\n" * (broken + 1) + str(indent) + ("\\" if after == " " else "")
    return text + "\\n" * kept


def _block(text: str, indent: str, at_start: int | None) -> str:
    if _ENDS_IN_SPACE_LINE.search(text) or _BLANK.match(text):
        return _quoted(text, indent, at_start)
    core = text.rstrip("\n\t ")
    end = text[len(core) :]
    first_break = end.find("\n")
    chomp = "-" if first_break < 0 else "" if first_break == len(end) - 1 else "+"
    end = _BREAKS_BEFORE_TEXT.sub(lambda match: match[0] + indent, end.removesuffix("\n"))
    lead = core[: len(core) - len(core.lstrip("\n "))]
    start = lead[: lead.rfind("\n") + 1]
    core = core[len(start) :]
    start = _BREAKS.sub(lambda match: match[0] + indent, start)
    header = ("2" if " " in lead else "") + chomp
    if core[:1] != "\t" and _has_long_line(text, _WIDTH - len(indent)):
        body = _folded_body(start, core, end, indent)
        folded = f">{header}\n{indent}{body}"
        if body is not None and _reads_back(folded, indent, text):
            return folded
    core = _BREAKS.sub(lambda match: match[0] + indent, core)
    return f"|{header}\n{indent}{start}{core}{end}"


def _reads_back(block: str, indent: str, text: str) -> bool:
    """Tells whether a folded block means its text, which it may not around lines of only spaces."""
    parent = indent.removeprefix(INDENT)
    return parse_yaml(_from_units(f"{parent}k: {block}\n")) == {"k": _from_units(text)}


def _has_long_line(text: str, limit: int) -> bool:
    return len(text) > limit and max(map(len, text.split("\n"))) > limit


def _folded_body(start: str, core: str, end: str, indent: str) -> str | None:
    """Returns the lines of a folded block, or None where a line can't be folded."""
    folded = _BREAKS.sub(lambda match: "\n" + match[0], core)
    folded = _DEEPER_LINES.sub(lambda match: match[1] + (match[2] or ""), folded)
    folded = _BREAKS.sub(lambda match: match[0] + indent, folded)
    return fold_block(start + folded + end, indent)
