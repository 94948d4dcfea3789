"""`sopor help`."""

from __future__ import annotations

import click

from sopor.cli import exit_codes
from sopor.cli.catalog import COMMANDS
from sopor.cli.declaring import command as declare
from sopor.cli.session import Session
from sopor.cli.topics import TOPICS, overview


@declare(
    "help",
    examples=["sopor help commit", "sopor help devices revoke", "sopor help exit-codes"],
)
@click.argument("words", nargs=-1, metavar="[COMMAND | TOPIC]")
@click.pass_context
def command(context: click.Context, session: Session, words: tuple[str, ...]) -> None:
    """Explains a command, or one of the topics that `sopor help topics` lists."""
    root = context.find_root()
    if not words:
        session.console.result({"commands": dict(COMMANDS)}, root.get_help().split("\n"))
    elif words == ("topics",):
        summaries = {name: summary for name, (summary, _) in TOPICS.items()}
        session.console.result(summaries, overview())
    elif words == ("exit-codes",):
        table = [row._asdict() for row in exit_codes.TABLE]
        session.console.result(table, exit_codes.text_table())
    elif len(words) == 1 and words[0] in TOPICS:
        _, text = TOPICS[words[0]]
        session.console.result({"topic": words[0], "text": text}, text.rstrip("\n").split("\n"))
    else:
        text = _command_help(root, words)
        session.console.result({"command": " ".join(words), "text": text}, text.split("\n"))


def _command_help(root: click.Context, words: tuple[str, ...]) -> str:
    context = root
    for word in words:
        group = context.command
        found = group.get_command(context, word) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(
                f"there is no command or topic {' '.join(words)!r}; see `sopor help topics`"
            )
        context = click.Context(
            found, parent=context, info_name=word, **(found.context_settings or {})
        )
    return context.get_help()
