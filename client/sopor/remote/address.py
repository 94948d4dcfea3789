"""The address of a server, as a person types it and as it is remembered."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from sopor.errors import InvalidInput
from sopor.records import dataclass

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server's base URL in one written form: ``str(address)`` has no trailing slash.

    ``loopback`` says that it is on this machine, where plain HTTP is allowed.
    """

    url: str
    loopback: bool

    @classmethod
    def parse(cls, text: str, *, allow_plain_http: bool = False) -> ServerAddress:
        """Parses an address; without a scheme, HTTPS is meant, or HTTP on this machine.

        Args:
            text: such as ``https://sopor.example.com`` or ``localhost:8080``.
            allow_plain_http: whether plain HTTP may go to another machine; a setting that somebody
                has to make explicitly.

        Raises:
            InvalidInput: it is no address, or goes without TLS to another machine.
        """
        typed = text.strip()
        if "://" not in typed:
            host = _host(f"https://{typed}", text)
            typed = f"{'http' if _is_loopback(host) else 'https'}://{typed}"
        host = _host(typed, text)
        parts = urlsplit(typed)
        loopback = _is_loopback(host)
        if parts.scheme == "http" and not loopback and not allow_plain_http:
            raise InvalidInput(
                f"{text!r} goes without encryption to another machine",
                hint="use https://, or allow plain HTTP explicitly for a network that you trust",
            )
        return cls(f"{parts.scheme}://{_authority(typed, host)}{parts.path.rstrip('/')}", loopback)

    def __str__(self) -> str:
        return self.url


def _host(url: str, typed: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    odd = parts.query or parts.fragment or parts.username is not None or not url.isprintable()
    if parts.scheme not in _DEFAULT_PORTS or not host or odd or " " in url:
        raise InvalidInput(
            f"{typed!r} is not a server's address",
            hint="write it like https://sopor.example.com or http://127.0.0.1:8080",
        )
    return host


def _authority(url: str, host: str) -> str:
    parts = urlsplit(url)
    name = f"[{host}]" if ":" in host else host
    if parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]:
        return name
    return f"{name}:{parts.port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
