"""Saved files are noticed, with the system's help and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from sopor.watch import files
from sopor.watch.files import is_visible, watch_files


@contextmanager
def noticing(root: Path) -> Iterator[SimpleQueue[None]]:
    """Watches a folder, from when the first file in it was noticed."""
    noticed: SimpleQueue[None] = SimpleQueue()
    stop, number = Event(), 0
    thread = Thread(target=watch_files, args=(root, lambda: noticed.put(None), stop))
    thread.start()
    try:
        while noticed.empty():
            number += 1
            (root / "begin.json").write_text(str(number), encoding="utf-8")
            stop.wait(0.05)
        yield noticed
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("helped", [True, False])
def test_a_saved_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helped: bool
) -> None:
    monkeypatch.setattr(files, "has_watchfiles", lambda: helped)
    monkeypatch.setattr(files, "POLL_SECONDS", 0.02)
    with noticing(tmp_path) as noticed:
        (tmp_path / "folder").mkdir()
        new = tmp_path / "folder" / ".new"
        new.write_text("{}", encoding="utf-8")
        new.replace(tmp_path / "folder" / "saved.yaml")
        noticed.get(timeout=60)


def test_hidden_places_do_not_matter(tmp_path: Path) -> None:
    shown = ["project.json", "folder/project.yaml", ".insomnia/Request/req_1.yml", "folder"]
    hidden = [".git/index", ".sopor/sopor.db-wal", "node_modules/a.json", "a/.sopor-1.tmp"]
    for name in shown:
        assert is_visible(tmp_path, str(tmp_path / name))
    for name in [*hidden, "../elsewhere.json"]:
        assert not is_visible(tmp_path, str(tmp_path / name))
