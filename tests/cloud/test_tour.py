"""The README's tour does on functions and emulators what it does on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.support.functions import RunningFunction, cloud_environment, start_function
from tests.tour.script import read_script
from tests.tour.tour import ROOT, Tour, free_port


@dataclass
class CloudTour(Tour):
    """A tour whose server is the deployed function."""

    settings: dict[str, str] | None = None
    function: RunningFunction | None = None

    def start_server(self, command: str) -> None:
        """Starts the function instead of what the README starts."""
        assert command.split()[:2] == ["sopor", "serve"]
        assert self.settings is not None
        log = self.folder / "function.log"
        self.function = start_function("api", self.settings, log, int(self.port))

    def stop(self) -> None:
        """Ends the function."""
        if self.function is not None:
            self.function.stop()


def test_the_tour_on_functions(
    firestore_emulator: str, storage_emulator: str, tmp_path: Path
) -> None:
    settings = cloud_environment(firestore_emulator, storage_emulator)
    tour = CloudTour(tmp_path, free_port(), quiet=True, settings=settings)
    try:
        tour.play(read_script(ROOT / "README.md"))
    finally:
        tour.stop()


def test_a_function_that_is_not_set_up_says_so_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    function = start_function("api", {"SOPOR_BUCKET": "b"}, log)
    try:
        answer = requests.get(f"{function.url}/v1/meta", timeout=60)
    finally:
        function.stop()
    assert answer.status_code == 503
    told = log.read_text(encoding="utf-8")
    for name in ("GOOGLE_CLOUD_PROJECT", "SOPOR_DATABASE", "SOPOR_SERVER_SECRET"):
        assert f"{name} is needed" in told


@pytest.mark.parametrize("missing", ["SOPOR_BUCKET", "FIRESTORE_EMULATOR_HOST"])
def test_health_tells_of_storages_that_do_not_answer(
    firestore_emulator: str, storage_emulator: str, tmp_path: Path, missing: str
) -> None:
    settings = cloud_environment(firestore_emulator, storage_emulator)
    function = start_function("api", settings, tmp_path / "log")
    try:
        assert requests.get(f"{function.url}/v1/health", timeout=60).status_code == 200
    finally:
        function.stop()
    settings[missing] = "no-such-bucket" if missing == "SOPOR_BUCKET" else "127.0.0.1:9"
    function = start_function("api", settings, tmp_path / "log")
    try:
        assert requests.get(f"{function.url}/v1/health", timeout=60).status_code == 503
    finally:
        function.stop()
