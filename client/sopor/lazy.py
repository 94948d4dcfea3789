"""Imports modules when they are first used: a command pays for what it does, not for what it could.

if TYPE_CHECKING:
from sopor.repository import syncing
else:
syncing = lazy_module("sopor.repository.syncing")
"""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType


def lazy_module(name: str) -> ModuleType:
    """Returns a module that is executed at the first access to anything in it."""
    known = sys.modules.get(name)
    if known is not None:
        return known
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"no module named {name!r}", name=name)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
