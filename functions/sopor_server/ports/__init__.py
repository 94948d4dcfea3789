"""What the server asks of its storage: protocols, the records that pass them, and their errors.

The docstrings are the contract; `tests/contract` holds every adapter to it.
"""
