"""The text of a bug report: what helps to find a fault, and nothing that anybody keeps to himself.

It is put together from `facts` of the checks, counts, and names that this program chose itself.
Ids appear as keyed hashes under a key that is thrown away: the same id is the same word within one
report, and another one in the next.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterator, Mapping

from sopor.diagnosis import last_error
from sopor.diagnosis.checks import Check, Diagnosis
from sopor.diagnosis.scope import Scope
from sopor.errors import SoporError
from sopor.moments import Moment, now
from sopor.repository.configuration import KNOWN, Configuration
from sopor.repository.context import Context

VARIABLES = (
    "NO_COLOR",
    "SOPOR_DEBUG",
    "SOPOR_HOME",
    "SOPOR_INVITE_CODE_FILE",
    "SOPOR_NEW_PASSWORD_FILE",
    "SOPOR_PASSWORD_FILE",
    "SOPOR_RECOVERY_KEY_FILE",
    "SOPOR_SECRET_KEY_FILE",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
)
_HEAD = """\
Sopor bug report

In here: versions, what `sopor doctor` found without the names in it, which settings and variables
are set but not what to, sizes and counts, and where in the program the last error arose.
Not in here: keys, tokens, passwords, contents, and names of documents, branches, projects, people,
servers, folders and files. Ids are replaced by words that mean nothing outside of this file.
Read it before you send it.
"""


def write_report(scope: Scope, diagnosis: Diagnosis) -> str:
    """Returns the text of a report."""
    sections = {
        "written": [Moment(now()).iso],
        "doctor": [
            f"{diagnosis.problems} problems, {diagnosis.warnings} warnings",
            *map(_line, diagnosis.checks),
        ],
        "settings": _settings(scope),
        "environment": _environment(os.environ),
        "ids": _ids(scope),
        "sizes": _sizes(scope),
        "last error": _last_error(scope),
    }
    parts = [_HEAD]
    for title, lines in sections.items():
        parts.append(f"\n== {title} ==\n" + "".join(f"{line}\n" for line in lines))
    return "".join(parts)


def _line(check: Check) -> str:
    facts = " ".join(f"{name}={value}" for name, value in check.facts.items())
    return f"{check.level:8} {check.group}.{check.name}  {facts}".rstrip()


def _settings(scope: Scope) -> Iterator[str]:
    try:
        context = scope.readable
        found = Configuration(scope.keystore.home).all(context.store if context else None)
    except SoporError as error:
        yield f"do not read: {error.code}"
        return
    yield from (f"{name} is set" for name in KNOWN if name in found)
    if others := len(found.keys() - KNOWN.keys()):
        yield f"{others} others that this version does not know"


def _environment(environment: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} is set" for name in VARIABLES if environment.get(name))
    unknown = [name for name in environment if name.startswith("SOPOR_") and name not in VARIABLES]
    if unknown:
        yield f"{len(unknown)} other variables that begin with SOPOR_"


def _ids(scope: Scope) -> Iterator[str]:
    key = secrets.token_bytes(32)

    def word(data: bytes) -> str:
        return hmac.digest(key, data, "sha256")[:4].hex()

    try:
        accounts = scope.accounts()
    except SoporError as error:
        yield f"accounts do not read: {error.code}"
        accounts = []
    for known in accounts:
        words = f"{word(known.account)} device {word(known.device)}"
        yield f"account {words} server {word(known.server_id)}"
    context = scope.readable
    if context is not None:
        settings = context.store.settings
        for name in ("project", "organization", "account"):
            if (value := settings.get(name)) is not None:
                yield f"{name} of the working copy {word(bytes.fromhex(value))}"


def _sizes(scope: Scope) -> Iterator[str]:
    context = scope.readable
    if context is None:
        yield "no working copy"
        return
    store = context.store
    yield f"database {(store.folder / 'sopor.db').stat().st_size} bytes"
    yield from _counts(context)


def _counts(context: Context) -> Iterator[str]:
    store = context.store
    for table in ("objects", "packs", "commits", "branches", "remote_branches", "entries"):
        with store.database.reading() as connection:
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        yield f"{table} {count}"
    try:
        yield f"documents at the head {len(store.commits.state(store.refs.head))}"
    except SoporError as error:
        yield f"the head does not read: {error.code}"


def _last_error(scope: Scope) -> Iterator[str]:
    found = last_error.load(scope.keystore.home)
    if found is None:
        yield "none is known"
        return
    when = Moment(found.time).iso
    yield f"{found.code} in `sopor {found.command}` of version {found.version} at {when}"
    for kind, frames in found.errors:
        yield kind
        yield from (f"  {module}:{line} {name}" for module, name, line in frames)
