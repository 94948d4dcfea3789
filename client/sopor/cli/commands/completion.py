"""`sopor completion`."""

from __future__ import annotations

import click

from sopor.cli.declaring import command as declare
from sopor.cli.session import Session


@declare(
    "completion",
    examples=[
        "source <(sopor completion bash)",
        "sopor completion zsh > ~/.zfunc/_sopor",
        "sopor completion fish > ~/.config/fish/completions/sopor.fish",
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(session: Session, shell: str) -> None:
    """Prints the script that makes a SHELL complete commands, options and branches."""
    from click.shell_completion import get_completion_class

    from sopor.cli.entry import COMPLETION_VARIABLE
    from sopor.cli.root import root

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 (click has all three)
    script = kind(root, {}, "sopor", COMPLETION_VARIABLE).source()
    session.console.result({"shell": shell, "script": script}, script.rstrip("\n").split("\n"))
