"""Configures what every test shares."""

import os
import signal

from hypothesis import settings

# Deadlines are off: no test may depend on how fast the machine is.
_EXAMPLES = int(os.environ.get("SOPOR_EXAMPLES", "50"))

settings.register_profile("default", max_examples=_EXAMPLES, deadline=None)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Whoever starts the tests in the background of a script has them ignore Ctrl-C, and the commands
# that they start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
