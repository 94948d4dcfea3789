"""Sopor's tests; README.md beside this file says which folder holds what."""
