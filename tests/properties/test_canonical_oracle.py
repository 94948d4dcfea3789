"""The canonical form against an independent implementation of RFC 8785."""

import json
import struct

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sopor_core import canonical

# The other implementation keeps to RFC 8785: integers end at 2^53-1.
_NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(_VALUES)
def test_any_value_has_the_same_form(value: canonical.Json) -> None:
    encoded = canonical.encode(value)
    assert encoded == rfc8785.dumps(value)
    again = canonical.decode(encoded)
    assert canonical.encode(again) == encoded


@given(st.integers(0, 2**64 - 1))
def test_every_double_has_the_same_text(bits: int) -> None:
    [number] = struct.unpack(">d", bits.to_bytes(8, "big"))
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return
    assert canonical.encode(number) == rfc8785.dumps(number)


@given(_VALUES, st.sampled_from([None, 1]), st.booleans())
def test_any_spelling_gives_the_same_form(
    value: canonical.Json, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert canonical.encode(canonical.parse_json(text.encode())) == canonical.encode(value)
