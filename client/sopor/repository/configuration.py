"""Preferences: of one working copy, or of the person on this device."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sopor.disk import make_private_folder, write_private
from sopor.errors import DamagedStore, InvalidInput
from sopor.store import Store
from sopor.store.settings import Settings

KNOWN: Mapping[str, str] = {
    "user.name": "the name that your commits carry",
    "server": "the address of the server that commands use when none is named",
    "secrets": "what to do about what looks like a secret: `warn`, `refuse` or `allow`",
    "presence": "whether `sopor watch` tells the other members your branch: `on` or `off`",
    "editor": "the editor for messages, instead of $EDITOR",
}
"""The settings that exist, and what each is for."""

_CHOICES: Mapping[str, tuple[str, ...]] = {"presence": ("on", "off")}
_PREFIX = "config."
_FILE = "config.json"


class Configuration:
    """Reads the working copy's settings first, then the device's."""

    def __init__(self, home: Path) -> None:
        """Takes the folder of the device's settings."""
        self._path = home / _FILE

    def get(self, name: str, store: Store | None = None) -> str | None:
        """Returns a setting, or None; raises InvalidInput for one that does not exist."""
        check_name(name)
        own = _settings(store).get(_PREFIX + name) if store else None
        return own if own is not None else self._read().get(name)

    def all(self, store: Store | None = None) -> dict[str, str]:
        """Returns every setting that is set."""
        own = _settings(store).all(_PREFIX) if store else {}
        return self._read() | {key.removeprefix(_PREFIX): value for key, value in own.items()}

    def set(self, name: str, value: str | None, store: Store | None = None) -> None:
        """Sets a setting of the working copy, without one of the device; None removes it.

        Raises:
            InvalidInput: there is no such setting, or the value is empty or not one of its choices.
        """
        check_name(name)
        if value is not None and not value.strip():
            raise InvalidInput(f"{name} needs a value", hint=f"remove it with `--unset {name}`")
        if value is not None and value not in _CHOICES.get(name, (value,)):
            choices = " or ".join(_CHOICES[name])
            raise InvalidInput(f"{name} is {choices}, not {value!r}", hint=f"say {choices}")
        if store is not None:
            _settings(store).set(_PREFIX + name, value)
            return
        values = self._read()
        values.pop(name, None)
        self._write(values | ({name: value} if value is not None else {}))

    def _read(self) -> dict[str, str]:
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            values = None
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise DamagedStore(
                f"{self._path} is not a JSON object of texts", hint="mend it, or delete it"
            )
        return values

    def _write(self, values: Mapping[str, str]) -> None:
        make_private_folder(self._path.parent)
        write_private(self._path, json.dumps(values, indent=2, sort_keys=True).encode())


def _settings(store: Store) -> Settings:
    return store.settings


def check_name(name: str) -> None:
    """Raises InvalidInput for a setting that does not exist."""
    if name not in KNOWN:
        raise InvalidInput(f"there is no setting {name!r}", hint=f"known are: {', '.join(KNOWN)}")
