"""`sopor who`."""

from __future__ import annotations

from sopor.cli.declaring import command as declare
from sopor.cli.rendering.presence import presence_lines
from sopor.cli.session import Session


@declare("who", examples=["sopor who", "sopor config presence on", "sopor who --json"])
def command(session: Session) -> None:
    """Lists who works on which branch of the project, and since when; this device has a star.

    Only devices are listed that say so: those where `sopor watch` runs, and that were asked to by
    `sopor config presence on`. It is off by default, and `sopor config presence off` ends it. Notes
    that do not verify, or that are older than some minutes, are not shown. Times are by the clocks
    of those devices.

    What a device says is sealed for the members of the project. The server learns which account and
    device is present in which project, and when; it learns neither the branch nor the device's
    name from it. Without the setting, it sees of a watch that it listens.
    """
    with session.open() as repository:
        found = repository.presence()
    session.console.result(found, presence_lines(found))
    if not found:
        session.console.note("nobody tells that they are here")
        session.console.hint("`sopor config presence on` has your `sopor watch` tell it")
