"""Plays the README's tour against a local server: shows each command and what it answers.

Everything lies in ``.tour`` beside the README (or in the folder named by ``--folder``): a folder
for each device with its own keystore, and the server's data. Nothing else on the machine is
touched.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.tour.script import Step, read_script  # noqa: E402 - run as a program, from anywhere

PORT = "8750"
PASSWORD = "correct horse battery staple"
SERVER = "server"


class TourError(Exception):
    """A command of the tour did not do what the README promises."""


@dataclass
class Device:
    """A folder with a keystore of its own: one of the machines of the tour."""

    folder: Path
    cwd: Path
    env: dict[str, str]

    @classmethod
    def create(cls, root: Path, name: str) -> Device:
        """Makes the folder, and a file to `source` for going on by hand."""
        folder = root / name
        folder.mkdir(parents=True)
        password = root / "password.txt"
        password.write_text(PASSWORD + "\n", encoding="utf-8")
        own = {"SOPOR_HOME": str(folder / ".keystore"), "SOPOR_PASSWORD_FILE": str(password)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        lines = [f"export {key}='{value}'" for key, value in (own | {"PATH": path}).items()]
        (root / f"{name}.env").write_text("\n".join(lines) + "\n", encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SOPOR_")}
        return cls(folder, folder, kept | own | {"PATH": path, "EDITOR": "true", "HOME": str(root)})


@dataclass
class Tour:
    """The tour as it goes: devices, the server's process, and where output goes."""

    folder: Path
    port: str
    quiet: bool = False
    devices: dict[str, Device] = field(default_factory=dict)
    server: subprocess.Popen[str] | None = None

    def play(self, steps: list[Step]) -> None:
        """Runs every step; raises TourError at the first that disappoints."""
        for step in steps:
            self.say(f"\n{bold(f'{step.device} $ {step.command}')}")
            command = step.command.replace(PORT, self.port).replace(
                "../../examples", f"{ROOT}/examples"
            )
            if step.device == SERVER:
                self.start_server(command)
            else:
                self.run(step, command)

    def device(self, name: str) -> Device:
        """Returns a device, new at its first step."""
        if name not in self.devices:
            self.devices[name] = Device.create(self.folder, name)
        return self.devices[name]

    def start_server(self, command: str) -> None:
        """Starts the server in the background and waits until it listens."""
        device = self.device(SERVER)
        with (self.folder / "server.log").open("w", encoding="utf-8") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=device.folder,
                env=device.env,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.server.stdout is not None
        line = self.server.stdout.readline()
        if "listening" not in line:
            raise TourError(f"the server did not start, see {self.folder / 'server.log'}")
        self.say(line.rstrip())

    def run(self, step: Step, command: str) -> None:
        """Runs one command in its device's folder and compares the answer."""
        device = self.device(step.device)
        where = self.folder / "cwd.txt"
        ran = subprocess.run(
            ["bash", "-c", f"{command}\ncode=$?; pwd >'{where}'; exit $code"],
            cwd=device.cwd,
            env=device.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        device.cwd = Path(where.read_text(encoding="utf-8").strip())
        answer = ran.stdout.replace(self.port, PORT)
        self.say(ran.stdout.rstrip())
        if ran.returncode != step.exit_code:
            raise TourError(
                f"`{step.command}` exited with {ran.returncode}, not {step.exit_code}:\n"
                f"{ran.stdout}"
            )
        missing = step.mismatch(answer)
        if missing is not None:
            raise TourError(f"`{step.command}` did not answer {missing!r}, but:\n{ran.stdout}")

    def say(self, text: str) -> None:
        """Shows something to the reader."""
        if text and not self.quiet:
            print(text, flush=True)

    def stop(self) -> None:
        """Ends the server."""
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(timeout=30)
            if self.server.stdout is not None:
                self.server.stdout.close()


def bold(text: str) -> str:
    """Returns the text in bold where somebody looks at a terminal that shows it."""
    plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    return text if plain else f"\033[1m{text}\033[0m"


def free_port() -> str:
    """Returns the README's port if it is free, else any free one."""
    for wanted in (int(PORT), 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return str(probe.getsockname()[1])
    raise TourError("no port is free on 127.0.0.1")


def main() -> int:
    """Plays the tour; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".tour")
    parser.add_argument("--keep-serving", action="store_true", help="leave the server running")
    options = parser.parse_args()
    if options.folder.exists():
        shutil.rmtree(options.folder)
    options.folder.mkdir(parents=True)
    tour = Tour(options.folder.resolve(), free_port())
    try:
        tour.play(read_script(ROOT / "README.md"))
        if options.keep_serving:
            _go_on(tour)
    except TourError as error:
        print(f"\nthe tour ended early: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        tour.stop()
    return 0


def _go_on(tour: Tour) -> None:
    """Tells how to go on by hand, and waits with the server running."""
    laptop = tour.devices["laptop"]
    tour.say(
        f"\nThe server listens on http://127.0.0.1:{tour.port} until you press Ctrl-C.\n"
        f"Go on in another terminal:\n\n"
        f"  source {tour.folder / 'laptop.env'}\n"
        f"  cd {laptop.cwd}\n"
        f"  sopor log --graph\n"
    )
    if tour.server is not None:
        tour.server.wait()


if __name__ == "__main__":
    sys.exit(main())
