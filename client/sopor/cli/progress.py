"""One line on a terminal that says what goes on, once that takes longer than a second."""

from __future__ import annotations

import shutil
from threading import Event, Lock, Thread
from typing import TextIO

from sopor.cli.paint import finish, one_line

DELAY_SECONDS = 1.0
_REDRAW_SECONDS = 0.1
_ERASE = "\r\x1b[K"


class ProgressLine:
    """Shows the newest of the texts that it is told; a thread draws, so that telling costs nothing.

    Whoever writes to the same terminal calls `clear` before.
    """

    def __init__(self, stream: TextIO, delay: float = DELAY_SECONDS) -> None:
        """Takes the terminal, and how many seconds to keep still at first."""
        self._stream = stream
        self._delay = delay
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._text: str | None = None
        self._drawn: str | None = None

    def tell(self, text: str) -> None:
        """Takes what goes on now."""
        self._text = text
        if self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()

    def clear(self) -> None:
        """Erases the line, until something is told again."""
        with self._lock:
            self._text = None
            if self._drawn is not None:
                self._write(_ERASE)
                self._drawn = None

    def close(self) -> None:
        """Erases the line for good."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.clear()

    def _run(self) -> None:
        pause = self._delay
        while not self._stop.wait(pause):
            with self._lock:
                self._draw()
            pause = _REDRAW_SECONDS

    def _draw(self) -> None:
        text = self._text
        if text is None or text == self._drawn:
            return
        width = shutil.get_terminal_size().columns - 1
        self._write(_ERASE + finish(one_line(text), colour=False)[:width])
        self._drawn = text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
