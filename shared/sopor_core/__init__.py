"""Holds what client and server both may know: ids, log entries, their checks and the wire.

Nothing here can decrypt, and nothing here touches a disk or a network.
"""

__version__ = "0.1.0"
