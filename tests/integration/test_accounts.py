"""Accounts against a real server, and against one that lies: sign-up, log-in, passwords, recovery.

A proxy between client and server alters answers where a story needs a hostile server.
"""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from sopor import account as accounts
from sopor.account import Account, Setup, read_kit, unlock
from sopor.crypto.account import AccountKeys, AccountSecret
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.errors import (
    InputNeeded,
    InvalidInput,
    InvalidValue,
    LoginFailed,
    NotFound,
    NotLoggedIn,
    ServerUnreachable,
    SessionExpired,
    SoporError,
    StateConflict,
    Weather,
    exit_code,
)
from sopor.keystore import FixedPassword, Keystore, NoPasswords, Protection
from sopor.remote import ServerAddress, Transport
from sopor.remote.retries import Retries
from sopor_core.account import AccountRecord, KdfParameters
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import RollbackError, VerificationError
from sopor_core.ids import DeviceId, OrgId, ServerId
from tests.support.server import RunningServer, running_server
from tests.support.tampering import Exchange, TamperingProxy, tampering_proxy

CHEAP = KdfParameters(m=65536, t=3, p=4)
PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "an entirely other password"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("accounts")
    with running_server(folder / "data", SOPOR_LOGIN_RATE="100000") as running:
        yield running


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[TamperingProxy]:
    with tampering_proxy(server.url) as running:
        yield running


def impatient(address: ServerAddress) -> Transport:
    return Transport(address, retries=Retries(times=1, base=0), sleep=lambda _seconds: None)


@dataclass
class Person:
    """Somebody with a recovery kit and devices; all of them talk through the proxy."""

    proxy: TamperingProxy
    folder: Path
    login: str

    @property
    def kit(self) -> Path:
        return self.folder / "kit.txt"

    def setup(self, name: str, **changes: Any) -> Setup:
        usual = Setup(
            keystore=Keystore(self.folder / name),
            device_name=name,
            protection=Protection.FILE,
            connect=impatient,
            costs=CHEAP,
        )
        return replace(usual, **changes)

    def register(self, device: str = "laptop", **changes: Any) -> accounts.RegisterResult:
        setup = self.setup(device, **changes)
        return accounts.register(setup, self.proxy.url, self.login, PASSWORD, self.kit)

    def log_in(
        self,
        device: str = "desktop",
        password: str = PASSWORD,
        secret_key: SecretKey | None = None,
        **changes: Any,
    ) -> accounts.LoginResult:
        key = secret_key or read_kit(self.kit).secret_key
        setup = self.setup(device, **changes)
        return accounts.login(setup, self.proxy.url, self.login, password, key)

    def open(self, device: str, password: str = PASSWORD) -> Account:
        return unlock(Keystore(self.folder / device), FixedPassword(password), connect=impatient)


@pytest.fixture
def person(proxy: TamperingProxy, tmp_path: Path) -> Person:
    """Somebody who is not registered yet, with a login name of the story's own."""
    return Person(proxy, tmp_path, f"ada.{token_hex(6)}@example.com")


@pytest.fixture
def ada(person: Person) -> Person:
    """Somebody with an account and one device, the laptop."""
    person.register()
    person.proxy.exchanges.clear()
    return person


@pytest.fixture(scope="module")
def registered(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A login name and a recovery kit for stories that change nothing about the account."""
    folder, login = tmp_path_factory.mktemp("registered"), f"ada.{token_hex(6)}@example.com"
    setup = Setup(Keystore(folder / "laptop"), protection=Protection.FILE, costs=CHEAP)
    accounts.register(setup, server.url, login, PASSWORD, folder / "kit.txt").account.close()
    return login, folder / "kit.txt"


@pytest.fixture
def victim(registered: tuple[str, Path], proxy: TamperingProxy, tmp_path: Path) -> Person:
    """Somebody with an account and a kit, but no device here yet."""
    login, kit = registered
    person = Person(proxy, tmp_path, login)
    person.kit.write_bytes(kit.read_bytes())
    return person


def answers_to(path: str, change: Callable[[Any], Any]) -> Callable[[Exchange], Exchange]:
    """Makes a lie: changes the JSON of every good answer to one path."""

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.path != path or exchange.status >= 300:
            return exchange
        return exchange.with_json(change(exchange.json))

    return tamper


def flipped(text: str) -> str:
    """Returns base64url with a bit of its first byte changed."""
    data = b64decode(text)
    return b64encode(bytes([data[0] ^ 1]) + data[1:])


# ----------------------------------------------------------------------------- the honest server


def test_registering_leaves_a_session_a_kit_and_an_organization(person: Person) -> None:
    result = person.register(protection=Protection.PASSWORD)
    kit = read_kit(person.kit)
    assert (kit.server, kit.login) == (person.proxy.url, person.login)
    assert kit.server_id == result.info.server_id
    assert kit.account == result.info.account
    assert stat.S_IMODE(person.kit.stat().st_mode) == 0o600
    account = person.open("laptop")
    assert account.personal_organization == result.organization
    assert account.organizations == (result.organization,)
    (device,) = accounts.devices(account)
    assert (device.id, device.name, device.current) == (account.device, "laptop", True)
    assert result.to_json()["kit"] == str(person.kit)
    account.close()


def test_a_second_device_gets_the_same_keys(ada: Person) -> None:
    kit = read_kit(ada.kit)
    setup = ada.setup("desktop")
    first = ada.open("laptop")
    second = accounts.login(
        setup, ada.proxy.url, ada.login.upper(), PASSWORD, kit.secret_key, kit.server_id
    )
    assert second.account.identity == first.identity
    assert second.account.keys.secret == first.keys.secret
    assert second.account.personal_organization == first.personal_organization
    assert second.first_contact is False
    assert second.account.device != first.device
    assert {device.name for device in accounts.devices(first)} == {"laptop", "desktop"}
    first.close()


def test_first_contact_without_a_server_id_is_told(ada: Person) -> None:
    assert ada.log_in("desktop").first_contact is True
    assert ada.log_in("desktop").first_contact is False


def test_logging_in_again_needs_no_secret_key_and_replaces_the_device(ada: Person) -> None:
    before = ada.open("laptop")
    after = accounts.login(ada.setup("laptop"), ada.proxy.url, ada.login, PASSWORD).account
    assert after.device != before.device
    (device,) = accounts.devices(after)
    assert device.id == after.device
    with pytest.raises(SessionExpired):
        before.remote.devices()
    before.close()
    after.close()


def test_a_new_device_without_the_secret_key_asks_for_it(ada: Person) -> None:
    with pytest.raises(InputNeeded, match="secret key"):
        accounts.login(ada.setup("desktop"), ada.proxy.url, ada.login, PASSWORD)
    assert ada.proxy.asked() == []


def test_a_command_that_follows_another_needs_one_request(ada: Person) -> None:
    ada.open("laptop").remote.projects()
    ada.open("laptop").remote.projects()
    assert ada.proxy.asked() == ["GET /v1/projects"] * 2


def test_organizations_and_the_server_can_be_asked_for_again(ada: Person) -> None:
    account = ada.open("laptop")
    own = account.personal_organization
    account.entry.change(lambda secrets: replace(secrets, organizations=()))
    assert account.refresh_organizations() == (own,)
    assert ada.open("laptop").organizations == (own,)
    assert account.remote.meta().server == account.server_id
    account.close()


def test_whoami_asks_nobody(ada: Person) -> None:
    (info,) = accounts.whoami(Keystore(ada.folder / "laptop"))
    assert (info.login, info.server, info.default) == (ada.login, ada.proxy.url, True)
    assert info.to_json()["server_id"] == info.server_id.hex()
    assert ada.proxy.asked() == []


def test_logging_out_revokes_the_device_and_forgets_the_secrets(ada: Person) -> None:
    keystore = Keystore(ada.folder / "laptop")
    other = ada.log_in("desktop").account
    result = accounts.logout(keystore, keystore.find(), NoPasswords(), impatient)
    assert result.revoked is True
    assert [device.name for device in accounts.devices(other)] == ["desktop"]
    assert not list((keystore.home / "accounts").iterdir())
    with pytest.raises(NotLoggedIn):
        keystore.find()
    other.close()


def test_logging_out_works_while_the_server_is_down(ada: Person) -> None:
    ada.proxy.tamper = lambda _exchange: None
    keystore = Keystore(ada.folder / "laptop")
    result = accounts.logout(keystore, keystore.find(), NoPasswords(), impatient)
    assert result.revoked is False
    assert keystore.accounts() == []


def test_logging_out_here_only_needs_no_password(person: Person) -> None:
    person.register(protection=Protection.PASSWORD)
    keystore = Keystore(person.folder / "laptop")
    with pytest.raises(InputNeeded):
        accounts.logout(keystore, keystore.find(), NoPasswords(), impatient)
    assert len(keystore.accounts()) == 1
    assert accounts.logout(keystore, keystore.find(), None).revoked is False
    assert keystore.accounts() == []


def test_a_revoked_device_gets_nothing_new(ada: Person) -> None:
    stolen = ada.log_in("stolen").account
    laptop = ada.open("laptop")
    accounts.revoke_device(laptop, accounts.find_device(laptop, "stolen").id)
    for _ in range(2):
        with pytest.raises(SessionExpired) as refused:
            stolen.remote.projects()
        assert exit_code(refused.value) == 6
        assert refused.value.hint == "run `sopor login`"
        stolen.entry.tokens.clear()
    assert accounts.devices(laptop)[0].current
    laptop.close()
    stolen.close()


def test_devices_are_found_by_id_start_or_name(ada: Person) -> None:
    laptop = ada.open("laptop")
    other = ada.log_in("desktop").account
    assert accounts.find_device(laptop, other.device.hex()).id == other.device
    assert accounts.find_device(laptop, other.device.short).id == other.device
    assert accounts.find_device(laptop, "desktop").id == other.device
    for word in ("", "nothing"):
        with pytest.raises(NotFound):
            accounts.find_device(laptop, word)
    ada.log_in("further", device_name="desktop")
    with pytest.raises(InvalidInput, match="means 2 devices"):
        accounts.find_device(laptop, "desktop")
    with pytest.raises(NotFound):
        accounts.revoke_device(laptop, DeviceId.random())
    laptop.close()


def test_an_expired_refresh_token_asks_to_log_in(ada: Person) -> None:
    account = ada.open("laptop")
    account.entry.change(lambda secrets: replace(secrets, refresh_token=b64encode(bytes(32))))
    account.entry.tokens.clear()
    with pytest.raises(SessionExpired, match="over") as refused:
        account.remote.projects()
    assert refused.value.hint == "run `sopor login`"
    account.close()


# -------------------------------------------------------------------------------------- mistakes


def test_wrong_password_secret_key_and_login_cannot_be_told_apart(ada: Person) -> None:
    stranger = replace(ada, login=f"nobody.{ada.login}")
    attempts: list[Callable[[], object]] = [
        lambda: ada.log_in("desktop", "a wrong password"),
        lambda: ada.log_in("desktop", secret_key=SecretKey.random()),
        lambda: stranger.log_in("desktop"),
    ]
    told = set()
    for attempt in attempts:
        with pytest.raises(LoginFailed) as refused:
            attempt()
        told.add((refused.value.message, refused.value.hint, refused.value.problem))
        assert exit_code(refused.value) == 6
    assert len(told) == 1
    assert not (ada.folder / "desktop").exists()


def test_an_unknown_login_is_answered_like_a_known_one(ada: Person) -> None:
    shapes = []
    for login in (ada.login, f"nobody.{ada.login}"):
        with pytest.raises(LoginFailed):
            replace(ada, login=login).log_in("desktop", "a wrong password")
        challenge, attempt = ada.proxy.exchanges[-2:]
        kdf = challenge.json["kdf"]
        shapes.append((sorted(challenge.json), sorted(kdf), attempt.status, attempt.json["code"]))
    assert shapes[0] == shapes[1]


def test_a_taken_login_name_leaves_no_kit(ada: Person) -> None:
    kit = ada.folder / "second-kit.txt"
    with pytest.raises(StateConflict, match="taken"):
        accounts.register(ada.setup("other"), ada.proxy.url, ada.login, PASSWORD, kit)
    assert not kit.exists()
    assert not (ada.folder / "other").exists()


@pytest.mark.parametrize(
    ("login", "password", "error"),
    [
        ("ada", "short", InvalidInput),
        ("a b", PASSWORD, InvalidValue),
        ("", PASSWORD, InvalidValue),
        ("ada", PASSWORD[:7] + "\ud800", InvalidValue),
    ],
)
def test_names_and_passwords_that_are_not_acceptable(
    person: Person, login: str, password: str, error: type[SoporError]
) -> None:
    with pytest.raises(error) as refused:
        accounts.register(person.setup("laptop"), person.proxy.url, login, password, person.kit)
    assert exit_code(refused.value) == 9
    assert not person.kit.exists()


def test_a_kit_is_never_overwritten(person: Person) -> None:
    person.kit.write_text("something else")
    with pytest.raises(StateConflict, match="never overwritten"):
        person.register()
    assert person.kit.read_text() == "something else"
    assert person.proxy.asked() == []


def test_registering_twice_on_one_device_is_told(ada: Person) -> None:
    ada.kit.rename(ada.folder / "old-kit.txt")
    with pytest.raises(StateConflict, match="known on this device"):
        ada.register()


def test_a_server_that_is_down_is_told(person: Person) -> None:
    person.proxy.http.server_close()
    person.proxy.http.shutdown()
    with pytest.raises(ServerUnreachable) as refused:
        person.register()
    assert exit_code(refused.value) == 8
    assert not person.kit.exists()


def test_a_closed_server_takes_no_accounts_and_no_kit_stays(person: Person, tmp_path: Path) -> None:
    with running_server(tmp_path / "closed", SOPOR_REGISTRATION="closed") as closed:
        with pytest.raises(SoporError, match="no registrations") as refused:
            accounts.register(person.setup("x"), closed.url, "ada", PASSWORD, person.kit)
        assert exit_code(refused.value) == 7
    assert not person.kit.exists()


# ---------------------------------------------------------------------------------- lost answers


def losing(method: str, path: str) -> Callable[[Exchange], Exchange | None]:
    """Makes a network that loses the answer to one request, which the server has carried out."""
    return lambda exchange: None if (exchange.method, exchange.path) == (method, path) else exchange


def test_a_registration_whose_answer_is_lost_ends_well(person: Person) -> None:
    person.proxy.tamper = losing("POST", "/v1/accounts")
    result = person.register()
    assert read_kit(person.kit).account == result.info.account
    assert result.account.remote.projects() == []
    result.account.close()
    assert person.proxy.asked().count("POST /v1/accounts") == 1


def test_a_registration_cut_off_keeps_the_kit_that_logs_in(person: Person) -> None:
    def cut(exchange: Exchange) -> Exchange | None:
        return exchange if exchange.path == "/v1/meta" else None

    person.proxy.tamper = cut
    with pytest.raises(ServerUnreachable) as refused:
        person.register()
    assert refused.value.hint is not None
    assert "keep the recovery kit" in refused.value.hint
    person.proxy.honest()
    account = person.log_in("laptop").account
    assert account.known.account == read_kit(person.kit).account


def test_a_password_change_whose_answer_is_lost_ends_well(ada: Person) -> None:
    account = ada.open("laptop")
    ada.proxy.tamper = losing("PUT", "/v1/account/credentials")
    result = accounts.change_password(account, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    assert result.n == 2
    account.close()
    ada.proxy.honest()
    assert ada.log_in("desktop", NEW_PASSWORD).account.known.n == 2


def test_while_a_password_change_is_uncertain_both_open_this_device(person: Person) -> None:
    person.register(protection=Protection.PASSWORD)
    account = person.open("laptop")
    account.remote.projects()

    def cut(exchange: Exchange) -> Exchange | None:
        changed = any(seen.method == "PUT" for seen in person.proxy.exchanges)
        return None if changed else exchange

    person.proxy.tamper = cut
    with pytest.raises(Weather):
        accounts.change_password(account, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    account.close()
    for password in (PASSWORD, NEW_PASSWORD):
        assert person.open("laptop", password).identity == account.identity
    person.proxy.honest()
    again = accounts.login(
        person.setup("laptop", protection=None), person.proxy.url, person.login, NEW_PASSWORD
    )
    assert again.account.known.n == 2
    with pytest.raises(LoginFailed):
        person.open("laptop", PASSWORD)


# ------------------------------------------------------------------------- passwords and recovery


def test_a_new_password_counts_everywhere(person: Person) -> None:
    person.register(protection=Protection.PASSWORD)
    account = person.open("laptop")
    result = accounts.change_password(account, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    assert (result.n, result.revoked) == (2, ())
    assert account.remote.projects() == []
    account.close()
    with pytest.raises(LoginFailed):
        person.open("laptop", PASSWORD)
    assert person.open("laptop", NEW_PASSWORD).known.n == 2
    with pytest.raises(LoginFailed):
        person.log_in("desktop", PASSWORD)
    assert person.log_in("desktop", NEW_PASSWORD).account.identity == account.identity


def test_a_new_password_can_log_out_all_others(ada: Person) -> None:
    other = ada.log_in("desktop").account
    laptop = ada.open("laptop")
    result = accounts.change_password(
        laptop, PASSWORD, NEW_PASSWORD, revoke_others=True, costs=CHEAP
    )
    assert result.revoked == (other.device,)
    assert result.to_json()["revoked"] == [other.device.hex()]
    assert len(accounts.devices(laptop)) == 1
    laptop.close()


def test_the_present_password_must_be_right(ada: Person) -> None:
    account = ada.open("laptop")
    with pytest.raises(LoginFailed, match="present password"):
        accounts.change_password(account, "a wrong password", NEW_PASSWORD, costs=CHEAP)
    with pytest.raises(InvalidInput):
        accounts.change_password(account, PASSWORD, "short", costs=CHEAP)
    assert "PUT /v1/account/credentials" not in ada.proxy.asked()
    account.close()


def test_another_device_with_the_old_password_is_helped_on(person: Person) -> None:
    person.register(protection=Protection.PASSWORD)
    person.log_in("desktop", protection=Protection.PASSWORD)
    laptop = person.open("laptop")
    accounts.change_password(laptop, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    laptop.close()
    desktop = person.setup("desktop", protection=None)
    assert person.open("desktop", PASSWORD).identity == laptop.identity
    with pytest.raises(LoginFailed, match="keystore of this device") as refused:
        accounts.login(desktop, person.proxy.url, person.login, NEW_PASSWORD)
    assert refused.value.hint is not None
    assert "--kit" in refused.value.hint
    kit = read_kit(person.kit)
    accounts.login(desktop, person.proxy.url, person.login, NEW_PASSWORD, kit.secret_key)
    assert person.open("desktop", NEW_PASSWORD).known.protection is Protection.PASSWORD


def test_the_kit_recovers_an_account_and_is_replaced(ada: Person) -> None:
    old, new_path = read_kit(ada.kit), ada.folder / "new-kit.txt"
    laptop = ada.open("laptop")
    assert old.recovery_key is not None
    result = accounts.recover(
        ada.setup("rescue"),
        ada.proxy.url,
        ada.login,
        old.recovery_key,
        NEW_PASSWORD,
        new_path,
        old.server_id,
        revoke_others=True,
    )
    new = read_kit(new_path)
    assert stat.S_IMODE(new_path.stat().st_mode) == 0o600
    assert (new.account, new.server_id, new.login) == (old.account, old.server_id, old.login)
    assert new.secret_key != old.secret_key
    assert new.recovery_key != old.recovery_key
    assert result.account.identity == laptop.identity
    assert result.account.personal_organization == laptop.personal_organization
    assert (result.n, result.revoked) == (2, (laptop.device,))
    assert ada.log_in("desktop", NEW_PASSWORD, new.secret_key).account.identity == laptop.identity
    for password, key in ((PASSWORD, old.secret_key), (NEW_PASSWORD, old.secret_key)):
        with pytest.raises(LoginFailed):
            ada.log_in("desktop", password, key)
    with pytest.raises(LoginFailed, match="recovery key is wrong"):
        recover(ada, old.recovery_key, ada.folder / "third-kit.txt")
    assert not (ada.folder / "third-kit.txt").exists()


def recover(person: Person, key: RecoveryKey | None, kit: Path) -> accounts.RecoverResult:
    """Recovers on a device called rescue."""
    assert key is not None
    setup = person.setup("rescue")
    return accounts.recover(setup, person.proxy.url, person.login, key, NEW_PASSWORD, kit)


def test_a_recovery_cut_off_leaves_both_kits(ada: Person) -> None:
    old, new_path = read_kit(ada.kit), ada.folder / "new-kit.txt"

    def cut(exchange: Exchange) -> Exchange | None:
        changed = any(seen.method == "PUT" for seen in ada.proxy.exchanges)
        return None if changed else exchange

    ada.proxy.tamper = cut
    with pytest.raises(Weather) as refused:
        recover(ada, old.recovery_key, new_path)
    assert refused.value.hint is not None
    assert "keep both recovery kits" in refused.value.hint
    ada.proxy.honest()
    new = read_kit(new_path)
    assert ada.log_in("desktop", NEW_PASSWORD, new.secret_key).account.known.n == 2


def test_a_recovery_that_the_server_refuses_leaves_the_old_kit(ada: Person) -> None:
    old, new_path = read_kit(ada.kit), ada.folder / "new-kit.txt"

    def refuse(exchange: Exchange) -> Exchange:
        return replace(exchange, status=422, body=b"") if exchange.method == "PUT" else exchange

    ada.proxy.tamper = refuse
    with pytest.raises(SoporError) as refused:
        recover(ada, old.recovery_key, new_path)
    assert exit_code(refused.value) == 7
    assert not new_path.exists()


# ------------------------------------------------------------------------------ the lying server


def expect_refusal(
    person: Person, layer: str, device: str = "desktop", password: str = PASSWORD
) -> VerificationError:
    """Logs in, which must be refused by this layer and leave nothing behind."""
    before = sorted((person.folder / device).rglob("*"))
    with pytest.raises(VerificationError) as refused:
        person.log_in(device, password)
    assert refused.value.layer == layer
    assert sorted((person.folder / device).rglob("*")) == before
    return refused.value


@pytest.mark.parametrize(
    "kdf",
    [
        {"m": 65535},
        {"m": 8},
        {"t": 2},
        {"p": 0},
        {"m": 2**21},
        {"t": 17},
        {"alg": "argon2i"},
        {"alg": "none"},
    ],
)
def test_weaker_password_hashing_is_refused_before_anything_is_computed(
    victim: Person, kdf: dict[str, object]
) -> None:
    victim.proxy.tamper = answers_to(
        "/v1/login/challenge", lambda body: {**body, "kdf": {**body["kdf"], **kdf}}
    )
    expect_refusal(victim, "kdf")
    assert victim.proxy.asked() == ["POST /v1/login/challenge"]


def test_password_hashing_weaker_than_before_is_refused(person: Person) -> None:
    person.register(protection=Protection.FILE)
    keystore = Keystore(person.folder / "laptop")
    entry = keystore.open(keystore.find(), NoPasswords())
    entry.change(known=lambda known: replace(known, kdf=KdfParameters(m=131072, t=3, p=4)))
    error = expect_refusal(person, "kdf", "laptop")
    assert "weaker" in error.message
    assert person.proxy.asked()[-1] == "POST /v1/login/challenge"


def test_another_server_at_the_same_address_is_refused(ada: Person) -> None:
    other = ServerId.random().b64
    ada.proxy.tamper = answers_to("/v1/login/challenge", lambda body: {**body, "server": other})
    error = expect_refusal(ada, "account", "laptop")
    assert "another server answers" in error.message
    kit = read_kit(ada.kit)
    with pytest.raises(VerificationError, match="another server answers"):
        accounts.login(
            ada.setup("desktop"), ada.proxy.url, ada.login, PASSWORD, kit.secret_key, kit.server_id
        )
    account = ada.open("laptop")
    with pytest.raises(VerificationError, match="another server answers"):
        accounts.change_password(account, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    account.close()
    assert "POST /v1/login" not in ada.proxy.asked()


def test_another_account_under_a_known_login_name_is_refused(ada: Person) -> None:
    other = read_kit(ada.kit).account
    assert other is not None
    ada.proxy.tamper = answers_to(
        "/v1/login/challenge", lambda body: {**body, "account": flipped(other.b64)}
    )
    error = expect_refusal(ada, "account", "laptop")
    assert "is another account than the one known" in error.message
    assert ada.proxy.asked() == ["POST /v1/login/challenge"]


def test_a_lie_about_the_server_at_first_contact_makes_the_proof_worthless(victim: Person) -> None:
    other = ServerId.random().b64
    victim.proxy.tamper = answers_to("/v1/login/challenge", lambda body: {**body, "server": other})
    with pytest.raises(LoginFailed):
        victim.log_in("desktop")


def forged_record(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Returns a session with the record of an attacker who signs for the same account id."""
    keys = AccountKeys(AccountSecret.random())
    identity = replace(keys.identity, **changes)
    record = AccountRecord(identity, body["record"]["login"], 1).sign(keys)
    return {**body, "record": record.to_json()}


def test_the_record_of_another_account_is_refused(victim: Person) -> None:
    victim.proxy.tamper = answers_to("/v1/login", forged_record)
    expect_refusal(victim, "account")


def test_other_keys_under_the_same_account_id_are_refused(victim: Person) -> None:
    account = read_kit(victim.kit).account
    victim.proxy.tamper = answers_to("/v1/login", lambda body: forged_record(body, account=account))
    expect_refusal(victim, "account")


@pytest.mark.parametrize("part", ["login", "created", "sig"])
def test_a_changed_record_is_refused(victim: Person, part: str) -> None:
    changes = {"login": "eve@example.com", "created": 7, "sig": b64encode(bytes(64))}

    def change(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "record": {**body["record"], part: changes[part]}}

    victim.proxy.tamper = answers_to("/v1/login", change)
    expect_refusal(victim, "signature")


@pytest.mark.parametrize(
    ("part", "layer"),
    [
        ("secret", "account"),
        ("login_key", "account"),
        ("recovery_key", "signature"),
        ("recovery_secret", "signature"),
        ("sig", "signature"),
    ],
)
def test_changed_credentials_are_refused(victim: Person, part: str, layer: str) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        credentials = body["credentials"]
        return {**body, "credentials": {**credentials, part: flipped(credentials[part])}}

    victim.proxy.tamper = answers_to("/v1/login", change)
    expect_refusal(victim, layer)


@pytest.mark.parametrize(
    "change", [{"n": 2}, {"kdf": {"alg": "argon2id", "m": 65537, "t": 3, "p": 4}}]
)
def test_renumbered_credentials_do_not_open(victim: Person, change: dict[str, object]) -> None:
    victim.proxy.tamper = answers_to(
        "/v1/login", lambda body: {**body, "credentials": {**body["credentials"], **change}}
    )
    expect_refusal(victim, "account")


def test_credentials_of_another_account_are_refused(victim: Person, tmp_path: Path) -> None:
    eve = replace(victim, folder=tmp_path / "eve", login=f"eve.{token_hex(6)}@example.com")
    eve.folder.mkdir()
    eve.register()
    theirs = eve.open("laptop").remote.account().credentials.to_json()
    victim.proxy.tamper = answers_to("/v1/login", lambda body: {**body, "credentials": theirs})
    expect_refusal(victim, "account")


def test_older_credentials_than_seen_are_a_rollback(ada: Person) -> None:
    account = ada.open("laptop")
    old = account.remote.account()
    accounts.change_password(account, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    rolled_back = {"record": old.record.to_json(), "credentials": old.credentials.to_json()}

    def roll_back(exchange: Exchange) -> Exchange:
        if exchange.path in ("/v1/login", "/v1/account") and exchange.status == 200:
            return exchange.with_json({**exchange.json, **rolled_back})
        return exchange

    ada.proxy.tamper = roll_back
    with pytest.raises(RollbackError) as refused:
        accounts.change_password(account, NEW_PASSWORD, PASSWORD, costs=CHEAP)
    assert exit_code(refused.value) == 11
    account.close()


def test_a_server_restored_from_before_a_password_change_is_noticed_at_login(
    ada: Person,
) -> None:
    keystore = Keystore(ada.folder / "laptop")
    entry = keystore.open(keystore.find(), NoPasswords())
    entry.change(known=lambda known: replace(known, n=2))
    with pytest.raises(RollbackError) as refused:
        ada.log_in("laptop")
    assert exit_code(refused.value) == 11
    assert keystore.find().device == entry.known.device


def test_a_session_of_another_device_is_refused(victim: Person) -> None:
    other = DeviceId.random().b64
    victim.proxy.tamper = answers_to("/v1/login", lambda body: {**body, "device": other})
    expect_refusal(victim, "wire")


@pytest.mark.parametrize("path", ["/v1/login/challenge", "/v1/login"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"account": 1}', b"\xff", b"[" * 100_000])
def test_answers_out_of_shape_are_refused(victim: Person, path: str, body: bytes) -> None:
    victim.proxy.tamper = lambda exchange: (
        replace(exchange, body=body) if exchange.path == path else exchange
    )
    expect_refusal(victim, "wire")


def test_a_foreign_organization_does_not_become_the_own_one(victim: Person, tmp_path: Path) -> None:
    eve = replace(victim, folder=tmp_path / "eve", login=f"eve.{token_hex(6)}@example.com")
    eve.folder.mkdir()
    eves = eve.register()
    log = eves.account.remote.organizations.entries(eves.organization)
    eves.account.close()

    def plant(exchange: Exchange) -> Exchange:
        if exchange.path == "/v1/login" and exchange.status == 200:
            return exchange.with_json({**exchange.json, "organizations": [eves.organization.b64]})
        if eves.organization.b64 in exchange.path:
            header = b"\x02" + len(log[0]).to_bytes(4, "big")
            return replace(
                exchange,
                status=200,
                media_type="application/vnd.sopor.parts",
                body=header + log[0],
            )
        return exchange

    victim.proxy.tamper = plant
    account = victim.log_in("desktop").account
    with pytest.raises(InvalidInput, match="no personal organization"):
        _ = account.personal_organization


def test_a_genesis_under_a_wrong_organization_is_refused(victim: Person) -> None:
    wrong = OrgId.random()

    def rename(exchange: Exchange) -> Exchange:
        if exchange.path == "/v1/login" and exchange.status == 200:
            own = exchange.json["organizations"][0]
            victim.proxy.rewrite = {wrong.b64: own}
            return exchange.with_json({**exchange.json, "organizations": [wrong.b64]})
        return exchange

    victim.proxy.tamper = rename
    with pytest.raises(VerificationError) as refused:
        victim.log_in("desktop")
    assert refused.value.layer == "membership"


# ------------------------------------------------------------------------------ secrets stay secret


def test_no_error_and_no_answer_shows_a_secret(ada: Person) -> None:
    kit = read_kit(ada.kit)
    assert kit.secret_key is not None
    assert kit.recovery_key is not None
    account = ada.open("laptop")
    secrets = account.entry.secrets
    shown = [repr(value) for value in (account, account.remote, account.remote.session, kit, ada)]

    def attempt(lie: Callable[[Exchange], Exchange | None], action: Callable[[], object]) -> None:
        ada.proxy.tamper = lie
        try:
            shown.append(repr(action()))
        except SoporError as error:
            shown.append("".join(traceback.format_exception(error)))
            shown.append(repr([error, error.hint, str(error)]))
        ada.proxy.honest()

    def garbage(exchange: Exchange) -> Exchange:
        return replace(exchange, body=exchange.body[:-20])

    for lie in (lambda exchange: exchange, garbage, lambda _exchange: None):
        attempt(lie, lambda: ada.log_in("desktop"))
        attempt(lie, lambda: ada.log_in("desktop", PASSWORD[::-1]))
        attempt(lie, lambda: accounts.change_password(account, PASSWORD[::-1], NEW_PASSWORD))
        attempt(lie, lambda: recover(ada, kit.recovery_key, ada.folder / f"kit-{len(shown)}"))
        account.entry.tokens.clear()
        attempt(lie, account.remote.projects)
    text = "\n".join(shown)
    token = account.entry.tokens.load()
    hidden = [
        PASSWORD,
        PASSWORD[::-1],
        NEW_PASSWORD,
        kit.secret_key.to_text(),
        kit.recovery_key.to_text(),
        secrets.refresh_token,
        secrets.account_secret.reveal().hex(),
        b64encode(secrets.account_secret.reveal()),
        repr(secrets.account_secret.reveal()),
        *([token.value] if token else []),
    ]
    assert not [secret for secret in hidden if secret in text]
    account.close()


def test_the_server_never_sees_password_or_written_keys(ada: Person, server: RunningServer) -> None:
    ada.log_in("desktop")
    account = ada.open("laptop")
    accounts.change_password(account, PASSWORD, NEW_PASSWORD, costs=CHEAP)
    account.close()
    kit = read_kit(ada.kit)
    assert kit.secret_key is not None
    assert kit.recovery_key is not None
    sent = b"".join(exchange.sent for exchange in ada.proxy.exchanges)
    stored = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
    secret = account.entry.secrets.account_secret.reveal()
    for hidden in (
        PASSWORD.encode(),
        NEW_PASSWORD.encode(),
        kit.secret_key.to_text().encode(),
        kit.secret_key.reveal(),
        b64encode(kit.secret_key.reveal()).encode(),
        kit.recovery_key.reveal(),
        b64encode(kit.recovery_key.reveal()).encode(),
        secret,
        b64encode(secret).encode(),
    ):
        assert hidden not in sent
        assert hidden not in stored + server.log.read_bytes()


REFRESH = """
import sys
from pathlib import Path
from sopor.account import unlock
from sopor.keystore import Keystore, NoPasswords
account = unlock(Keystore(Path(sys.argv[1])), NoPasswords())
for _ in range(5):
    account.entry.tokens.clear()
    assert account.remote.projects() == []
account.close()
"""


def test_processes_that_renew_at_once_all_go_on(ada: Person) -> None:
    command = [sys.executable, "-c", REFRESH, str(ada.folder / "laptop")]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]


def test_json_forms_hold_no_secrets(ada: Person) -> None:
    secrets = ada.open("laptop").entry.secrets
    forms = json.dumps([ada.log_in("desktop").to_json()])
    assert secrets.refresh_token not in forms
    assert secrets.secret_key.to_text() not in forms
