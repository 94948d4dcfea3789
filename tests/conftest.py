"""Configures what every test shares."""

import os
import signal
from typing import Any

import pytest
from hypothesis import settings

# Deadlines are off: no test may depend on how fast the machine is.
_EXAMPLES = int(os.environ.get("SOPOR_EXAMPLES", "50"))

settings.register_profile("default", max_examples=_EXAMPLES, deadline=None)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Whoever starts the tests in the background of a script has them ignore Ctrl-C, and the commands
# that they start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_REPLAYS = ("history", "line merged", "edits", "whole documents", "inside them", "fields")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what replayed histories leave in conflict: merged as documents, and inside them."""
    rows: list[tuple[Any, ...]] = sorted(
        value
        for report in terminalreporter.getreports("passed")
        for name, value in getattr(report, "user_properties", ())
        if name == "replay" and getattr(report, "when", "") == "call"
    )
    if rows:
        terminalreporter.section("conflicts left by merges of real histories")
        for row in (_REPLAYS, *rows):
            first, *others = map(str, row)
            terminalreporter.write_line(f"{first:16}" + "".join(f"{cell:>17}" for cell in others))
