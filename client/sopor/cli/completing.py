"""What the shell offers for words that are not options: branches, settings, files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from sopor.cli.session import Session
from sopor.errors import SoporError

if TYPE_CHECKING:
    import click


def branches(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the local branches and those of the server."""
    names = _branch_names(context)
    return _starting(names, incomplete)


def revisions_and_files(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers branches as revisions, and files."""
    return [*_starting(["HEAD", *_branch_names(context)], incomplete), *_files(incomplete)]


def files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers files, which stand for their documents."""
    return _files(incomplete)


def settings(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the names of settings."""
    from sopor.repository.configuration import KNOWN

    return _starting(KNOWN, incomplete)


def _branch_names(context: click.Context) -> list[str]:
    session = context.find_root().obj
    if not isinstance(session, Session):
        return []
    session.asking.allowed = False
    try:
        with session.open() as repository:
            found = repository.branches(remote=True)
    except SoporError:
        # The shell has no place for an error; without a working copy there is nothing to offer.
        return []
    return [f"remote/{info.name}" if info.remote else info.name for info in found]


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _files(incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]
