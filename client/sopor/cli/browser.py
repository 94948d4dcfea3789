"""Shows a person where to sign on: in a browser, or as an address to open somewhere."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sopor.cli.console import Console


class Browser:
    """Opens addresses for a person; a library caller has an own one."""

    def __init__(self, console: Console, *, opens: bool) -> None:
        """Takes where to tell, and whether a browser is opened."""
        self._console = console
        self._opens = opens

    def show(self, url: str, issuer: str) -> None:
        """Shows a page of an issuer: opens it, or writes its address where that is not possible."""
        opened = self._opens and _open(url)
        if self._console.json and not opened:
            told = {"sign_on": {"issuer": issuer, "url": url}}
            self._console.tell_all(json.dumps(told))
        elif opened:
            self._console.note(f"sign on at {issuer}, in the browser that just opened")
        else:
            self._console.tell_all(f"sign on at {issuer}, in a browser on this machine:\n{url}")


def _open(url: str) -> bool:
    """Opens a browser that has its own window; one in the terminal would be in the way."""
    windows = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not windows:
        return False
    import webbrowser

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
