"""Recovers an account with its recovery key: new password, new secret key, new recovery kit.

Ordering: the new kit is written before the server learns of the new credentials. Until it does, the
old kit is the good one; afterwards the new one is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sopor.account.logging_in import check_session, credentials_seen, remembered, settle
from sopor.account.managing import revoke_others as revoke_other_devices
from sopor.account.passwords import publish
from sopor.account.recovery_kit import RecoveryKit, check_kit_path, kit_date, write_kit
from sopor.account.results import AccountInfo, RecoverResult
from sopor.account.setup import (
    Admission,
    Setup,
    ask_challenge,
    check_new_password,
    check_server,
)
from sopor.account.signing_on import open_session
from sopor.crypto.account import AccountKeys, LoginKeys, recovery_keys
from sopor.crypto.registration import NewAccess, renew_access, unlock_by_recovery
from sopor.crypto.written_keys import RecoveryKey
from sopor.errors import LoginFailed, SoporError, Weather
from sopor.keystore import SignOnSecrets
from sopor.remote import Remote, ServerAddress, Session, Transport
from sopor.remote.login import Challenge, LoginApi, NewDevice, NewSession
from sopor.remote.session import MemoryTokens
from sopor_core.account import Action
from sopor_core.ids import ServerId
from sopor_core.names import normalize_login


def recover(
    setup: Setup,
    server: str,
    login: str,
    recovery_key: RecoveryKey,
    password: str,
    kit_path: Path,
    server_id: ServerId | None = None,
    *,
    revoke_others: bool = False,
) -> RecoverResult:
    """Opens an account without its password and gives it a new one, and new written keys.

    Args:
        setup: where secrets go.
        server: the server's address.
        login: the login name, in any case.
        recovery_key: from the recovery kit.
        password: the new password as typed.
        kit_path: the file for the new recovery kit; it must not exist.
        server_id: whom the old kit names as the server.
        revoke_others: whether to log out all other devices.

    Raises:
        LoginFailed: the login name or the recovery key is wrong.
        InvalidInput, InvalidValue, StateConflict: the password, or the place for the kit.
        RollbackError, VerificationError: what the server gives is not this person's.
        Weather: the server cannot be reached; it may have taken the new kit's keys.
    """
    address, name = setup.address(server), normalize_login(login)
    check_new_password(password)
    check_kit_path(kit_path)
    transport = setup.connect(address)
    try:
        admission = _recover(
            _Recovery(setup, transport, name, recovery_key, server_id), password, kit_path
        )
    finally:
        transport.close()
    known = setup.known(address, name)
    before = remembered(setup, known, password, needed=False)
    account = settle(setup, admission, password, before)
    with account:
        revoked = revoke_other_devices(account) if revoke_others else ()
    info = AccountInfo.of(account.known, setup.keystore)
    return RecoverResult(account, info, account.known.n, kit_path, revoked)


def _recover(recovery: _Recovery, password: str, kit_path: Path) -> Admission:
    recovery.log_in()
    access = recovery.renew(password)
    write_kit(kit_path, recovery.kit(access))
    try:
        recovery.publish(access)
    except Weather as lost:
        raise type(lost)(
            lost.message,
            hint=f"{lost.hint}; keep both recovery kits and log in with the new one: "
            "if that fails, the old one still counts",
        ) from None
    except SoporError:
        kit_path.unlink(missing_ok=True)
        raise
    return recovery.admission(access)


class _Recovery:
    """The steps of one recovery, each of which needs what the one before found."""

    def __init__(
        self,
        setup: Setup,
        transport: Transport,
        login: str,
        recovery_key: RecoveryKey,
        server_id: ServerId | None,
    ) -> None:
        self._setup = setup
        self._transport = transport
        self._api = LoginApi(transport)
        self._login = login
        self._recovery_key = recovery_key
        self._server_id = server_id
        self._keys: LoginKeys = recovery_keys(recovery_key)
        self._device: NewDevice = setup.new_device()
        self._challenge: Challenge
        self._session: NewSession
        self._signed_on: SignOnSecrets | None
        self._account_keys: AccountKeys

    @property
    def address(self) -> ServerAddress:
        """The server's address."""
        return self._transport.address

    def log_in(self) -> None:
        """Opens a session and verifies that it is of the account of this recovery key."""
        challenge = ask_challenge(self._api, self._setup, self.address, self._login, Action.RECOVER)
        check_server(challenge.server, self._server_id, self.address)
        try:
            session, self._signed_on = open_session(
                self._api,
                self._setup,
                self._keys,
                challenge,
                self._login,
                Action.RECOVER,
                self._device,
            )
        except LoginFailed as error:
            raise LoginFailed(
                "the login name or the recovery key is wrong",
                hint="take both from the newest recovery kit",
                problem=error.problem,
            ) from None
        check_session(session, challenge)
        records = session.account
        self._challenge, self._session = challenge, session
        self._account_keys = unlock_by_recovery(
            self._recovery_key,
            records.record,
            records.credentials,
            self._login,
            credentials_seen(self._setup, challenge),
        )

    def renew(self, password: str) -> NewAccess:
        """Makes the new credentials and written keys."""
        present, costs = self._session.account.credentials, self._setup.costs
        return renew_access(self._account_keys, present, self._login, password, costs)

    def kit(self, access: NewAccess) -> RecoveryKit:
        """Returns the new kit."""
        return RecoveryKit(
            server=str(self.address),
            server_id=self._challenge.server,
            login=self._login,
            account=self._account_keys.identity.account,
            secret_key=access.secret_key,
            recovery_key=access.recovery_key,
            created=kit_date(self._setup.clock()),
        )

    def publish(self, access: NewAccess) -> None:
        """Replaces the credentials on the server."""
        tokens = MemoryTokens()
        refresh_token = self._session.refresh_token
        session = Session(self._transport, self._device.id, refresh_token, tokens)
        session.keep(self._session.grant)
        remote = Remote(self._transport, session)
        publish(remote, self._login, self._challenge.server, access.credentials, self._keys)

    def admission(self, access: NewAccess) -> Admission:
        """Returns the session with the credentials that are in force now."""
        account = replace(self._session.account, credentials=access.credentials)
        session = replace(self._session, account=account)
        return Admission(
            self.address,
            self._challenge.server,
            self._device,
            session,
            self._account_keys,
            access.secret_key,
            self._signed_on,
        )
