"""What the use cases of accounts answer: frozen values, with a JSON form without secrets.

Where an answer holds an unlocked `Account`, its connection is not open yet. Ids are lower-case
hexadecimal in the JSON form, as people see them.
"""

from __future__ import annotations

from pathlib import Path

from sopor.account.unlocked import Account
from sopor.keystore import Keystore, KnownAccount, Protection
from sopor.records import dataclass
from sopor_core.canonical import Json
from sopor_core.ids import AccountId, DeviceId, OrgId, ServerId


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account of this device; ``default`` says that it is meant where none is named.

    ``sign_on`` is the issuer at which the person signed on, if it was so.
    """

    login: str
    server: str
    server_id: ServerId
    account: AccountId
    device: DeviceId
    device_name: str
    protection: Protection
    default: bool = False
    sign_on: str | None = None

    @classmethod
    def of(cls, known: KnownAccount, keystore: Keystore) -> AccountInfo:
        """Makes the answer from the keystore's; raises DamagedStore."""
        return cls(
            known.login,
            known.server,
            known.server_id,
            known.account,
            known.device,
            known.device_name,
            known.protection,
            keystore.default == known.account,
            known.sign_on,
        )

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            "login": self.login,
            "server": self.server,
            "server_id": self.server_id.hex(),
            "account": self.account.hex(),
            "device": self.device.hex(),
            "device_name": self.device_name,
            "protection": str(self.protection),
            "default": self.default,
            "sign_on": self.sign_on,
        }


@dataclass(frozen=True, slots=True)
class RegisterResult:
    """A new account, unlocked; ``kit`` is the file with its recovery kit."""

    account: Account
    info: AccountInfo
    organization: OrgId
    kit: Path

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            **self.info.to_json(),
            "organization": self.organization.hex(),
            "kit": str(self.kit),
        }


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A session on this device; ``first_contact`` says that nothing told who the server is."""

    account: Account
    info: AccountInfo
    organizations: tuple[OrgId, ...]
    first_contact: bool

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            **self.info.to_json(),
            "organizations": [org.hex() for org in self.organizations],
            "first_contact": self.first_contact,
        }


@dataclass(frozen=True, slots=True)
class LogoutResult:
    """An account that this device forgot; ``revoked`` says whether the server knows of it."""

    login: str
    server: str
    device: DeviceId
    revoked: bool

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            "login": self.login,
            "server": self.server,
            "device": self.device.hex(),
            "revoked": self.revoked,
        }


@dataclass(frozen=True, slots=True)
class PasswordResult:
    """A changed password: the number of the credentials, and the devices logged out by it."""

    login: str
    n: int
    revoked: tuple[DeviceId, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            "login": self.login,
            "n": self.n,
            "revoked": [device.hex() for device in self.revoked],
        }


@dataclass(frozen=True, slots=True)
class RecoverResult:
    """A recovered account; ``kit`` is the new recovery kit, the old one is worth nothing now."""

    account: Account
    info: AccountInfo
    n: int
    kit: Path
    revoked: tuple[DeviceId, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            **self.info.to_json(),
            "n": self.n,
            "kit": str(self.kit),
            "revoked": [device.hex() for device in self.revoked],
        }
