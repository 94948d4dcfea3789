"""Single modules of the server."""
