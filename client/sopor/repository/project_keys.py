"""Where a project's keys come from: a local file until it is published, then the membership log.

A project that was never published has no ciphertext anywhere but beside its own plain files, so its
key lies in ``.sopor/project.key``, readable by its owner only. Publishing wraps the same key to the
account, so commit ids stay, and deletes the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.crypto.keys import FIRST_EPOCH, EpochSecret, ProjectKeys
from sopor.disk import create_private
from sopor.errors import DamagedStore
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import ProjectId

if TYPE_CHECKING:
    from sopor.crypto.account import AccountKeys
    from sopor_core.membership import MembershipLog

_FILE = "project.key"


def write_local_keys(folder: Path, project: ProjectId, secret: EpochSecret) -> None:
    """Writes the key of a project that is not published; raises DiskFull."""
    path = folder / _FILE
    content = {"v": 1, "project": project.b64, "secret": b64encode(secret.reveal())}
    create_private(path, json.dumps(content).encode())


def read_local_keys(folder: Path, project: ProjectId) -> ProjectKeys:
    """Reads the key of a project that is not published; raises DamagedStore."""
    path = folder / _FILE
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        secret = EpochSecret(b64decode(content["secret"]))
        same = ProjectId.from_b64(content["project"]) == project
    except (OSError, ValueError, KeyError, TypeError, VerificationError) as error:
        raise DamagedStore(
            f"{path} does not read back ({type(error).__name__})",
            hint="restore it from a backup; without it this folder's history cannot be read, "
            "the working files themselves are unharmed",
        ) from None
    if not same:
        raise DamagedStore(f"{path} is the key of another project", hint="restore the right one")
    return ProjectKeys(project, {FIRST_EPOCH: secret})


def delete_local_keys(folder: Path) -> None:
    """Deletes the local key once the account holds it."""
    (folder / _FILE).unlink(missing_ok=True)


def unwrap_keys(account: AccountKeys, membership: MembershipLog, project: ProjectId) -> ProjectKeys:
    """Unwraps a project's keys from the verified membership log.

    Raises:
        VerificationError: layer ``epoch``, if there is no wrap for the account or it does not open.
    """
    from sopor.crypto.epochs import unlock_scope

    return unlock_scope(membership, project, account.identity.account, account)
