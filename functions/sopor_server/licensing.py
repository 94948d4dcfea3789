"""The command `sopor-server license`: a key for licenses, and what it signs (SPEC section 8.4).

Runs where the private key is kept, which the server itself never needs. No command prints it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sopor_core import canonical
from sopor_core.encoding import b64encode
from sopor_core.errors import SoporError, VerificationError
from sopor_core.ids import OrgId
from sopor_core.license import MAX_PLAN_BYTES, License
from sopor_server.errors import InvalidConfig


def main(arguments: Sequence[str]) -> int:
    """Makes a key or a license; returns the exit code, 2 for what cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "new-key":
            _new_key(options.file)
        else:
            _issue(options)
    except (SoporError, OSError) as error:
        hint = getattr(error, "hint", None)
        sys.stderr.write(f"sopor-server: {error}\n" + (f"hint: {hint}\n" if hint else ""))
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sopor-server license", description="Sign what organizations may use."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    key = commands.add_parser("new-key", help="make a key and print its public half")
    key.add_argument("file", type=Path, help="file for the private key; must not exist")
    issue = commands.add_parser("issue", help="print a license, which an owner installs")
    issue.add_argument("--org", type=_org, required=True, help="id of the organization")
    issue.add_argument("--plan", type=_plan, required=True, help="name of the plan")
    for name, what in (
        ("seats", "members and open invites"),
        ("projects", "projects"),
        ("bytes", "bytes of all projects"),
    ):
        issue.add_argument(
            f"--{name}", type=_count, required=True, help=f"most {what}, 0 for no limit"
        )
    issue.add_argument("--expires", type=_end_of, help="last day, as YYYY-MM-DD in UTC")
    issue.add_argument("--key", type=Path, required=True, help="file of the private key")
    return parser


def _new_key(path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    content = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidConfig(
            f"{path} exists", hint="name a new file; a key that signed licenses must be kept"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    public = b64encode(private.public_key().public_bytes_raw())
    sys.stdout.write(f"SOPOR_LICENSE_KEY={public}\n")


def _issue(options: argparse.Namespace) -> None:
    signed = License(
        options.org,
        options.plan,
        options.seats,
        options.projects,
        options.bytes,
        options.expires,
    ).sign(_read_key(options.key))
    sys.stdout.write(canonical.encode(signed.to_json()).decode("utf-8") + "\n")


def _read_key(path: Path) -> Ed25519PrivateKey:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InvalidConfig(
            f"{path} can be read by others", hint=f"run `chmod 600 {path}`, then try again"
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidConfig(
            f"{path} holds no key for licenses",
            hint="name the file that `sopor-server license new-key` made",
        )
    return key


def _org(text: str) -> OrgId:
    try:
        return OrgId.from_hex(text) if len(text) == 2 * OrgId.SIZE else OrgId.from_b64(text)
    except VerificationError:
        raise argparse.ArgumentTypeError("not the id of an organization") from None


def _plan(text: str) -> str:
    if not text.isprintable() or not 1 <= len(text.encode()) <= MAX_PLAN_BYTES:
        raise argparse.ArgumentTypeError(f"a plan's name has 1 to {MAX_PLAN_BYTES} bytes")
    return text


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise argparse.ArgumentTypeError("not a whole number from 0 on")
    return int(text)


def _end_of(text: str) -> int:
    """Returns the end of a day in milliseconds."""
    try:
        day = date.fromisoformat(text)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("not a day as YYYY-MM-DD") from None
    return int(midnight.timestamp() * 1000)
