"""`sopor watch`."""

from __future__ import annotations

import json
import os
import signal
from types import FrameType
from typing import TYPE_CHECKING

import click

from sopor.cli.declaring import command as declare
from sopor.cli.paint import one_line, paint
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.repository import Repository
    from sopor.watch import Report, Watch

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 3.0


@declare(
    "watch",
    examples=["sopor watch", "sopor watch --auto", "sopor watch --auto --install"],
)
@click.option("--auto", is_flag=True, help="Commit and push edits once files settle.")
@click.option(
    "--settle",
    type=click.FloatRange(0.1, 60.0),
    default=1.0,
    metavar="SECONDS",
    help="How long no file was saved when edits are committed; 1 by default.",
)
@click.option("--install", is_flag=True, help="Have it run whenever you are logged in.")
@click.option("--uninstall", is_flag=True, help="Take back what --install did.")
def command(session: Session, auto: bool, settle: float, install: bool, uninstall: bool) -> None:
    """Receives what others push as they push it, and brings it into the files, until Ctrl-C.

    Edits that are not committed are kept: what comes is merged into the files around them, field by
    field, and where both changed the same field it waits, tells which documents, and tries again
    when these are saved or committed. If this branch has commits of its own, what comes is merged
    with them as `sopor pull` does; but a merge that would stop at conflicts is not begun: `sopor
    pull` begins it. It commits nothing but such merges, and pushes nothing.

    With --auto, edits are committed and pushed once no file was saved for a second, at the latest
    every ten seconds while edits go on; so are commits that you make yourself on the current
    branch. What looks like a secret is not committed: `sopor commit` by hand decides. A merge with
    conflicts is begun and waits: settle it with `sopor resolve`, and it is committed and pushed.

    Other commands work meanwhile. `sopor status` tells how it goes.
    """
    if install and uninstall:
        raise click.UsageError("--install and --uninstall exclude each other")
    if install or uninstall:
        _units(session, auto=auto, settle=settle, install=install)
        return
    from sopor.repository import Repository
    from sopor.watch import Options, Watch
    from sopor.watch.following import Remembering

    passwords = Remembering(session.asking)
    with session.open(passwords) as repository:
        root = repository.root

        def opened() -> Repository:
            return Repository.open(root, passwords=passwords)

        watch = Watch(
            repository, opened, Options(auto, settle), lambda report: _tell(session, report)
        )
        _warn_of_polling(session)
        _stop_at_signals(watch)
        try:
            watch.run()
        except KeyboardInterrupt:
            if not watch.stopping:
                raise


def _stop_at_signals(watch: Watch) -> None:
    """Has a signal end the watch after the step that it is at, if that ends soon.

    Else the step is left where it is, as the next command ends what is interrupted: it may wait for
    a server that does not answer.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        watch.stop()
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_SECONDS)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, stop)


def _warn_of_polling(session: Session) -> None:
    from sopor.watch.files import has_watchfiles

    if not has_watchfiles():
        session.console.note("watchfiles is not installed: files are looked at every second")
        session.console.hint("`pip install 'sopor[watch]'` has the system tell of saved files")


def _tell(session: Session, report: Report) -> None:
    """Writes what happened: a line of text, or of JSON."""
    from sopor.moments import Moment, now

    console = session.console
    if console.json:
        line = {"time": Moment(now()).iso, "event": report.event, **report.details}
        console.write_text(json.dumps(line) + "\n")
    elif report.warning:
        console.warn(one_line(report.text))
    elif not console.quiet:
        from datetime import datetime

        time = datetime.now().astimezone().strftime("%H:%M:%S")
        console.write_lines([f"{paint('dim', time)} {one_line(report.text)}"])
    console.out.flush()


def _units(session: Session, *, auto: bool, settle: float, install: bool) -> None:
    from sopor.watch import units

    with session.open() as repository:
        unit = units.unit_of(repository, auto=auto, settle=settle, environment=os.environ)
        commands = unit.install() if install else unit.uninstall()
    done = "Wrote" if install else "Removed"
    value = {"path": str(unit.path), "commands": list(commands)}
    lines = [f"{done} {unit.path}", "Now run:", *(f"  {line}" for line in commands)]
    session.console.report(value, lines)
