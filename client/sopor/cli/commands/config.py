"""`sopor config`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.paint import one_line
from sopor.cli.session import Session
from sopor.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sopor.repository import Repository


class Settings(Protocol):
    """The settings of a working copy, or of the device."""

    def get(self, name: str) -> str | None:
        """Returns a setting, or None."""

    def set(self, name: str, value: str | None) -> None:
        """Changes a setting; None removes it."""

    def all(self) -> Mapping[str, str]:
        """Returns every setting that holds."""


@declare(
    "config",
    examples=[
        "sopor config",
        "sopor config user.name 'Ada Lovelace'",
        "sopor config --global server https://sopor.example.com",
        "sopor config --unset editor",
    ],
)
@click.argument("name", required=False, shell_complete=completing.settings)
@click.argument("value", required=False)
@click.option("--global", "device", is_flag=True, help="Of this device, not of the working copy.")
@click.option("--unset", metavar="NAME", help="Remove a setting.")
@click.option("-l", "--list", "listing", is_flag=True, help="List what is set.")
@click.option("--known", is_flag=True, help="List which settings there are.")
def command(
    session: Session,
    name: str | None,
    value: str | None,
    device: bool,
    unset: str | None,
    listing: bool,
    known: bool,
) -> None:
    """Reads and changes settings: of the working copy first, then of this device.

    Without a NAME: lists what is set. With a VALUE: sets it for this working copy.
    """
    if sum([name is not None, unset is not None, listing, known]) > 1:
        raise click.UsageError("one thing at a time: a NAME, --unset, --list or --known")
    if known:
        _show_known(session)
        return
    with _settings(session, device=device, writing=bool(value or unset)) as settings:
        if unset is not None:
            settings.set(unset, None)
        elif name is not None and value is not None:
            settings.set(name, value)
        elif name is not None:
            _show(session, name, settings.get(name))
        else:
            values = dict(settings.all())
            lines = [f"{key} = {one_line(each)}" for key, each in sorted(values.items())]
            session.console.result(values, lines)


def _show(session: Session, name: str, value: str | None) -> None:
    if value is None:
        raise NotFound(f"{name} is not set", hint=f"set it with `sopor config {name} VALUE`")
    session.console.result({"name": name, "value": value}, [value])


def _show_known(session: Session) -> None:
    from sopor.repository.configuration import KNOWN

    width = max(map(len, KNOWN))
    lines = [f"{name:{width}}  {meaning}" for name, meaning in KNOWN.items()]
    session.console.result(dict(KNOWN), lines)


class _Local:
    """The settings that hold in a working copy."""

    def __init__(self, repository: Repository) -> None:
        self.get = repository.config_get
        self.set = repository.config_set
        self.all = repository.config_list


@contextmanager
def _settings(session: Session, *, device: bool, writing: bool) -> Iterator[Settings]:
    """Yields the settings that are meant; outside of a working copy the device's are read."""
    from sopor.keystore import sopor_home
    from sopor.repository.configuration import Configuration

    if not device:
        try:
            repository = session.open()
        except NotFound as error:
            if writing:
                raise NotFound(error.message, hint="use --global for this device") from None
        else:
            with repository:
                yield _Local(repository)
            return
    yield Configuration(sopor_home())
