"""Configures what every test shares."""

import os

from hypothesis import settings

# Deadlines are off: no test may depend on how fast the machine is.
_EXAMPLES = int(os.environ.get("SOPOR_EXAMPLES", "50"))

settings.register_profile("default", max_examples=_EXAMPLES, deadline=None)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
