"""Keeps the server's id and secret in a file that only its owner may read."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import ServerId
from sopor_server.auth import ServerIdentity
from sopor_server.errors import InvalidConfig


def load_or_create(path: Path) -> ServerIdentity:
    """Returns the identity in the file, made by whoever comes first.

    Raises:
        InvalidConfig: the file is damaged, or others can read it.
        OSError: it can be neither read nor made.
    """
    while not path.exists():
        _create(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InvalidConfig(
            f"{path} can be read by others", hint=f"run `chmod 600 {path}`, then start again"
        )
    try:
        content = json.loads(path.read_bytes())
        identity = ServerIdentity(ServerId.from_b64(content["id"]), b64decode(content["secret"]))
    except (ValueError, KeyError, TypeError, VerificationError):
        identity = None
    if identity is None or len(identity.secret) != 32:
        raise InvalidConfig(
            f"{path} is damaged",
            hint="restore it from a backup; without it every device must log in again",
        )
    return identity


def _create(path: Path) -> None:
    """Writes a new identity beside the path, then gives it its name unless it is taken."""
    content = {"id": ServerId.random().b64, "secret": b64encode(secrets.token_bytes(32))}
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)
