"""What the words of a command line mean: revisions, documents, files, folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.cli.declaring import documents_after_dashes
from sopor.cli.session import current_folder
from sopor.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from sopor.repository import Repository

EVERYTHING = "."


def split_revisions(
    repository: Repository, words: Sequence[str], most: int
) -> tuple[list[str], tuple[str, ...]]:
    """Splits words into revisions and documents: revisions come first, ``--`` may end them.

    Args:
        repository: the working copy.
        words: the words before ``--``; ``A..B`` stands for ``A B``.
        most: how many revisions the command takes.
    """
    left = [part for word in words for part in _range(repository, word, most)]
    revisions: list[str] = []
    while left and len(revisions) < most and _is_revision(repository, left[0]):
        revisions.append(left.pop(0))
    return revisions, documents(repository, [*left, *documents_after_dashes()])


def _range(repository: Repository, word: str, most: int) -> Sequence[str]:
    old, dots, new = word.partition("..")
    if dots and most > 1 and _is_revision(repository, word) is False:
        ends = [old or "HEAD", new or "HEAD"]
        if all(_is_revision(repository, end) for end in ends):
            return ends
    return [word]


def _is_revision(repository: Repository, word: str) -> bool:
    try:
        repository.resolve_revision(word)
    except NotFound:
        return False
    return True


def documents(repository: Repository, words: Sequence[str]) -> tuple[str, ...]:
    """Returns words that name documents, paths made relative to the working copy's folder.

    The folder itself becomes ``.``, which stands for everything.

    Raises:
        InvalidInput: a word is another folder.
    """
    return tuple(_document(repository.root, current_folder(), word) for word in words)


def _document(root: Path, here: Path, word: str) -> str:
    path = Path(os.path.normpath(here / word))
    if path == root:
        return EVERYTHING
    if not path.is_relative_to(root) or not path.exists():
        return word
    if path.is_dir():
        raise InvalidInput(
            f"{word} is a folder", hint="name its files, or documents, or the whole working copy"
        )
    return path.relative_to(root).as_posix()


def all_or_some(words: Sequence[str]) -> tuple[str, ...]:
    """Returns words for methods to which no word means everything."""
    return () if EVERYTHING in words else tuple(words)


def current_branch(repository: Repository) -> str:
    """Returns the name of the branch that the working copy is on."""
    return repository.context.store.refs.current


def describe_working_copy(repository: Repository) -> dict[str, str | None]:
    """Returns which project, branch and commit a working copy is on, for programs."""
    head = repository.context.store.refs.head
    return {
        "root": str(repository.root),
        "project": repository.context.project.hex(),
        "name": repository.context.project_name,
        "branch": current_branch(repository),
        "head": head.hex() if head else None,
    }
