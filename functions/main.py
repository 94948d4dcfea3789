"""The functions that are deployed; `functions-framework --source functions/main.py` serves them."""

from sopor_server.entry import api, housekeeping

__all__ = ["api", "housekeeping"]
