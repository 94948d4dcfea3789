"""Imports modules when they are first used: a command pays for what it does, not for what it could.

if TYPE_CHECKING:
from sopor.keystore import protection
from sopor.keystore.entry import OpenEntry
else:
protection = lazy_module("sopor.keystore.protection")   # in a module
__getattr__ = lazy_names(__name__, entry=["OpenEntry"])  # in a package's `__init__`
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
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


def lazy_names(package: str, **modules: Sequence[str]) -> Callable[[str], object]:
    """Returns a package's `__getattr__` (PEP 562), which imports what is asked for.

    Args:
        package: the package's name.
        modules: by the name of a module of the package, what the package offers from it. No such
            name may be that of a module of the package as well.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return get
