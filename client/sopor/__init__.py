"""Keeps the documents of API clients under end-to-end encrypted version control.

This package is both the library and the `sopor` command; it is the only part of the project that
can decrypt.
"""

from sopor_core import __version__

__all__ = ["__version__"]
