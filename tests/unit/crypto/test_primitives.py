import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.crypto.primitives import KeyedHash, hkdf, open_sealed, seal
from sopor.crypto.secret import Secret
from sopor_core.errors import Layer, VerificationError


def test_hkdf_gives_the_first_block_of_rfc_5869_case_3() -> None:
    okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert hkdf(b"\x0b" * 22, b"", "").hex() == okm


@given(st.binary(max_size=80), st.binary(max_size=40), st.binary(max_size=40))
def test_hkdf_separates_label_and_parts_by_a_zero_byte(
    ikm: bytes, salt: bytes, parts: bytes
) -> None:
    extracted = hmac.digest(salt, ikm, "sha256")
    expected = hmac.digest(extracted, b"sopor/1 x\0" + parts + b"\x01", "sha256")
    assert hkdf(ikm, salt, "sopor/1 x", parts) == expected
    assert hkdf(ikm, salt, "sopor/1 x") != hkdf(ikm, salt, "sopor/1 x", b"")


@given(st.binary(max_size=64), st.binary(max_size=20), st.binary(max_size=300))
def test_keyed_hash_is_hmac(key: bytes, prefix: bytes, message: bytes) -> None:
    keyed = KeyedHash(key, prefix)
    expected = hmac.digest(key, prefix + message, "sha256")
    assert keyed.digest(message) == expected
    assert keyed.digest(memoryview(message)) == expected
    assert repr(keyed) == "KeyedHash(...)"


def test_sealing_draws_a_new_nonce_each_time() -> None:
    sealed = {seal(b"k" * 32, b"text", b"for") for _ in range(3)}
    assert len(sealed) == 3
    assert {open_sealed(b"k" * 32, each, b"for", Layer.OPS, "it") for each in sealed} == {b"text"}


@pytest.mark.parametrize("size", [0, 11, 12, 27])
def test_what_is_too_short_to_be_sealed_is_refused(size: int) -> None:
    with pytest.raises(VerificationError, match="ops: it is too short"):
        open_sealed(b"k" * 32, bytes(size), b"", Layer.OPS, "it")


class _Key(Secret):
    SIZE = 4


def test_a_secret_shows_nothing_and_stays_where_it_is() -> None:
    secret = _Key(b"\x68\x75\x6e\x74")
    assert str(secret) == repr(secret) == "_Key(...)"
    assert f"{[secret]}" == "[_Key(...)]"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="secret"):
            pickle.dumps(secret, protocol)


def test_secrets_compare_by_kind_and_bytes() -> None:
    assert _Key(b"abcd") == _Key(b"abcd")
    assert _Key(b"abcd") != _Key(b"abce")
    assert _Key(b"abcd") != b"abcd"
    with pytest.raises(TypeError, match="unhashable"):
        hash(_Key(b"abcd"))


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(VerificationError, match="_Key needs 4 bytes, not 5"):
        _Key(b"abcde")
    assert len({_Key.random().reveal() for _ in range(3)}) == 3
