"""The way to a server by `requests`, which knows proxies; imported only where it is needed."""

from __future__ import annotations

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.util import SKIP_HEADER

from sopor.remote.address import ServerAddress
from sopor.remote.channels import Incoming, LimitOf, Outgoing, own_authorities
from sopor.remote.exchange import NoAnswer, Timeouts, read_bounded, streamed
from sopor_core import __version__


def lean_session(address: ServerAddress) -> requests.Session:
    """Returns a session that sends no header without need and follows no surprise.

    The environment names proxies and certificate authorities as for any other tool, but for
    loopback addresses nothing of it is used. `requests` would take credentials from ``.netrc``
    as well, in place of our own, so what it trusts of the environment is copied here instead.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update({"User-Agent": f"sopor/{__version__}", "Accept-Encoding": SKIP_HEADER})
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
    session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
    if not address.loopback:
        session.proxies = get_environ_proxies(address.url)
        session.verify = own_authorities() or True
    return session


class SessionChannel:
    """A `Channel` by `requests`."""

    def __init__(self, address: ServerAddress, timeouts: Timeouts) -> None:
        """Takes where to; connects with the first exchange."""
        self._address = address
        self._timeouts = timeouts
        self._session = lean_session(address)

    def exchange(self, request: Outgoing, limit_of: LimitOf) -> Incoming:
        """Sends a request once and returns the whole answer; raises as `Channel` says."""
        try:
            response = self._session.request(
                request.method,
                self._address.url + request.path,
                headers=dict(request.headers),
                data=streamed(request.body),
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                stream=True,
            )
            with response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                body = read_bounded(response, limit_of(response.status_code))
                return Incoming(response.status_code, headers, body)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NoAnswer(error) from None

    def close(self) -> None:
        """Closes the connection; the next exchange opens another one."""
        self._session.close()
