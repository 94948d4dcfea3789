"""How a command is declared: its own options, those that all have, examples in its help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import click

from sopor.cli.options import CommonOption, common_options

HELP_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_DOCUMENTS = "sopor.documents"

Body: TypeAlias = Callable[..., None]
C = TypeVar("C", bound="SoporCommand")


class SoporCommand(click.Command):
    """A command with examples in its help."""

    examples: tuple[str, ...] = ()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the command's own options, then those of every command."""
        format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples."""
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        super().format_epilog(ctx, formatter)


class RevisionsCommand(SoporCommand):
    """A command whose words are revisions, then documents; what follows ``--`` are documents."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts aside what follows ``--``, which click would forget."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_DOCUMENTS] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


def documents_after_dashes() -> tuple[str, ...]:
    """Returns the words that stood behind ``--`` in the command that runs now."""
    found: tuple[str, ...] = click.get_current_context().meta.get(_DOCUMENTS, ())
    return found


class SoporGroup(SoporCommand, click.Group):
    """A command that has commands of its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands and the options."""
        self.format_commands(ctx, formatter)
        format_options(self, ctx, formatter)


def command(
    name: str, *, examples: Sequence[str], revisions: bool = False
) -> Callable[[Body], SoporCommand]:
    """Declares a command; the function gets the `Session` first, then its own arguments."""
    cls = RevisionsCommand if revisions else SoporCommand

    def declare(function: Body) -> SoporCommand:
        made = click.command(name, cls=cls, context_settings=HELP_SETTINGS)(
            click.pass_obj(function)
        )
        return _finished(made, examples)

    return declare


def group(name: str, *, examples: Sequence[str]) -> Callable[[Body], SoporGroup]:
    """Declares a command that has commands of its own, and does something without them as well."""

    def declare(function: Body) -> SoporGroup:
        made = click.group(
            name, cls=SoporGroup, context_settings=HELP_SETTINGS, invoke_without_command=True
        )(click.pass_obj(function))
        return _finished(made, examples)

    return declare


def _finished(made: C, examples: Sequence[str]) -> C:
    made.examples = tuple(examples)
    made.params += common_options()
    return made


def format_options(
    command: click.Command, context: click.Context, formatter: click.HelpFormatter
) -> None:
    """Writes the options of a command in two groups: its own, and those of every command."""
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            common = isinstance(parameter, CommonOption) or "--help" in parameter.opts
            (shared if common else own).append(record)
    for title, records in (("Options", own), ("Options of every command", shared)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)
