"""Registers an account: makes its keys, writes the recovery kit, and only then tells the server.

Ordering: kit, server, keystore. A crash after the first leaves a kit of an account that does not
exist, which harms nobody; after the second, the kit logs in.
"""

from __future__ import annotations

from pathlib import Path

from sopor.account.logging_in import admit
from sopor.account.recovery_kit import RecoveryKit, check_kit_path, kit_date, write_kit
from sopor.account.results import AccountInfo, RegisterResult
from sopor.account.setup import (
    Admission,
    Setup,
    check_new_password,
    remember_personal,
    store,
)
from sopor.account.signing_on import SignedOn, sign_on_to_register
from sopor.crypto.founding import genesis_entry
from sopor.crypto.registration import NewAccount, new_account
from sopor.errors import ServerRefused, SoporError, StateConflict, Weather
from sopor.records import dataclass
from sopor.remote import ServerAddress
from sopor.remote.listings import ServerMeta
from sopor.remote.login import LoginApi, NewDevice
from sopor_core.ids import OrgId
from sopor_core.membership import MembershipEntry
from sopor_core.names import normalize_login
from sopor_core.wire.routes import PROTOCOL


def register(
    setup: Setup, server: str, login: str, password: str, kit_path: Path
) -> RegisterResult:
    """Creates an account on a server, with its personal organization and a session here.

    Args:
        setup: where secrets go.
        server: the server's address.
        login: the login name, in any case.
        password: as typed.
        kit_path: the file for the recovery kit; it must not exist.

    Raises:
        InvalidInput, InvalidValue: address, login name or password are not acceptable.
        StateConflict: the login name is taken, or the kit's file exists.
        SignOnFailed, InputNeeded: nobody signed on at the server's issuer, where it asks for that.
        Weather: the server cannot be reached. The account may exist then: the kit is kept.
        SoporError: anything else; the kit is deleted, as no account came of it.
    """
    address, name = setup.address(server), normalize_login(login)
    check_new_password(password)
    check_kit_path(kit_path)
    if setup.known(address, name):
        raise StateConflict(
            f"{name} at {address} is known on this device", hint="run `sopor login`"
        )
    transport = setup.connect(address)
    try:
        api = LoginApi(transport)
        meta = _compatible(api.meta())
        device = setup.new_device()
        signed_on = sign_on_to_register(api, setup, meta, name, device)
        new = new_account(name, password, setup.clock(), setup.costs)
        genesis = genesis_entry(
            new.access.keys, new.record.login, new.record.login, "personal", setup.clock()
        )
        write_kit(kit_path, _kit(address, meta, new))
        created = _Registration(api, setup, address, meta, new, device, signed_on)
        admission = created.create(genesis, password, kit_path)
    finally:
        transport.close()
    account = store(setup, admission, password)
    org = OrgId(genesis.hash)
    remember_personal(account, org)
    return RegisterResult(account, AccountInfo.of(account.known, setup.keystore), org, kit_path)


def _compatible(meta: ServerMeta) -> ServerMeta:
    if not meta.protocol_min <= PROTOCOL <= meta.protocol_max:
        raise ServerRefused(
            f"the server speaks protocol {meta.protocol_min} to {meta.protocol_max}, "
            f"this program {PROTOCOL}",
            hint="upgrade whichever is older",
        )
    return meta


def _kit(address: ServerAddress, meta: ServerMeta, new: NewAccount) -> RecoveryKit:
    return RecoveryKit(
        server=str(address),
        server_id=meta.server,
        login=new.record.login,
        account=new.record.identity.account,
        secret_key=new.access.secret_key,
        recovery_key=new.access.recovery_key,
        created=kit_date(new.record.created),
    )


@dataclass(frozen=True, slots=True)
class _Registration:
    """A registration that is ready to be sent."""

    api: LoginApi
    setup: Setup
    address: ServerAddress
    meta: ServerMeta
    new: NewAccount
    device: NewDevice
    signed_on: SignedOn | None

    def create(self, genesis: MembershipEntry, password: str, kit_path: Path) -> Admission:
        """Creates the account; without an account the kit is deleted."""
        record, access, signed_on = self.new.record, self.new.access, self.signed_on
        sent = (signed_on.id_token, signed_on.challenge) if signed_on else None
        try:
            session = self.api.create(
                record, access.credentials, genesis.encoded, self.device, sent
            )
        except Weather as lost:
            return self._admit_after_lost_answer(password, lost)
        except SoporError:
            kit_path.unlink(missing_ok=True)
            raise
        return Admission(
            self.address,
            self.meta.server,
            self.device,
            session,
            access.keys,
            access.secret_key,
            signed_on.secrets if signed_on else None,
        )

    def _admit_after_lost_answer(self, password: str, lost: Weather) -> Admission:
        """Logs in, in case that the account was created and only the answer was lost."""
        secret_key, login = self.new.access.secret_key, self.new.record.login
        try:
            return admit(self.api, self.setup, self.address, login, password, secret_key)
        except SoporError:
            raise type(lost)(
                lost.message,
                hint=f"{lost.hint}; keep the recovery kit: the account may have been created, "
                "which `sopor login` with the kit tells",
            ) from None
