"""Keeps Google's packages from writing to stderr what is no log of this server.

Two of them do: `google.api_core` warns, from a fixed day on, of a Python that its next releases
will not support, and gRPC tells of each connection that the other side closes. What concerns a
call comes as the call's error anyway.
"""

from __future__ import annotations

import os
import warnings


def keep_quiet() -> None:
    """Leaves out these notices; must be called before the packages are imported."""
    warnings.filterwarnings(
        "ignore", r"You are using a .*Python version", FutureWarning, r"google\.api_core\."
    )
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
