"""Serves bare repositories by smart HTTP: git's own http-backend behind threads.

What a web server does for it: requests with a length or in chunks become its stdin, its answer goes
out as it comes, in chunks where it says no length. Connections are kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from urllib.parse import urlsplit

_CHUNK = 64 * 1024


class Handler(BaseHTTPRequestHandler):
    """Hands each request to a process of http-backend."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = _CHUNK
    backend = ""
    root = ""

    def do_GET(self) -> None:
        """Answers a request without a body."""
        self._answer()

    def do_POST(self) -> None:
        """Answers a request with a body."""
        self._answer()

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        process = subprocess.Popen(
            [self.backend],
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        with process:
            for data in self._body():
                process.stdin.write(data)
            process.stdin.close()
            assert isinstance(process.stdout, BufferedReader)
            self._pass_on(process.stdout)

    def _environment(self) -> dict[str, str]:
        url = urlsplit(self.path)
        named = {
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": self.root,
            "REQUEST_METHOD": self.command,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REMOTE_USER": "bench",
            "REMOTE_ADDR": "127.0.0.1",
            **{name: value for name, value in named.items() if value},
        }

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.flush()
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left:
            data = self.rfile.read(min(left, _CHUNK))
            left -= len(data)
            yield data

    def _pass_on(self, answer: BufferedReader) -> None:
        headers: dict[str, str] = {}
        while line := answer.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name] = value
        self.send_response_only(int(headers.pop("Status", "200").split()[0]))
        chunked = "Content-Length" not in headers
        for name, value in headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data := answer.read1(_CHUNK):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def main(root: str) -> None:
    """Prints the port, and serves the repositories of a folder."""
    where = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    Handler.backend = f"{where.stdout.strip()}/git-http-backend"
    Handler.root = root
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
