"""What client and server may both know: formats, rules, wire. Nothing here can decrypt."""

__version__ = "0.1.0"
