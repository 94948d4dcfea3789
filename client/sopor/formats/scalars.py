"""What a plain YAML scalar stands for in the core schema of YAML 1.2, and how JavaScript prints it.

Source: YAML 1.2.2, section 10.3.2; ECMAScript, Number::toString.
"""

from __future__ import annotations

import re
from math import isfinite

from sopor.model.document import Json

_WORDS: dict[str, Json] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+|[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)",
    re.ASCII,
)
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_MAY_BE_NUMBER = frozenset("0123456789+-.")


def resolve(text: str) -> Json:
    """Returns the value of a plain scalar; raises ValueError for what is no finite number."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAY_BE_NUMBER:
        return text
    if _DECIMAL.fullmatch(text):
        return _resolve_integer(text)
    if _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return int(text, 0)
    return _resolve_float(text)


def _resolve_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"the number {text[:20]}... has too many digits") from None


def _resolve_float(text: str) -> Json:
    if _NO_NUMBER.fullmatch(text):
        raise ValueError(f"{text} has no place in JSON")
    if not _FLOAT.fullmatch(text):
        return text
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"the number {text} is too large")
    return value


def is_resolved(text: str) -> bool:
    """Tells whether a plain scalar of this text would be read as something else than a string."""
    if text in _WORDS:
        return True
    return text[0] in _MAY_BE_NUMBER and any(
        pattern.fullmatch(text) for pattern in (_DECIMAL, _FLOAT, _OCTAL, _HEX, _NO_NUMBER)
    )


def js_number(value: int | float) -> str:
    """Returns a finite number as JavaScript prints it; integers of any size keep every digit."""
    if isinstance(value, int):
        return str(value)
    if not isfinite(value):
        raise ValueError(f"the number {value} has no place in JSON")
    if value == 0:
        return "0" if str(value)[0] != "-" else "-0"
    return _js_float(value)


def _js_float(value: float) -> str:
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or "0") - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"
