"""Serves Sopor's backend: it stores sealed packs and checks signed logs, and can read neither.

It runs as Cloud Functions on Firestore and Cloud Storage, or as one process on SQLite and files.
"""

from sopor_core import __version__

__all__ = ["__version__"]
