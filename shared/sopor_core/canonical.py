"""The canonical form of JSON: RFC 8785 with integers of any size (SPEC section 2).

The C encoder of the standard library already writes RFC 8785 for everything but floating-point
numbers and keys outside the Basic Multilingual Plane, which RFC 8785 orders by UTF-16 units. The
rare text that may hold one of those takes the slow path, so the common one costs what `json` costs.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from sopor_core.errors import Layer, VerificationError

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

MAX_DEPTH = 128
_DIGITS = "0123456789"
_MARKS_OF_FLOATS = (".", "e+", "e-")
_MOST_DIGITS = 18
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_string = json.encoder.encode_basestring
_encoder = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def encode(value: Json) -> bytes:
    """Returns the canonical bytes (UTF-8) of a JSON value.

    Raises:
        VerificationError: layer ``canonical``, for NaN, infinities, lone surrogates, keys that are
            not strings, values that are not JSON, or nesting deeper than 128.
    """
    try:
        text = _encoder.encode(value)
        if _may_hold_float(text) or (not text.isascii() and _ASTRAL.search(text)):
            text = _encode_slowly(value)
        encoded = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise VerificationError(Layer.CANONICAL, f"no canonical form: {error}") from None
    if _may_be_too_deep(encoded):
        _check_depth(value, MAX_DEPTH)
    return encoded


def decode(data: bytes) -> Json:
    """Parses canonical bytes, refusing every other form of the same value.

    Raises:
        VerificationError: layer ``canonical``.
    """
    value = parse_json(data)
    if encode(value) != data:
        raise VerificationError(Layer.CANONICAL, "JSON is not in its canonical form")
    return value


def parse_json(data: bytes) -> Json:
    """Parses UTF-8 JSON of any form, refusing duplicate keys, NaN and infinities.

    Raises:
        VerificationError: layer ``canonical``.
    """
    try:
        value: Json = _decoder.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise VerificationError(Layer.CANONICAL, f"not JSON: {error}") from None
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has the same key twice")
    return result


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} does not fit a double")
    return number


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_parse_float
)


def _may_hold_float(text: str) -> bool:
    """Tells whether JSON text may hold a number with a fraction or an exponent.

    A loop over the few places that look like one; a pattern that is tried at every character took
    more time than the encoding.
    """
    for mark in _MARKS_OF_FLOATS:
        at = text.find(mark)
        while at >= 0:
            before = text[max(0, at - _MOST_DIGITS) : at]
            if before[-1:].isdigit() and _begins_a_value(before.rstrip(_DIGITS).removesuffix("-")):
                return True
            at = text.find(mark, at + 1)
    return False


def _begins_a_value(before: str) -> bool:
    # Nothing is left at the start of the text, or of a longer row of digits than floats have.
    return not before or before[-1] in ":,["


def _encode_slowly(value: Json) -> str:
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return "[" + ",".join(_encode_slowly(item) for item in value) + "]"
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_string(k)}:{_encode_slowly(value[k])}" for k in keys) + "}"
    raise TypeError(f"{type(value).__name__} is not JSON")


def number_text(number: float) -> str:
    """Writes a double as ECMAScript's Number::toString does (ECMA-262, section 6.1.6.1.20)."""
    if number == 0:
        return "0"
    mantissa, _, exponent_text = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    exponent = int(exponent_text or "0")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + exponent - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return ("-" if number < 0 else "") + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = point - 1
    sign = "+" if exponent >= 0 else "-"
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{sign}{abs(exponent)}"


def _may_be_too_deep(encoded: bytes) -> bool:
    return encoded.count(b"[") + encoded.count(b"{") > MAX_DEPTH


def _check_depth(value: Json, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise VerificationError(Layer.CANONICAL, f"nested deeper than {MAX_DEPTH}")
    for item in value.values() if isinstance(value, dict) else value:
        _check_depth(item, left - 1)
