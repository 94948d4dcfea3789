"""Where this device keeps its secrets and settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

HOME_VARIABLE = "SOPOR_HOME"


def sopor_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Returns ``$SOPOR_HOME``, or the system's folder for the user's configuration."""
    named = environment.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_config_path

    return user_config_path("sopor")
