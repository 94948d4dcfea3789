"""Walks the project folder and lists what may be files of Insomnia, each with its stat.

Hidden folders but ``.insomnia``, and ``node_modules``, are left out. Links are listed apart and
never followed: what they lead to inside the folder is found there, and what lies outside is none
of the project's.
"""

# ruff: noqa: PTH101, PTH103, PTH106, PTH108, PTH114, PTH118, PTH120, PTH121, PTH123, RUF100
# With ten thousand files, building Path objects would take longer than all the rest.

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from sopor.records import dataclass
from sopor.worktree import paths
from sopor.worktree.disk import stat_of
from sopor.worktree.index import Stat


@dataclass(slots=True)
class Walk:
    """What lies in the folder.

    Attributes:
        files: the stats of plain files that may be Insomnia's, by path.
        names: how the disk spells paths, where that is not in composed Unicode.
        links: links that have a file's ending.
        unusable: paths that can't be shared, printable.
        unreadable: folders that can't be listed, with the reason.
        clashes: pairs of paths that are one and the same in composed Unicode.
        leftovers: names of temporary files of killed commands.
    """

    files: dict[str, Stat] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    unreadable: dict[str, OSError] = field(default_factory=dict)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    def name(self, path: str) -> str:
        """Returns how the disk spells a path."""
        return self.names.get(path, path)


def walk(root: Path) -> Walk:
    """Lists the folder; raises OSError where the root itself can't be listed."""
    result = Walk()
    folders = [""]
    while folders:
        prefix = folders.pop()
        try:
            with os.scandir(f"{root}/{prefix}") as entries:
                _take(entries, prefix, result, folders)
        except OSError as error:
            if not prefix:
                raise
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                result.unreadable[prefix.rstrip("/")] = error
    return result


def _take(
    entries: Iterator[os.DirEntry[str]], prefix: str, result: Walk, folders: list[str]
) -> None:
    for entry in entries:
        name = entry.name
        fits = name.endswith(paths.ENDINGS) or paths.may_be_file(name)
        if fits and entry.is_file(follow_symlinks=False):
            if name[0] != ".":
                _take_file(entry, prefix + name, result)
        elif entry.is_dir(follow_symlinks=False):
            if not paths.is_hidden_folder(name):
                folders.append(f"{prefix}{name}/")
        elif fits and name[0] != "." and entry.is_symlink():
            result.links.append(_printable(paths.normal(prefix + name)))
        elif paths.is_temporary(name):
            result.leftovers.append(prefix + name)


def _take_file(entry: os.DirEntry[str], name: str, result: Walk) -> None:
    path = name if name.isascii() else paths.normal(name)
    if not paths.is_usable(path):
        result.unusable.append(_printable(path))
        return
    if path in result.files:
        result.clashes.append((result.name(path), name))
        return
    try:
        result.files[path] = stat_of(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return  # it went away since the folder was listed: as if it had never been there
    if path != name:
        result.names[path] = name


def _printable(path: str) -> str:
    return path if paths.is_usable(path) else path.encode("unicode_escape").decode()
