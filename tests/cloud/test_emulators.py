"""Without the emulators a person's tests are skipped and say why; the project's own must not be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.support import emulators


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(emulators.MissingError, match="Java"):
        emulators.firestore_command(1)
    monkeypatch.setattr(shutil, "which", lambda name: f"/nowhere/bin/{name}")
    monkeypatch.setattr(emulators, "_JAR", "no/such.jar")
    with pytest.raises(emulators.MissingError, match="gcloud components install"):
        emulators.firestore_command(1)
    monkeypatch.setattr(emulators, "_WRAPPER", "no_such_package")
    with pytest.raises(emulators.MissingError, match="fake-gcs-server"):
        emulators.storage_command(1)


def test_a_missing_part_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(Skipped, match="not on this machine: Java"):
        emulators._do_without(emulators.MissingError("Java"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Failed, match="not on this machine: Java"):
        emulators._do_without(emulators.MissingError("Java"))
