"""The HTTP side: routes to handlers, errors to problem documents, one log line a request."""

from sopor_server.app.application import Application

__all__ = ["Application"]
