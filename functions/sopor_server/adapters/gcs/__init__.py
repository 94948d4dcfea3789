"""The blob port on Google Cloud Storage, by Google's own client library.

The library is imported with the first request, since it takes a quarter of a second; a process
that never touches a pack never pays for it.
"""

from sopor_server.adapters.gcs.store import GcsBlobStore

__all__ = ["GcsBlobStore"]
