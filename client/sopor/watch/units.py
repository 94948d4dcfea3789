"""Has the system's service manager run a watch: a systemd user unit, or a launchd agent.

It writes one file and tells what to run; it starts nothing by itself.
"""

from __future__ import annotations

import plistlib
import re
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.disk import disk_errors
from sopor.errors import InputNeeded, NotFound, StateConflict
from sopor.keystore.home import HOME_VARIABLE, sopor_home
from sopor.records import dataclass

if TYPE_CHECKING:
    from sopor.repository import Repository

_PASSED_ON = (HOME_VARIABLE, "SOPOR_PASSWORD_FILE")
_FOR_GOOD = "2 3 4 6 7 9 10 11 13"
"""Exit codes after which starting again would not help."""
_RESTART_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Unit:
    """What makes a service manager run one watch.

    Attributes:
        path: its file.
        text: what is in it.
        enable: the commands that start it, now and from then on.
        disable: the commands that end it, and forget it.
    """

    path: Path
    text: str
    enable: Sequence[str]
    disable: Sequence[str]

    def install(self) -> Sequence[str]:
        """Writes the file; returns the commands to run."""
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.text, encoding="utf-8")
        return self.enable

    def uninstall(self) -> Sequence[str]:
        """Removes the file; returns the commands to run. Raises NotFound if there is none."""
        try:
            with disk_errors(self.path):
                self.path.unlink()
        except FileNotFoundError:
            raise NotFound(
                f"{self.path} is not there", hint="nothing is installed for this working copy"
            ) from None
        return self.disable


def unit_of(
    repository: Repository,
    *,
    auto: bool,
    settle: float,
    environment: Mapping[str, str],
    platform: str = sys.platform,
) -> Unit:
    """Returns the unit for a working copy.

    Args:
        repository: the working copy.
        auto: whether the watch commits and pushes.
        settle: as for the watch.
        environment: that of this process.
        platform: as ``sys.platform``.

    Raises:
        StateConflict: the project is on no server, or this system has neither service manager.
        InputNeeded: the keystore needs a password, which nobody could type.
    """
    _check_unattended(repository, environment)
    root = repository.root
    words = [sys.executable, "-P", "-m", "sopor", "-C", str(root), "watch", "--no-input"]
    words += ["--auto"] if auto else []
    words += ["--settle", f"{settle:g}"] if settle != 1.0 else []
    passed = {name: environment[name] for name in _PASSED_ON if environment.get(name)}
    slug = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:40] or "project"
    name = f"sopor-watch-{slug}-{sha256(str(root).encode()).hexdigest()[:8]}"
    if platform == "darwin":
        return _launchd(name, root, words, passed)
    if platform.startswith("linux"):
        return _systemd(name, root, words, passed, environment)
    raise StateConflict(
        "this system has neither systemd nor launchd",
        hint="have its own service manager run `sopor watch --no-input`",
    )


def _check_unattended(repository: Repository, environment: Mapping[str, str]) -> None:
    from sopor.keystore import Keystore, Protection
    from sopor.repository.accounts import AccountSource

    context = repository.context
    if context.org is None:
        raise StateConflict("the project is on no server yet", hint="publish it with `sopor push`")
    account = AccountSource.account_id(context.store.settings.get("account"))
    known = Keystore(sopor_home(environment)).find(context.server, None, account)
    if known.protection is Protection.PASSWORD and not environment.get("SOPOR_PASSWORD_FILE"):
        raise InputNeeded(
            "the keystore of this device needs the password, which nobody could type",
            hint="log in with `sopor login --keystore keychain` or `--keystore file`, or name a "
            "file of yours that holds the password in SOPOR_PASSWORD_FILE",
        )


def _systemd(
    name: str,
    root: Path,
    words: Sequence[str],
    passed: Mapping[str, str],
    environment: Mapping[str, str],
) -> Unit:
    base = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    lines = [
        "[Unit]",
        f"Description=Keeps {_plain(str(root))} in step with its Sopor project",
        "",
        "[Service]",
        f"ExecStart={' '.join(map(_quoted, words))}",
        *(f"Environment={_quoted(f'{key}={value}', '%')}" for key, value in passed.items()),
        "Restart=on-failure",
        f"RestartSec={_RESTART_SECONDS}",
        f"RestartPreventExitStatus={_FOR_GOOD}",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    return Unit(
        Path(base) / "systemd" / "user" / f"{name}.service",
        "\n".join(lines),
        ["systemctl --user daemon-reload", f"systemctl --user enable --now {name}.service"],
        [f"systemctl --user disable --now {name}.service", "systemctl --user daemon-reload"],
    )


def _quoted(word: str, special: str = "%$") -> str:
    """Returns a word for a unit file, whose specifiers and variables are written twice."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    for character in special:
        text = text.replace(character, character * 2)
    return f'"{text}"'


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("%", "%%").rstrip("\\")


def _launchd(name: str, root: Path, words: Sequence[str], passed: Mapping[str, str]) -> Unit:
    label = f"app.sopor.{name.removeprefix('sopor-')}"
    path = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
    agent: dict[str, object] = {
        "Label": label,
        "ProgramArguments": list(words),
        "WorkingDirectory": str(root),
        "EnvironmentVariables": dict(passed),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": _RESTART_SECONDS,
        "StandardErrorPath": str(root / ".sopor" / "watch.log"),
    }
    return Unit(
        path,
        plistlib.dumps(agent).decode(),
        [f"launchctl bootstrap gui/$(id -u) '{path}'"],
        [f"launchctl bootout gui/$(id -u)/{label}"],
    )
