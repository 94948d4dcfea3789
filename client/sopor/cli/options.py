"""The options that every command has, before and after the command's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import click

from sopor.cli.session import Session

Callback: TypeAlias = Callable[[click.Context, click.Parameter, str | bool | None], None]


class CommonOption(click.Option):
    """An option that every command has."""


def common_options() -> list[click.Parameter]:
    """Returns the options of every command."""
    return [
        _flag(["--json"], _json, "Print the result, and errors, as JSON.", eager=True),
        _flag(["-q", "--quiet"], _quiet, "Print no notes."),
        _flag(["-v", "--verbose"], _verbose, "Tell each step."),
        CommonOption(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            expose_value=False,
            callback=_applying(_colour),
            help="When to use colours; NO_COLOR means never.",
        ),
        _flag(["--no-input"], _no_input, "Never ask anything."),
        _flag(["--password-stdin"], _password_stdin, "Read passwords from stdin, one a line."),
    ]


def _flag(
    names: list[str], apply: Callable[[Session, str], None], text: str, *, eager: bool = False
) -> CommonOption:
    return CommonOption(
        names,
        is_flag=True,
        expose_value=False,
        is_eager=eager,
        callback=_applying(apply),
        help=text,
    )


def _applying(apply: Callable[[Session, str], None]) -> Callback:
    def callback(
        context: click.Context, _parameter: click.Parameter, value: str | bool | None
    ) -> None:
        if value and isinstance(context.obj, Session):
            apply(context.obj, str(value))

    return callback


def _json(session: Session, _value: str) -> None:
    session.console.json = True


def _quiet(session: Session, _value: str) -> None:
    session.console.quiet = True


def _verbose(session: Session, _value: str) -> None:
    session.console.verbose = True


def _colour(session: Session, value: str) -> None:
    session.console.colour = value


def _no_input(session: Session, _value: str) -> None:
    session.asking.allowed = False


def _password_stdin(session: Session, _value: str) -> None:
    session.asking.from_stdin = True
