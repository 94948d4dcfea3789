"""The `requests` session behind a transport; imported with the first request only."""

from __future__ import annotations

import os

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.util import SKIP_HEADER

from sopor.remote.address import ServerAddress
from sopor_core import __version__

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


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
        bundle = next((os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)), None)
        session.verify = bundle or True
    return session
