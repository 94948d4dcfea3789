"""What borg takes for ssh: joins stdin and stdout to a port of this machine.

The port is the first argument; host and command, that borg appends, are of no use here.
"""

import os
import socket
import sys
import threading


def _up(connection: socket.socket) -> None:
    while data := os.read(0, 262144):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def main() -> None:
    """Passes bytes on until the server ends."""
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_up, args=(connection,), daemon=True).start()
        while data := connection.recv(262144):
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]
        os._exit(0)


if __name__ == "__main__":
    main()
