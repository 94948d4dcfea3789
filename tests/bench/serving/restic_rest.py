"""Serves repositories by restic's REST protocol, version 2, from a folder.

After https://restic.readthedocs.io/en/stable/100_references.html#rest-backend: files of five
types and a config; names are found in lists with their sizes; reads may ask for a range.
"""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_MEDIA_TYPE = "application/vnd.x.restic.rest.v2"
_TYPES = ("data", "index", "keys", "locks", "snapshots")
_NAME = re.compile(rf"/(\w+)/(?:(config)|({'|'.join(_TYPES)})/([0-9a-f]*))?")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    root = Path()

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        """Tells the size of a file."""
        path = self._path()
        if path is None or not path.is_file():
            self._say(404)
        else:
            self._say(200, length=path.stat().st_size)

    def do_GET(self) -> None:
        """Lists a folder, or sends a file or a range of it."""
        path = self._path()
        if path is not None and path.is_dir():
            files = [{"name": each.name, "size": each.stat().st_size} for each in path.iterdir()]
            self._say(200, json.dumps(files).encode(), _MEDIA_TYPE)
        elif path is None or not path.is_file():
            self._say(404)
        else:
            self._send(path.read_bytes())

    def do_POST(self) -> None:
        """Takes a new file, or makes a repository."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        url, path = urlsplit(self.path), self._path()
        if url.query == "create=true":
            for name in _TYPES:
                (self.root / url.path.strip("/") / name).mkdir(parents=True, exist_ok=True)
            self._say(200)
        elif path is None or path.is_dir():
            self._say(404)
        elif path.exists():
            self._say(403)
        else:
            path.write_bytes(body)
            self._say(200)

    def do_DELETE(self) -> None:
        """Removes a file."""
        path = self._path()
        if path is None or not path.is_file():
            self._say(404)
        else:
            path.unlink()
            self._say(200)

    def _path(self) -> Path | None:
        found = _NAME.fullmatch(urlsplit(self.path).path)
        if found is None:
            return None
        repository, config, kind, name = found.groups()
        return self.root / repository / (config or f"{kind or '.'}/{name or ''}")

    def _send(self, data: bytes) -> None:
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted is None:
            self._say(200, data)
            return
        first = int(wanted[1])
        last = int(wanted[2]) if wanted[2] else len(data) - 1
        self._say(206, data[first : last + 1], of=f"bytes {first}-{last}/{len(data)}")

    def _say(
        self,
        status: int,
        body: bytes = b"",
        media_type: str = "application/octet-stream",
        *,
        length: int | None = None,
        of: str | None = None,
    ) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if of:
            self.send_header("Content-Range", of)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def main(root: str) -> None:
    """Prints the port, and serves the repositories of a folder."""
    Handler.root = Path(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
