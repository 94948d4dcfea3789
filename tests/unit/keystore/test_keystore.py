"""Stories of the keystore: what it keeps, whom it lets in, and what it does with damage."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
import traceback
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from sopor.crypto import sealed_file
from sopor.crypto.passwords import stretch
from sopor.disk import exclusive, make_private_folder
from sopor.errors import (
    Busy,
    DamagedStore,
    DiskFull,
    InputNeeded,
    InvalidInput,
    LoginFailed,
    NotLoggedIn,
    exit_code,
)
from sopor.keystore import (
    DeviceSecrets,
    FixedPassword,
    Keystore,
    KnownAccount,
    NextKeys,
    NoPasswords,
    Protection,
    SignOnSecrets,
    sopor_home,
)
from sopor_core import canonical
from sopor_core.account import KdfParameters
from sopor_core.ids import DeviceId, OrgId, ServerId
from tests.unit.keystore.conftest import PASSWORD

MakeKnown = Callable[..., KnownAccount]


def test_secrets_come_back_as_they_were(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.PASSWORD)
    keystore.add(account, secrets, PASSWORD)
    entry = Keystore(keystore.home).open(keystore.find(), FixedPassword(PASSWORD))
    assert (entry.known, entry.secrets) == (account, secrets)


def test_who_is_known_needs_no_password(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.PASSWORD)
    keystore.add(account, secrets, PASSWORD)
    assert keystore.accounts() == [account]
    with pytest.raises(InputNeeded) as refused:
        keystore.open(account, NoPasswords())
    assert exit_code(refused.value) == 13


def test_a_wrong_password_opens_nothing(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.PASSWORD)
    keystore.add(account, secrets, PASSWORD)
    with pytest.raises(LoginFailed) as refused:
        keystore.open(account, FixedPassword(PASSWORD[::-1]))
    assert exit_code(refused.value) == 6
    shown = "".join(traceback.format_exception(refused.value))
    assert PASSWORD not in shown
    assert PASSWORD[::-1] not in shown


def test_unlocking_hashes_the_password_once_and_a_change_never(
    keystore: Keystore,
    known: MakeKnown,
    secrets: DeviceSecrets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = known(protection=Protection.PASSWORD)
    keystore.add(account, secrets, PASSWORD)
    costs = []

    def counted(password: str, salt: bytes, cost: KdfParameters) -> bytes:
        costs.append(cost.m)
        return stretch(password, salt, cost)

    monkeypatch.setattr(sealed_file, "stretch", counted)
    entry = keystore.open(account, FixedPassword(PASSWORD))
    entry.change(known=lambda before: replace(before, n=2))
    assert costs == [65536]


def test_only_the_owner_can_read_anything(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    entry = keystore.add(known(), secrets)
    entry.tokens.save("token", 1)
    for path in [keystore.home, *keystore.home.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_unprotected_secrets_that_others_can_read_are_refused(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.FILE)
    keystore.add(account, secrets)
    keystore.account_path(account.account).chmod(0o644)
    with pytest.raises(DamagedStore, match="read by others") as refused:
        keystore.open(account, NoPasswords())
    assert refused.value.hint is not None
    assert "chmod 600" in refused.value.hint


def test_protection_by_password_needs_one(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    with pytest.raises(InvalidInput):
        keystore.add(known(protection=Protection.PASSWORD), secrets)
    assert keystore.accounts() == []


def test_no_secret_stands_in_the_file(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.PASSWORD)
    entry = keystore.add(account, secrets, PASSWORD)
    entry.tokens.save("an-access-token", 1)
    stored = b"".join(path.read_bytes() for path in keystore.home.rglob("*") if path.is_file())
    hidden = [PASSWORD.encode(), b"an-access-token", secrets.refresh_token.encode()]
    for secret in (secrets.account_secret.reveal(), secrets.secret_key.reveal()):
        hidden += [secret, urlsafe_b64encode(secret).rstrip(b"=")]
    assert not [secret for secret in hidden if secret in stored]


def test_nothing_shows_or_copies_secrets(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    entry = keystore.add(known(), secrets)
    entry.tokens.save("an-access-token", 1)
    values = [entry, secrets, keystore, entry.tokens, entry.tokens.load(), FixedPassword(PASSWORD)]
    shown = "".join(f"{value!r} {value!s}" for value in values)
    for secret in (
        secrets.refresh_token,
        "an-access-token",
        PASSWORD,
        secrets.secret_key.to_text(),
        secrets.account_secret.reveal().hex(),
        repr(secrets.account_secret.reveal()),
    ):
        assert secret not in shown
    for value in (entry, secrets):
        with pytest.raises(TypeError, match="secret"):
            pickle.dumps(value)


def test_any_damaged_byte_is_told_and_is_no_wrong_password(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known()
    keystore.add(account, secrets)
    path = keystore.account_path(account.account)
    whole = path.read_bytes()
    for at in range(0, len(whole), 13):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DamagedStore) as refused:
            keystore.open(account, NoPasswords())
        assert str(path) in refused.value.message
        assert refused.value.hint
        assert exit_code(refused.value) == 12
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedStore):
            keystore.accounts()


def rewrite(path: Path, change: Callable[[dict[str, dict[str, str]]], None]) -> None:
    """Changes a file as somebody would who knows its format but not its key."""
    content = json.loads(path.read_bytes())
    change(content)
    del content["check"]
    check = urlsafe_b64encode(sha256(canonical.encode(content)).digest()).rstrip(b"=").decode()
    path.write_bytes(canonical.encode({**content, "check": check}) + b"\n")


def test_the_pinned_server_cannot_be_exchanged_in_the_file(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known()
    keystore.add(account, secrets)
    path = keystore.account_path(account.account)
    rewrite(path, lambda content: content["account"].update(server_id=ServerId.random().b64))
    with pytest.raises(DamagedStore):
        keystore.open(keystore.find(), NoPasswords())


def test_a_newer_format_asks_for_an_upgrade(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known()
    keystore.add(account, secrets)
    path = keystore.account_path(account.account)
    rewrite(path, lambda content: content.update(v=2))  # type: ignore[call-overload]
    with pytest.raises(DamagedStore, match="version 2") as refused:
        keystore.accounts()
    assert refused.value.hint == "upgrade sopor and try again"


def test_a_full_disk_leaves_the_old_content(
    keystore: Keystore,
    known: MakeKnown,
    secrets: DeviceSecrets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = keystore.add(known(), secrets)
    before = {path: path.read_bytes() for path in keystore.home.rglob("*") if path.is_file()}

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFull) as refused:
        entry.change(known=lambda account: replace(account, n=2))
    assert exit_code(refused.value) == 12
    after = {path: path.read_bytes() for path in keystore.home.rglob("*") if path.is_file()}
    assert after == before


ADD_ORGANIZATIONS = """
import sys
from dataclasses import replace
from pathlib import Path
from sopor.crypto.passwords import stretch
from sopor.keystore import Keystore, NoPasswords
from sopor_core.ids import OrgId
keystore = Keystore(Path(sys.argv[1]))
entry = keystore.open(keystore.find(), NoPasswords())
for number in range(5):
    entry.change(
        lambda held: replace(held, organizations=(*held.organizations, OrgId.random()))
    )
"""


def test_processes_that_write_at_once_lose_nothing(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known()
    keystore.add(account, secrets)
    command = [sys.executable, "-c", ADD_ORGANIZATIONS, str(keystore.home)]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0, 0]
    entry = keystore.open(account, NoPasswords())
    assert len(entry.secrets.organizations) == 2 + 4 * 5


def test_waiting_for_another_process_ends(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "lock", "it"),
        pytest.raises(Busy, match="another sopor process") as refused,
        exclusive(tmp_path / "lock", "it", patience=0),
    ):
        pass
    assert exit_code(refused.value) == 12


def test_both_passwords_open_until_one_is_chosen(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.PASSWORD)
    entry = keystore.add(account, secrets, PASSWORD)
    entry.tokens.save("token", 7)
    entry.use_passwords(PASSWORD, "another one")
    for password in (PASSWORD, "another one"):
        assert keystore.open(account, FixedPassword(password)).secrets == secrets
    entry.use_passwords("another one")
    token = keystore.open(account, FixedPassword("another one")).tokens.load()
    assert token is not None
    assert token.value == "token"
    with pytest.raises(LoginFailed):
        keystore.open(account, FixedPassword(PASSWORD))


def test_a_process_that_missed_a_new_password_is_told_to_start_again(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known(protection=Protection.PASSWORD)
    slow = keystore.add(account, secrets, PASSWORD)
    keystore.open(account, FixedPassword(PASSWORD)).use_passwords("another one")
    with pytest.raises(Busy, match="changed how this account is protected"):
        slow.change(known=lambda before: replace(before, n=9))
    assert keystore.find().n == 1


def test_a_process_that_missed_a_logout_is_told(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known()
    entry = keystore.add(account, secrets)
    keystore.remove(account.account)
    with pytest.raises(NotLoggedIn):
        entry.change(known=lambda before: replace(before, n=2))
    with pytest.raises(NotLoggedIn):
        keystore.open(account, NoPasswords())
    assert not list(keystore.home.glob("accounts/*"))


def test_the_first_account_is_the_default_until_it_goes(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    ada, bob = known("ada@example.com"), known("bob@example.com")
    keystore.add(ada, secrets)
    keystore.add(bob, secrets)
    assert keystore.find() == ada
    assert keystore.find(login="Bob@example.com") == bob
    assert keystore.find(server="https://SOPOR.example.com/", account=bob.account) == bob
    keystore.set_default(bob.account)
    assert keystore.find() == bob
    keystore.remove(bob.account)
    assert keystore.default is None
    assert keystore.find() == ada


def test_without_a_default_several_accounts_are_named(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    keystore.add(known("ada@example.com"), secrets)
    keystore.add(known("bob@example.com"), secrets)
    (keystore.home / "default").unlink()
    with pytest.raises(InvalidInput, match=r"ada@example.com at .* bob@example.com at"):
        keystore.find()


@pytest.mark.parametrize("wanted", [{}, {"login": "ada"}, {"server": "https://other.example.com"}])
def test_an_unknown_account_is_not_logged_in(keystore: Keystore, wanted: dict[str, str]) -> None:
    with pytest.raises(NotLoggedIn, match="this device") as refused:
        keystore.find(**wanted)  # type: ignore[arg-type]
    assert exit_code(refused.value) == 6
    assert not keystore.home.exists()


def test_a_damaged_default_is_told(keystore: Keystore) -> None:
    make_private_folder(keystore.home)
    (keystore.home / "default").write_bytes(b"\xff")
    with pytest.raises(DamagedStore, match="default"):
        _ = keystore.default


def test_a_token_of_another_device_or_of_nobody_counts_as_none(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    account = known()
    entry = keystore.add(account, secrets)
    assert entry.tokens.load() is None
    entry.tokens.save("token", 5)
    path = keystore.token_path(account.account)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:5], b"", bytes(100)):
        path.write_bytes(damaged)
        assert entry.tokens.load() is None
    path.write_bytes(whole)
    assert entry.tokens.load() is not None
    entry.change(known=lambda before: replace(before, device=DeviceId.random()))
    assert entry.tokens.load() is None
    entry.change(known=lambda before: replace(before, device=account.device))
    assert entry.tokens.load() is not None
    assert keystore.add(account, secrets).tokens.load() is None
    path.write_bytes(whole)
    assert keystore.open(account, NoPasswords()).tokens.load() is None


def test_the_home_can_be_named(tmp_path: Path) -> None:
    assert sopor_home({"SOPOR_HOME": str(tmp_path / "x")}) == tmp_path / "x"
    assert sopor_home({}).name == "sopor"


def test_ids_and_keys_come_back_typed(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    keystore.add(known(), secrets)
    held = keystore.open(keystore.find(), NoPasswords()).secrets
    assert all(isinstance(org, OrgId) for org in held.organizations)
    assert held.next == secrets.next
    assert isinstance(held.next, NextKeys)


def test_a_sign_on_is_kept_and_shown_to_nobody(
    keystore: Keystore, known: MakeKnown, secrets: DeviceSecrets
) -> None:
    issuer = "https://login.example.com"
    kept = SignOnSecrets(issuer, "client", None, "who-it-is-there", "an-issuers-refresh-token")
    account = replace(known(), sign_on=issuer)
    keystore.add(account, replace(secrets, sign_on=kept))
    entry = keystore.open(keystore.find(), NoPasswords())
    assert entry.known == account
    assert entry.secrets.sign_on == kept
    stored = keystore.account_path(account.account).read_bytes()
    for secret in ("who-it-is-there", "an-issuers-refresh-token"):
        assert secret.encode() not in stored
        assert secret not in f"{entry!r} {kept!r} {entry.secrets!r}"
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(kept)

    other = keystore.open(keystore.find(), NoPasswords())
    newer = replace(kept, refresh_token="a-newer-one")
    other.change(lambda before: replace(before, sign_on=newer))
    entry.read_again()
    assert entry.secrets.sign_on == newer
    entry.sign_on_lock.touch()
    keystore.remove(account.account)
    assert not entry.sign_on_lock.exists()


def test_files_from_before_the_sign_on_read_as_ever(
    known: MakeKnown, secrets: DeviceSecrets
) -> None:
    # The file's other half authenticates this form, so it may not change.
    assert "sign_on" not in known().to_json()
    assert "sign_on" not in secrets.to_json()
    assert DeviceSecrets.from_json(secrets.to_json()) == secrets
