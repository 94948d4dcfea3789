"""Serves borg's repositories over plain TCP: each connection is one `borg serve`.

`borg_rsh.py` beside it is what borg takes for ssh. Neither encrypts; on the loopback interface
that leaves out what ssh would add to borg's times and bytes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from threading import Thread


def _serve(connection: socket.socket, root: str) -> None:
    with connection:
        subprocess.run(
            ["borg", "serve"],
            cwd=root,
            env={"PATH": os.environ["PATH"], "HOME": root, "BORG_BASE_DIR": root},
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            check=False,
        )


def main(root: str) -> None:
    """Prints the port, and serves."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Thread(target=_serve, args=(connection, root), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
