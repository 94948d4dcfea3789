"""Versions: of this program, of Python, and of the libraries that it stands on."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.scope import Scope
from sopor_core import __version__
from sopor_core.wire.routes import PROTOCOL

NEEDED = ("click", "cryptography", "platformdirs", "pydantic", "PyYAML", "requests", "zstandard")
EXTRAS = {"keyring": "keychain", "watchfiles": "watch"}
_OLDEST_PYTHON = (3, 11)


def checks(_scope: Scope) -> Iterator[Check]:
    """Yields one check for each part."""
    tell = Teller("versions")
    yield tell.ok(
        "sopor", f"sopor {__version__}, protocol {PROTOCOL}", version=__version__, protocol=PROTOCOL
    )
    python = platform.python_version()
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    if sys.version_info >= _OLDEST_PYTHON:
        yield tell.ok("python", f"Python {python} on {system}", version=python, system=system)
    else:
        oldest = ".".join(map(str, _OLDEST_PYTHON))
        yield tell.bad(
            "python", f"Python {python} is too old", f"use {oldest} or newer", version=python
        )
    yield tell.ok("sqlite", f"SQLite {sqlite3.sqlite_version}", version=sqlite3.sqlite_version)
    for name in NEEDED:
        found = _version(name)
        if found is None:
            yield tell.bad(name, f"{name} is missing", "install sopor again", version=None)
        else:
            yield tell.ok(name, f"{name} {found}", version=found)
    yield tell.ok("openssl", _openssl(), version=_openssl())
    for name, extra in EXTRAS.items():
        found = _version(name)
        told = f"{name} {found}" if found else f"{name} is not installed (extra {extra!r})"
        yield tell.ok(name, told, version=found)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _openssl() -> str:
    from cryptography.hazmat.backends.openssl import backend

    return backend.openssl_version_text()
