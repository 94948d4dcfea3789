"""Server addresses as people type them."""

from __future__ import annotations

import pytest

from sopor.errors import InvalidInput
from sopor.remote import ServerAddress


@pytest.mark.parametrize(
    ("typed", "meant", "loopback"),
    [
        ("https://sopor.example.com", "https://sopor.example.com", False),
        ("HTTPS://Sopor.Example.com:443/", "https://sopor.example.com", False),
        ("sopor.example.com", "https://sopor.example.com", False),
        ("sopor.example.com:8443", "https://sopor.example.com:8443", False),
        ("https://region.cloudfunctions.net/api/", "https://region.cloudfunctions.net/api", False),
        (" http://127.0.0.1:8750 ", "http://127.0.0.1:8750", True),
        ("localhost:8750", "http://localhost:8750", True),
        ("http://localhost:80", "http://localhost", True),
        ("http://[::1]:8750", "http://[::1]:8750", True),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", False),
    ],
)
def test_an_address_has_one_written_form(typed: str, meant: str, loopback: bool) -> None:
    address = ServerAddress.parse(typed)
    assert (str(address), address.loopback) == (meant, loopback)
    assert ServerAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "https://",
        "ftp://example.com",
        "https://user:password@example.com",
        "https://example.com/?query",
        "https://example.com/#part",
        "https://example.com:notaport",
        "https://example.com:99999",
        "https://exa mple.com",
        "https://example.com/\x1b[2J",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="is not a server's address"):
        ServerAddress.parse(typed)


@pytest.mark.parametrize(
    "typed", ["http://example.com", "http://10.0.0.1:8750", "http://127.0.0.1.example.com"]
)
def test_plain_http_stays_on_this_machine_unless_allowed(typed: str) -> None:
    with pytest.raises(InvalidInput, match="without encryption"):
        ServerAddress.parse(typed)
    assert str(ServerAddress.parse(typed, allow_plain_http=True)) == typed
