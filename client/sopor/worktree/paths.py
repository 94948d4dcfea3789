"""Which names in a folder may be files of the project, and what makes two names the same.

A path is written with forward slashes, below the root of the working copy, in Unicode's composed
form (NFC): macOS may hand out decomposed names, and the same file must have one path everywhere.
"""

from __future__ import annotations

import re
import unicodedata

from sopor.errors import InvalidInput
from sopor.formats.trees import GIT_SYNC_FOLDER

ENDINGS = (".json", ".yaml", ".yml")
_SKIPPED_FOLDERS = frozenset({"node_modules"})
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\]|^[A-Za-z]:")
TEMPORARY_PREFIX = ".sopor-"
TEMPORARY_SUFFIX = ".tmp"


def may_be_file(name: str) -> bool:
    """Tells whether a file of this name may be one of Insomnia's."""
    return name.lower().endswith(ENDINGS) and not name.startswith(".")


def is_hidden_folder(name: str) -> bool:
    """Tells whether a folder's content is none of the project's."""
    return (name.startswith(".") and name != GIT_SYNC_FOLDER) or name in _SKIPPED_FOLDERS


def is_temporary(name: str) -> bool:
    """Tells whether a file was left behind by a command that was killed while it wrote."""
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)


def normal(name: str) -> str:
    """Returns a name or path in its composed form."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def folded(path: str) -> str:
    """Returns a text that is the same for paths that some file systems take for one."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def is_usable(path: str) -> bool:
    """Tells whether a path found on disk can be shared: no control characters, valid Unicode."""
    if path.isascii() and path.isprintable() and "\\" not in path and ":" not in path:
        return True
    return not _REFUSED.search(path)


def check_path(path: str) -> None:
    """Checks a path that somebody else chose before anything is written there.

    It has to be one that a scan would find again, which keeps it inside the folder and out of every
    hidden place. Characters that file systems ignore count as absent, so that they hide nothing.

    Raises:
        InvalidInput: the path is absolute, climbs, lies in a hidden folder, has control characters
            or another ending than Insomnia's files have.
    """
    *folders, name = path.split("/")
    if (
        not is_usable(path)
        or normal(path) != path
        or not may_be_file(_visible(name))
        or any(not folder or is_hidden_folder(_visible(folder).lower()) for folder in folders)
    ):
        raise InvalidInput(
            f"the path {path!r} is not one that a project file can have",
            hint="do not check this out; ask who made the commit",
        )


def _visible(name: str) -> str:
    if name.isascii():
        return name
    kept = (character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", "".join(kept))
