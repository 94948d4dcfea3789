"""The settings of a server, from the environment; all mistakes are told at once.

    SOPOR_DATA             folder of database, packs and secret (default: the user's data folder)
    SOPOR_QUOTA_BYTES      most bytes that one organization may store, 0 for no limit (10 GiB)
    SOPOR_QUOTA_SEATS      most members and open invites of one organization, 0 for no limit (0)
    SOPOR_QUOTA_PROJECTS   most projects of one organization, 0 for no limit (0)
    SOPOR_LICENSE_KEY      public key of the licenses that give an organization other limits, as
                           `sopor-server license new-key` prints it (none: licenses are refused)
    SOPOR_REGISTRATION     `open` or `closed`: may anybody register? (open)
    SOPOR_LOGIN_RATE       requests to log in or register from one address in a minute (600)
    SOPOR_REQUEST_RATE     requests in a minute: of one account, or from one address without a token
                           that is valid; each process counts for itself (6000)
    SOPOR_TRUSTED_PROXIES  how many proxies in front append to X-Forwarded-For (0)
    SOPOR_THREADS          requests that `sopor-server` works on at once (16)
    SOPOR_RESTORE_DAYS     for how many days back a backup may be restored: what it could need is
                           kept by the housekeeping (7)
    SOPOR_EVENTS_URL       where streams of events are served, if not by `sopor-server` at a port of
                           its own that clients reach: https://events.example.com
    SOPOR_EVENTS_PORT      the port of the same host where they are; `sopor-server` sets it itself
    SOPOR_EVENTS_STREAMS   most streams of one process at once (2000)
    SOPOR_EVENTS_QUIET     after how many seconds without news a stream ends and its client polls, 0
                           for never (0; on Google Cloud 120)
    SOPOR_LOG              `info`, `warning` (failures only) or `off` (info)

    SOPOR_SSO              `off`, `optional` or `required`: who signs on at an OpenID issuer (off)
    SOPOR_SSO_ISSUER       the issuer, as it names itself: https://login.example.com
    SOPOR_SSO_CLIENT_ID    the id of the client that is registered there, a desktop program
    SOPOR_SSO_DOMAINS      whose addresses may sign on: `example.com,example.org`, or `*` for all
                           people of the issuer
    SOPOR_SSO_CLIENT_SECRET  for issuers that ask desktop programs for one; it goes to every client
    SOPOR_SSO_MAX_AGE      how many seconds old an ID token may be (300)
    SOPOR_SSO_PORT         the port that clients wait on, for issuers that want to know it; 0 for
                           any (0)

In brackets stands what holds where nothing is set. On Google Cloud five more are set, and nothing
is kept in SOPOR_DATA:

    GOOGLE_CLOUD_PROJECT   id of the Google Cloud project
    SOPOR_DATABASE         id of the Firestore database
    SOPOR_BUCKET           name of the Cloud Storage bucket
    SOPOR_SERVER_ID        the server's id: 16 bytes as base64url without padding
    SOPOR_SERVER_SECRET    the server's secret: 32 bytes in that form

FIRESTORE_EMULATOR_HOST and STORAGE_EMULATOR_HOST name emulators instead of Google's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from sopor_core.encoding import b64decode
from sopor_core.errors import InvalidValue, VerificationError
from sopor_core.ids import ServerId
from sopor_core.sign_on import check_issuer_url
from sopor_core.signing import VerifyKey
from sopor_server.auth import ServerIdentity
from sopor_server.errors import InvalidConfig
from sopor_server.ports.sign_on import Mode, SignOnSettings

T = TypeVar("T")
_PREFIX = "SOPOR_"
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+")
DEFAULT_QUOTA = 10 * 1024**3


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a server on Google Cloud keeps its data."""

    project: str
    database: str
    bucket: str
    firestore_emulator: str | None = None
    storage_emulator: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The settings; the module's docstring says what they mean."""

    data: Path
    quota_bytes: int = DEFAULT_QUOTA
    registration: str = "open"
    login_rate: int = 600
    trusted_proxies: int = 0
    threads: int = 16
    log: str = "info"
    restore_days: int = 7
    request_rate: int = 6000
    cloud: Cloud | None = None
    identity: ServerIdentity | None = None
    sign_on: SignOnSettings | None = None
    quota_seats: int = 0
    quota_projects: int = 0
    license_key: VerifyKey | None = None
    events_url: str | None = None
    events_port: int = 0
    events_streams: int = 2000
    events_quiet: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, serving: bool = True) -> Config:
        """Reads the settings; raises InvalidConfig that names every mistake.

        Who serves nobody (``serving`` False) needs no identity.
        """
        reader = _Reader(environment)
        config = cls(
            data=reader.take("DATA", _absolute, default_data(environment)),
            quota_bytes=reader.take("QUOTA_BYTES", _count, DEFAULT_QUOTA),
            quota_seats=reader.take("QUOTA_SEATS", _count, 0),
            quota_projects=reader.take("QUOTA_PROJECTS", _count, 0),
            license_key=reader.take("LICENSE_KEY", _public_key, None),
            registration=reader.take("REGISTRATION", _one_of("open", "closed"), "open"),
            login_rate=reader.take("LOGIN_RATE", _positive, 600),
            request_rate=reader.take("REQUEST_RATE", _positive, 6000),
            trusted_proxies=reader.take("TRUSTED_PROXIES", _count, 0),
            threads=reader.take("THREADS", _positive, 16),
            log=reader.take("LOG", _one_of("info", "warning", "off"), "info"),
            restore_days=reader.take("RESTORE_DAYS", _count, 7),
            events_url=reader.take("EVENTS_URL", _address, None),
            events_port=reader.take("EVENTS_PORT", _port, 0),
            events_streams=reader.take("EVENTS_STREAMS", _positive, 2000),
            events_quiet=reader.take("EVENTS_QUIET", _count, 120 if _in_cloud(reader) else 0),
            cloud=_cloud(reader),
            identity=_identity(reader, needed=serving),
            sign_on=_sign_on(reader),
        )
        reader.finish()
        return config


def default_data(environment: Mapping[str, str]) -> Path:
    """Returns where a server keeps its data when nobody says: the platform's folder for such."""
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "sopor-server"
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "sopor-server"


def _cloud(reader: _Reader) -> Cloud | None:
    """Returns where the data is in the cloud, None where nothing says so."""
    if not _in_cloud(reader):
        return None
    names = ("GOOGLE_CLOUD_PROJECT", "SOPOR_DATABASE", "SOPOR_BUCKET")
    reader.need(names, "is needed on Google Cloud")
    return Cloud(
        reader.text("GOOGLE_CLOUD_PROJECT"),
        reader.text("SOPOR_DATABASE"),
        reader.text("SOPOR_BUCKET"),
        reader.text("FIRESTORE_EMULATOR_HOST") or None,
        reader.text("STORAGE_EMULATOR_HOST") or None,
    )


def _in_cloud(reader: _Reader) -> bool:
    return bool(reader.text("SOPOR_DATABASE") or reader.text("SOPOR_BUCKET"))


def _identity(reader: _Reader, *, needed: bool) -> ServerIdentity | None:
    """Returns the identity that stands in the environment; without one a file holds it."""
    names = ("SOPOR_SERVER_ID", "SOPOR_SERVER_SECRET")
    if not any(map(reader.text, names)) and not (_in_cloud(reader) and needed):
        return None
    reader.need(names, "is needed for devices to know the server again")
    server = reader.take("SERVER_ID", _bytes_of(16), bytes(16))
    secret = reader.take("SERVER_SECRET", _bytes_of(32), bytes(32))
    return ServerIdentity(ServerId(server), secret)


def _sign_on(reader: _Reader) -> SignOnSettings | None:
    """Returns where people sign on, None where nothing says so."""
    mode = reader.take("SSO", _one_of("off", *Mode), "off")
    if mode == "off":
        return None
    names = ("SOPOR_SSO_ISSUER", "SOPOR_SSO_CLIENT_ID", "SOPOR_SSO_DOMAINS")
    reader.need(names, "is needed for single sign-on")
    return SignOnSettings(
        mode=Mode(mode),
        issuer=reader.take("SSO_ISSUER", _issuer, ""),
        client_id=reader.text("SOPOR_SSO_CLIENT_ID"),
        client_secret=reader.text("SOPOR_SSO_CLIENT_SECRET") or None,
        domains=reader.take("SSO_DOMAINS", _domains, None),
        max_age=reader.take("SSO_MAX_AGE", _positive, 300),
        port=reader.take("SSO_PORT", _port, 0),
    )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._mistakes: list[str] = []

    def take(self, name: str, parse: Callable[[str], T], default: T) -> T:
        text = self._environment.get(_PREFIX + name, "")
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self._mistakes.append(f"{_PREFIX}{name} {error}")
            return default

    def text(self, name: str) -> str:
        """Returns a variable by its whole name, or nothing."""
        return self._environment.get(name, "")

    def need(self, names: Iterable[str], why: str) -> None:
        """Counts each variable that is not set as a mistake."""
        self._mistakes += [f"{name} {why}" for name in names if not self.text(name)]

    def finish(self) -> None:
        if self._mistakes:
            raise InvalidConfig(
                "; ".join(self._mistakes), hint="correct the environment and start again"
            )


def _absolute(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number from 0 on")
    return int(text)


def _positive(text: str) -> int:
    if (number := _count(text)) == 0:
        raise ValueError("must be at least 1")
    return number


def _issuer(text: str) -> str:
    try:
        return check_issuer_url(text)
    except InvalidValue:
        raise ValueError("must be the issuer's https:// address, as it names itself") from None


def _address(text: str) -> str | None:
    parts = urlsplit(text)
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    )
    if not (secure and parts.hostname) or parts.path not in {"", "/"} or parts.query:
        raise ValueError("must be an https:// address without a path")
    return text.rstrip("/")


def _domains(text: str) -> frozenset[str] | None:
    if text.strip() == "*":
        return None
    found = frozenset(word.strip().lower() for word in text.split(","))
    if not all(_DOMAIN.fullmatch(word) for word in found):
        raise ValueError("must be domains with commas between them, or *")
    return found


def _port(text: str) -> int:
    if (number := _count(text)) > 65535:
        raise ValueError("must be a port, or 0 for any")
    return number


def _bytes_of(size: int) -> Callable[[str], bytes]:
    def parse(text: str) -> bytes:
        try:
            data = b64decode(text)
        except VerificationError:
            data = b""
        if len(data) != size:
            raise ValueError(f"must be {size} bytes as base64url without padding")
        return data

    return parse


def _public_key(text: str) -> VerifyKey | None:
    try:
        return VerifyKey(b64decode(text))
    except VerificationError:
        raise ValueError("must be an Ed25519 public key as base64url without padding") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse
