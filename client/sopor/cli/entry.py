"""Runs one command line and turns what happens into messages and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

import click

from sopor.cli import exit_codes
from sopor.cli.root import root
from sopor.cli.session import Session
from sopor.errors import SoporError, exit_code

DEBUG_VARIABLE = "SOPOR_DEBUG"
COMPLETION_VARIABLE = "_SOPOR_COMPLETE"


def run(arguments: Sequence[str]) -> int:
    """Runs a command line, without the program's name; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A character that the terminal's encoding lacks must not end a command half-way.
            stream.reconfigure(errors="backslashreplace")
    session = Session.of_process()
    code = _guarded(session, arguments)
    try:
        session.console.close()
    except BrokenPipeError:
        code = exit_codes.BROKEN_PIPE
        _silence(sys.stdout, sys.stderr)
    except OSError as error:
        code = exit_codes.STORAGE
        _silence(sys.stdout)
        _fail(session, "disk-full", f"the result was not written ({error.strerror})", None, code)
    return code


def _guarded(session: Session, arguments: Sequence[str]) -> int:
    try:
        return _call(session, arguments)
    except SoporError as error:
        code = exit_code(error)
        _fail(session, error.code, error.message, error.hint, code)
        _keep(arguments, error.code, error)
        _debug(session)
    except click.ClickException as error:
        code = exit_codes.USAGE
        if "--json" in arguments:  # it may stand behind what was not understood
            session.console.json = True
        _fail(session, "usage", _sentence(error), _usage_hint(error), code)
    except BrokenPipeError:
        code = exit_codes.BROKEN_PIPE
    except (click.Abort, KeyboardInterrupt):
        code = exit_codes.INTERRUPTED
        _fail(session, "interrupted", "interrupted", None, code)
    except Exception as error:  # noqa: BLE001 (the last resort, and it tells)
        code = exit_codes.UNEXPECTED
        _fail(session, "unexpected", _place(error), _report_hint(), code)
        _keep(arguments, "unexpected", error)
        _debug(session)
    return code


def _call(session: Session, arguments: Sequence[str]) -> int:
    """Runs the command without click's own `main`, which takes closed pipes and Ctrl-C its way."""
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(root, {"obj": session}, "sopor", COMPLETION_VARIABLE, instruction)
    try:
        with root.make_context("sopor", list(arguments), obj=session) as context:
            root.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return exit_codes.SUCCESS


def _fail(session: Session, code: str, message: str, hint: str | None, number: int) -> None:
    try:
        session.console.fail(code, message, hint, number)
    except BrokenPipeError:
        _silence(sys.stderr)


def _sentence(error: click.ClickException) -> str:
    text = error.format_message().strip()
    return text[:1].lower() + text[1:].rstrip(".")


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{context.command_path if context else 'sopor'} --help`"


def _place(error: BaseException) -> str:
    """Says where an unknown error was raised, but not its text, which may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "nowhere"
    return f"sopor met an error that it does not know: {type(error).__name__} in {where}"


def _report_hint() -> str:
    return (
        "run `sopor bug-report`, which writes a file with no secret in it, and report it; "
        f"{DEBUG_VARIABLE}=1 prints more"
    )


def _keep(arguments: Sequence[str], code: str, error: BaseException) -> None:
    """Keeps where an error arose, for a bug report."""
    from sopor.cli.catalog import COMMANDS
    from sopor.diagnosis import last_error
    from sopor.keystore.home import sopor_home

    command = next((word for word in arguments if word in COMMANDS), "")
    last_error.keep(sopor_home(), command, code, error)


def _debug(session: Session) -> None:
    if os.environ.get(DEBUG_VARIABLE, "") in ("", "0"):
        return
    import traceback

    text = traceback.format_exc().rstrip()
    for secret in sorted(session.asking.given, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    session.console.tell_all(text)


def _silence(*streams: TextIO) -> None:
    """Keeps the interpreter from writing at its end what nobody takes, and from complaining."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
