"""`sopor` itself: knows its commands by name and imports the one that is called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

import click

from sopor.cli.catalog import COMMANDS, HABITS, SECTIONS
from sopor.cli.declaring import HELP_SETTINGS, format_options
from sopor.cli.options import common_options
from sopor.cli.session import Session
from sopor.errors import NotFound


class Root(click.Group):
    """The group of all commands, none of which is imported before it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Returns the names of all commands."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        cmd_name: str,
    ) -> click.Command | None:
        """Returns a command, importing its module; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"sopor.cli.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(found, click.Command)  # noqa: S101 (the catalog's promise)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command that is called; raises UsageError with what may have been meant."""
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        if name in HABITS:
            raise click.UsageError(f"there is no command {name!r}: {HABITS[name]}", ctx)
        from difflib import get_close_matches

        close = get_close_matches(name, COMMANDS, 1)
        meant = f"; did you mean `sopor {close[0]}`?" if close else ""
        raise click.UsageError(f"there is no command {name!r}{meant}", ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands in their groups, then the options."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{width}}", text) for name, text in commands.items()])
        format_options(self, ctx, formatter)


def _change_folder(
    _context: click.Context, _parameter: click.Parameter, value: Sequence[str]
) -> None:
    """Goes to the folders that ``-C`` names, one after the other, as git does."""
    for folder in value:
        try:
            os.chdir(folder)
        except OSError as error:
            raise NotFound(
                f"cannot go to {folder!r} ({error.strerror})", hint="correct -C"
            ) from None


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from sopor_core import __version__

        click.echo(f"sopor {__version__}")
        context.exit()


@click.group(
    "sopor",
    cls=Root,
    invoke_without_command=True,
    context_settings=HELP_SETTINGS,
    epilog="`sopor help COMMAND` explains a command, `sopor help topics` tells what else there is.",
)
@click.option(
    "-C",
    "folders",
    metavar="DIR",
    multiple=True,
    expose_value=False,
    callback=_change_folder,
    help="Run as if started in DIR.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Print the version.",
)
@click.pass_context
def root(context: click.Context) -> None:
    """Keeps API-client projects under end-to-end encrypted version control."""
    if context.invoked_subcommand is None:
        if isinstance(context.obj, Session):
            context.obj.console.note(context.get_help())
        raise click.UsageError("no command was named", context)


root.params += common_options()
