"""The commands `sopor-server backup` and `sopor-server restore`."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sopor_core.errors import SoporError
from sopor_server.backups.contents import BackupDamaged
from sopor_server.errors import InvalidConfig

DAMAGED, IMPOSSIBLE = 1, 2


def main(arguments: Sequence[str]) -> int:
    """Makes or restores a backup; returns the exit code, 1 for damage and 2 for what cannot be."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)
    try:
        result, told = _back_up(options) if options.command == "backup" else _restore(options)
    except (SoporError, OSError, sqlite3.Error) as error:
        return _fail(error, as_json=options.json)
    sys.stdout.write(f"{json.dumps(result) if options.json else told}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sopor-server")
    commands = parser.add_subparsers(dest="command", required=True)
    backup = commands.add_parser(
        "backup",
        help="copy all data while the server is in use",
        description="Copy all data while the server is in use; every pack is compared with its id.",
    )
    backup.add_argument(
        "target",
        type=Path,
        help="folder of backups, which gets what is new only; or a new file that ends with .tar",
    )
    backup.add_argument(
        "--keep",
        type=_days,
        default=30,
        metavar="DAYS",
        help="remove what is older from the folder (%(default)s)",
    )
    backup.add_argument(
        "--verify", action="store_true", help="read all of the backup again, and mend what is bad"
    )
    restore = commands.add_parser(
        "restore",
        help="make a data folder from a backup",
        description="Make a data folder from a backup: wholly and verified, or not at all.",
    )
    restore.add_argument("source", type=Path, help="folder of backups, or a .tar file")
    restore.add_argument(
        "--at", metavar="TIME", help="the start of a backup's name, as 2026-11-24 (the newest)"
    )
    for command in (backup, restore):
        command.add_argument(
            "--data", type=Path, help="folder of all data (default: SOPOR_DATA, or the user's)"
        )
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise argparse.ArgumentTypeError("not a number of days from 0 on")
    return int(text)


def _data(options: argparse.Namespace) -> Path:
    """Returns the data folder; raises InvalidConfig where the data is on Google Cloud."""
    from sopor_server.config import Config

    environment = dict(os.environ)
    if options.data is not None:
        environment["SOPOR_DATA"] = str(options.data.absolute())
    config = Config.from_environment(environment, serving=False)
    if config.cloud is not None:
        raise InvalidConfig(
            "the data is in Firestore and Cloud Storage",
            hint="their own backups are what infra/terraform/README.md describes",
        )
    return config.data


def _back_up(options: argparse.Namespace) -> tuple[dict[str, object], str]:
    from sopor_server.backups.making import back_up

    keep = timedelta(days=options.keep)
    made = back_up(_data(options), options.target.absolute(), keep, verify=options.verify)
    told = f"backed up to {made.backup}: {made.blobs} packs and groups of packs, {made.copied} of"
    told += f" them new ({made.bytes_copied} bytes)"
    if options.verify:
        told += f", all verified, {made.mended} mended"
    return asdict(made), told


def _restore(options: argparse.Namespace) -> tuple[dict[str, object], str]:
    from sopor_server.backups.restoring import restore

    done = restore(options.source.absolute(), _data(options), options.at)
    told = f"restored {done.data} as of {done.moment}: {done.blobs} packs and groups of packs"
    return asdict(done), f"{told} ({done.bytes} bytes), all verified"


def _fail(error: Exception, *, as_json: bool) -> int:
    code = DAMAGED if isinstance(error, BackupDamaged) else IMPOSSIBLE
    hint = getattr(error, "hint", None)
    if isinstance(error, OSError):
        hint = "give room or permission, then run the command again; nothing was left half done"
    if as_json:
        kind = error.code if isinstance(error, SoporError) else "storage"
        told = {"code": kind, "message": str(error), "hint": hint, "exit_code": code}
        sys.stderr.write(json.dumps({"error": told}) + "\n")
    else:
        sys.stderr.write(f"sopor-server: {error}\n" + (f"hint: {hint}\n" if hint else ""))
    return code
