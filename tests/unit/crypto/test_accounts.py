import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.crypto.account import (
    AccountKeys,
    LoginKeys,
    answer_challenge,
    derive_login,
    recovery_keys,
)
from sopor.crypto.passwords import prepare_password, stretch
from sopor.crypto.registration import (
    NewAccount,
    change_password,
    new_account,
    recover,
    renew_access,
    unlock,
    unlock_by_recovery,
)
from sopor.crypto.sealed_file import WrongPassphrase, open_file, seal_file
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor_core.account import (
    AccountRecord,
    Action,
    ChallengeProof,
    Credentials,
    KdfParameters,
)
from sopor_core.errors import InvalidValue, RollbackError, VerificationError
from sopor_core.ids import ServerId
from sopor_core.limits import MIB

CHEAP = KdfParameters(m=65536, t=3, p=4)
LOGIN, PASSWORD = "ada@example.com", "correct horse"


@pytest.fixture(scope="module")
def ada() -> NewAccount:
    return new_account("Ada@Example.com", PASSWORD, 1_700_000_000_000, CHEAP)


@pytest.fixture(scope="module")
def login_keys(ada: NewAccount) -> LoginKeys:
    return derive_login(PASSWORD, ada.access.secret_key, LOGIN, CHEAP)


def _as_received(account: NewAccount) -> tuple[AccountRecord, Credentials]:
    record = AccountRecord.verified(account.record.to_json())
    return record, Credentials.parse(account.access.credentials.to_json())


def test_a_new_account_opens_with_its_password(ada: NewAccount, login_keys: LoginKeys) -> None:
    record, credentials = _as_received(ada)
    assert record.login == LOGIN
    assert credentials.n == 1
    keys = unlock(login_keys, record, credentials, "ADA@example.com", seen=1)
    assert keys.identity == record.identity == ada.access.keys.identity
    assert keys.secret == ada.access.keys.secret
    keys.identity.check_founding_id()
    record.identity.signing.verify(keys.sign(b"message"), b"message")


def test_a_new_account_opens_with_its_recovery_key(ada: NewAccount) -> None:
    record, credentials = _as_received(ada)
    keys = unlock_by_recovery(ada.access.recovery_key, record, credentials, LOGIN)
    assert keys.secret == ada.access.keys.secret


def test_a_new_password_leaves_both_written_keys_as_they_are(ada: NewAccount) -> None:
    record, old = _as_received(ada)
    keys, secret_key = ada.access.keys, ada.access.secret_key
    new = change_password(keys, old, LOGIN, secret_key, "battery staple", CHEAP)
    assert new.n == 2
    by_new = derive_login("battery staple", secret_key, LOGIN, new.kdf)
    assert unlock(by_new, record, new, LOGIN, seen=1).secret == keys.secret
    by_recovery = unlock_by_recovery(ada.access.recovery_key, record, new, LOGIN, seen=2)
    assert by_recovery.secret == keys.secret
    with pytest.raises(RollbackError, match="credentials 1 after 2"):
        unlock_by_recovery(ada.access.recovery_key, record, old, LOGIN, seen=2)


def test_the_old_password_does_not_open_new_credentials(
    ada: NewAccount, login_keys: LoginKeys
) -> None:
    record, old = _as_received(ada)
    new = change_password(
        ada.access.keys, old, LOGIN, ada.access.secret_key, "battery staple", CHEAP
    )
    with pytest.raises(VerificationError, match="account: the credentials are of another password"):
        unlock(login_keys, record, new, LOGIN)
    put_back = replace(new, login_key=old.login_key, secret=old.secret)
    with pytest.raises(VerificationError, match="account: the wrapped account secret"):
        unlock(login_keys, record, put_back, LOGIN)


def test_recovering_renews_password_and_both_written_keys(ada: NewAccount) -> None:
    record, credentials = _as_received(ada)
    access = recover(ada.access.recovery_key, record, credentials, LOGIN, "new one", CHEAP)
    assert access.credentials.n == 2
    assert access.secret_key != ada.access.secret_key
    by_password = derive_login("new one", access.secret_key, LOGIN, CHEAP)
    assert unlock(by_password, record, access.credentials, LOGIN).secret == access.keys.secret
    by_key = unlock_by_recovery(access.recovery_key, record, access.credentials, LOGIN)
    assert by_key.secret == access.keys.secret
    with pytest.raises(VerificationError, match="of another recovery key"):
        unlock_by_recovery(ada.access.recovery_key, record, access.credentials, LOGIN)


def test_writers_stretch_with_256_mib(ada: NewAccount) -> None:
    access = renew_access(ada.access.keys, ada.access.credentials, LOGIN, PASSWORD)
    assert access.credentials.kdf == KdfParameters(m=262144, t=3, p=4)
    by_password = derive_login(PASSWORD, access.secret_key, LOGIN, access.credentials.kdf)
    assert unlock(by_password, ada.record, access.credentials, LOGIN).secret == access.keys.secret


def test_two_accounts_with_one_password_share_nothing(ada: NewAccount) -> None:
    other = new_account(LOGIN, PASSWORD, 1, CHEAP)
    ours, theirs = ada.access.credentials, other.access.credentials
    assert ours.account != theirs.account
    assert ours.login_key != theirs.login_key
    assert ours.recovery_key != theirs.recovery_key


def test_a_challenge_is_answered_for_one_server_and_action(
    ada: NewAccount, login_keys: LoginKeys
) -> None:
    account, server = ada.record.identity.account, ServerId.random()
    proof = answer_challenge(login_keys, account, Action.LOGIN, b"c" * 32, server)
    ChallengeProof.parse(proof.to_json()).verify(ada.access.credentials.login_key)
    with pytest.raises(VerificationError, match="signature"):
        replace(proof, action=Action.DEVICE).verify(ada.access.credentials.login_key)
    by_recovery = recovery_keys(ada.access.recovery_key)
    proof = answer_challenge(by_recovery, account, Action.RECOVER, b"c" * 32, server)
    proof.verify(ada.access.credentials.recovery_key)


@pytest.mark.parametrize(
    "costs", [KdfParameters(m=65535), KdfParameters(m=2**32 - 1), KdfParameters(t=2)]
)
def test_costs_are_checked_before_anything_is_computed(costs: KdfParameters) -> None:
    # Computing with four TiB would fail otherwise.
    with pytest.raises(VerificationError, match="kdf: password hashing parameters") as refused:
        derive_login(PASSWORD, SecretKey.random(), LOGIN, costs)
    assert "do not type your password" in (refused.value.hint or "")
    with pytest.raises(VerificationError, match="kdf"):
        stretch(PASSWORD, bytes(16), costs)


def test_passwords_are_the_same_whatever_the_keyboard_sends() -> None:
    assert prepare_password("A\u030a \ufb01") == prepare_password("\u00c5 fi") == b"\xc3\x85 fi"
    for bad in ("", "\ud800"):
        with pytest.raises(InvalidValue) as refused:
            prepare_password(bad)
        assert refused.value.hint


# ------------------------------------------------------------------------------------ written keys


@given(st.binary(min_size=16, max_size=16), st.randoms())
def test_written_keys_are_read_however_they_are_typed(key: bytes, random: object) -> None:
    for kind in (SecretKey, RecoveryKey):
        text = kind(key).to_text()
        assert len(text) == 43
        assert kind.from_text(text).reveal() == key
        assert kind.from_text(text.lower().replace("-", " ")).reveal() == key
        assert kind.from_text(text.replace("0", "o").replace("1", "i")).reveal() == key


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(4, 42),
    st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
)
def test_a_mistyped_character_is_noticed(key: bytes, at: int, letter: str) -> None:
    text = SecretKey(key).to_text()
    if text[at] in ("-", letter):
        return
    with pytest.raises(InvalidValue, match="this is not a secret key") as refused:
        SecretKey.from_text(text[:at] + letter + text[at + 1 :])
    assert text[4:12] not in f"{refused.value} {refused.value.hint}"


def test_the_refusal_tells_which_key_it_needs() -> None:
    with pytest.raises(InvalidValue, match="not a recovery key") as refused:
        RecoveryKey.from_text(SecretKey.random().to_text())
    assert refused.value.hint == "it begins with RK1-"


# ------------------------------------------------------------------------------------ what is shown


def test_nothing_shows_a_secret(ada: NewAccount, login_keys: LoginKeys) -> None:
    access = ada.access
    shown = f"{ada!r} {ada} {login_keys!r} {access.keys!r} {access.keys.__dict__!r}"
    for secret in (access.keys.secret, access.secret_key, access.recovery_key, login_keys.wrap):
        value = secret.reveal()
        assert value.hex() not in shown
        assert repr(value) not in shown
    assert access.secret_key.to_text() not in shown


def test_no_secret_is_pickled(ada: NewAccount, login_keys: LoginKeys) -> None:
    for secret in (ada, ada.access, ada.access.keys, login_keys, login_keys.login):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_account_keys_may_have_an_id_of_older_keys(ada: NewAccount) -> None:
    older = new_account(LOGIN, PASSWORD, 1, CHEAP).record.identity.account
    keys = AccountKeys(ada.access.keys.secret, older)
    assert keys.identity.account == older
    with pytest.raises(VerificationError, match="does not follow from its keys"):
        keys.identity.check_founding_id()


# ------------------------------------------------------------------------------------ keystore file


def test_a_keystore_file_opens_with_its_passphrase_alone() -> None:
    first, second = seal_file("pass phrase", b"content"), seal_file("pass phrase", b"content")
    assert first != second
    assert open_file("pass phrase", first) == open_file("pass phrase", second) == b"content"
    assert b"content" not in first
    with pytest.raises(WrongPassphrase) as refused:
        open_file("pass phrasE", first)
    assert refused.value.code == "wrong-passphrase"
    assert refused.value.__cause__ is None


def test_a_keystore_file_has_bounds() -> None:
    assert open_file("x", seal_file("x", bytes(MIB))) == bytes(MIB)
    with pytest.raises(InvalidValue, match="at most 1 MiB"):
        seal_file("x", bytes(MIB + 1))
    with pytest.raises(InvalidValue, match="empty"):
        seal_file("", b"")
    with pytest.raises(VerificationError, match="parse: not a keystore file"):
        open_file("x", b" " * (2 * MIB) + b"\n")
