"""The functions that are deployed; `functions-framework --source functions/main.py` serves them.

`events` is for ASGI: `--asgi`, or FUNCTION_USE_ASGI=true.
"""

from sopor_server.entry import api, events, housekeeping

__all__ = ["api", "events", "housekeeping"]
