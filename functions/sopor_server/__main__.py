"""The command `sopor-server`: the whole backend as one process, its housekeeping, its backups."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from sopor_core.errors import SoporError
from sopor_server.config import Config
from sopor_server.errors import InvalidConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT, or does once what another command asks for.

    Returns the exit code, 2 for what cannot be started.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["license"]:
        from sopor_server import licensing

        return licensing.main(arguments[1:])
    if arguments[:1] == ["unlink"]:
        from sopor_server import unlinking

        return unlinking.main(arguments[1:])
    if arguments[:1] in (["backup"], ["restore"]):
        from sopor_server.backups import command

        return command.main(arguments)
    options = _parser().parse_args(arguments)
    os.umask(0o077)
    if options.data is not None:
        os.environ["SOPOR_DATA"] = str(options.data.absolute())
    try:
        if options.command == "housekeeping":
            _keep_house(everything=options.everything)
            return 0
        config = Config.from_environment(os.environ)
        _check(config, options.host, options.port)
        streams = _listen_beside(options.host, options.port, options.events_port)
    except (SoporError, OSError) as error:
        hint = getattr(error, "hint", None)
        sys.stderr.write(f"sopor-server: {error}\n" + (f"hint: {hint}\n" if hint else ""))
        return 2
    return _serve(config, options.host, options.port, streams)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sopor-server",
        description="Serve Sopor's backend on SQLite and files.",
        epilog="`sopor-server license --help` tells how to sign what organizations may use, "
        "`sopor-server unlink --help` how an account gets another person of the issuer, "
        "`sopor-server backup --help` and `sopor-server restore --help` how nothing is lost.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "housekeeping"),
        default="serve",
        help="serve, or remove once what nothing needs any more (run it daily) (%(default)s)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=8440, help="port to listen on, 0 chooses one (%(default)s)"
    )
    parser.add_argument(
        "--events-port",
        type=int,
        help="port of the streams of events (default: the one after --port, a free one if that is"
        " taken)",
    )
    parser.add_argument(
        "--data", type=Path, help="folder of all data (default: SOPOR_DATA, or the user's)"
    )
    parser.add_argument(
        "--everything", action="store_true", help="let the housekeeping look at packs of any age"
    )
    return parser


def _keep_house(*, everything: bool) -> None:
    from sopor_server.bootstrap import keep_house

    done = keep_house(os.environ, everything=everything)
    sys.stdout.write(
        f"looked at {done.looked_at} packs, marked {done.marked},"
        f" removed {done.removed} ({done.freed} bytes),"
        f" joined {done.joined}, cleared {done.cleared}\n"
    )


def _check(config: Config, host: str, port: int) -> None:
    """Makes the data folder ready and tells mistakes now, not at the first request."""
    from sopor_server.bootstrap import build

    context = build(config).context
    context.store.check()
    context.blobs.check()
    context.store.close()
    _listen(host, port).close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InvalidConfig(
            f"cannot listen on {host} port {port}: {error}",
            hint="name another with --host and --port; port 0 chooses a free one",
        ) from None


def _listen_beside(host: str, port: int, own: int | None) -> socket.socket:
    """Listens for streams: on their own port, else on the next one, else on any."""
    if own is not None:
        return _listen(host, own)
    try:
        return _listen(host, port + 1 if 0 < port < 65535 else 0)
    except InvalidConfig:
        return _listen(host, 0)


def _serve(config: Config, host: str, port: int, streams: socket.socket) -> int:
    """Serves requests in one process and streams in another, until a signal; returns the code."""
    from sopor_server.supervising import supervise

    os.environ["SOPOR_EVENTS_PORT"] = str(streams.getsockname()[1])

    def api(supervisor: int) -> None:
        from sopor_server import worker
        from sopor_server.serving import Server

        streams.close()
        worker.supervisor = supervisor
        Server(host, port, config.threads, _tell).run()

    def events(supervisor: int) -> None:
        from sopor_server.streams.serving import serve

        serve(streams, config.events_streams, supervisor)

    return supervise({"requests": api, "streams": events})


def _tell(url: str) -> None:
    sys.stdout.write(f"listening on {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
