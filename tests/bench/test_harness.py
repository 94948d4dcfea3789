"""The bench itself: what it counts is what crossed, and a small day gives tables with goals."""

from __future__ import annotations

import shutil
import socket
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from tests.bench import machine, table
from tests.bench.commands import Command, CommandFailed, Measured, Used, spawning
from tests.bench.growth import Point, judged
from tests.bench.peers.known import KINDS, found
from tests.bench.proxy import Crossed, counting_proxy
from tests.bench.scenarios import (
    CLONE,
    IN_PROCESS,
    INITIAL,
    NOTHING,
    PULL,
    PUSH,
    SCENARIOS,
    Day,
    Results,
    Size,
)
from tests.bench.serving import serving
from tests.support.inside import Operations
from tests.support.workload import workload


def measured(seconds: float, requests: int, up: int, down: int) -> Measured:
    return Measured(Used(seconds, seconds, 1024), Crossed(requests, up, down))


def test_a_small_day(tmp_path: Path) -> None:
    if not shutil.which("git"):
        pytest.skip("there is no git to compare with")
    kinds, absent = found(["sopor", "git"])
    size = Size(documents=60, commits=3, every=2, rounds=1, big_rounds=1)
    with spawning(tmp_path) as spawner:
        results = Day(size, workload(), spawner, tmp_path).play(kinds)
    assert not absent
    for peer in ("sopor", "git"):
        assert tuple(results.measured[peer]) == (INITIAL, CLONE, PUSH, PULL, NOTHING)
        for scenario in SCENARIOS:
            (one,) = results.measured[peer][scenario]
            assert one == results.median(peer, scenario)
            assert one.crossed.up > 0
            assert one.crossed.down > 0
            assert one.used.peak_kib > 1024
    for peer in ("sopor", IN_PROCESS):
        for scenario in (PUSH, PULL, NOTHING):
            crossed = results.measured[peer][scenario][0].crossed
            assert crossed.requests == 1
            assert crossed.both < 20_000
    assert results.measured["git"][PUSH][0].crossed.requests == 2

    text = table.markdown(results, {"borg": "borg"})
    assert "### 60 documents, 3 commits" in text
    assert "| push | requests | 1 | 1 | met |" in text
    assert "borg was skipped: `borg` is not here." in text
    rounds = machine.to_json(results)["peers"]["git"][PUSH]["rounds"]
    assert [each["requests"] for each in rounds] == [2]


def test_what_crossed_is_counted_to_the_byte(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    sent = [
        b"POST /a HTTP/1.1\r\nContent-Length: 25\r\n\r\nGET is no request HTTP/1.1",
        b"GET /b?c=%20 HT",  # a request line in two pieces
        b"TP/1.1\r\n\r\nHEAD /d HTTP/1.0\r\n\r\n",
    ]

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for _ in sent:
                connection.recv(1000)
                connection.sendall(answer)

    server = Thread(target=serve)
    server.start()
    with (
        listener,
        counting_proxy(listener.getsockname()[1], tmp_path) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
    ):
        for data in sent:
            client.sendall(data)
            assert client.recv(1000)
        server.join()
        crossed = proxy.crossed()
    assert crossed == Crossed(3, sum(map(len, sent)), 3 * len(answer))


def test_commands_are_run_by_a_small_process(tmp_path: Path) -> None:
    held = bytearray(b"x" * 100_000_000)  # would count as the child's, if it came of this process

    def shell(script: str) -> list[Command]:
        return [Command(("sh", "-c", script), tmp_path, {"PATH": "/usr/bin:/bin"})]

    with spawning(tmp_path) as spawner:
        used = spawner.run(shell("echo here > file") + shell("cat file"))
        assert spawner.said() == "here\n"
        assert used.peak_kib < len(held) // 1024
        with pytest.raises(CommandFailed, match="no such luck"):
            spawner.run(shell("echo no such luck; exit 3"))


def test_a_server_for_restic(tmp_path: Path) -> None:
    with serving("restic_rest", tmp_path) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)

        def ask(method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
            connection.request(method, path, body, headers)
            with connection.getresponse() as response:
                return response.status, response.read()

        assert ask("POST", "/p0/?create=true") == (200, b"")
        assert ask("HEAD", "/p0/config")[0] == 404
        assert ask("POST", "/p0/config", b"secret") == (200, b"")
        assert ask("POST", "/p0/data/0a", b"0123456789") == (200, b"")
        assert ask("POST", "/p0/data/0a", b"another")[0] == 403
        assert ask("GET", "/p0/data/") == (200, b'[{"name": "0a", "size": 10}]')
        assert ask("GET", "/p0/data/0a", Range="bytes=2-4") == (206, b"234")
        assert ask("GET", "/p0/data/0a", Range="bytes=7-") == (206, b"789")
        assert ask("DELETE", "/p0/data/0a") == (200, b"")
        assert ask("GET", "/p0/data/0a")[0] == 404
        assert ask("GET", "/p0/../config")[0] == 404
        connection.close()


def test_goals_are_judged_by_ratios_to_git_and_to_the_fastest_encrypted_peer() -> None:
    results = Results(Size(1000, 200))
    results.add("sopor", PUSH, measured(0.3, 1, 1000, 100))
    results.add("git", PUSH, measured(0.1, 2, 800, 200))
    results.add("restic", PUSH, measured(0.5, 9, 10_000, 1000))
    results.add("git-crypt", PUSH, measured(0.1, 2, 800, 200))  # its server sees names
    judged = {goal.what: (round(goal.reached, 6), goal.met) for goal in table.goals(results)}
    assert judged == {
        "requests": (1.0, True),
        "bytes both ways, of git's": (1.1, False),
        "time of whole processes, of git's": (3.0, True),
        "time of the fastest encrypted peer's": (0.6, False),
    }
    assert "| push | bytes both ways, of git's | 1.1 | 1 | missed by 10% |" in table.markdown(
        results, {}
    )


def test_what_grows_is_told() -> None:
    points = []
    for commits, seconds, up in ((10, 0.1, 1000), (10_000, 0.12, 1200)):
        point = Point("sopor", 1000, commits)
        for scenario in (PUSH, PULL, NOTHING, CLONE):
            point.measured[scenario] = measured(seconds, 1, up, 0)
            point.operations[scenario] = Operations(3, 3, 0, 1)
        points.append(point)
    lines = list(judged(points))
    assert "- push: bytes grows 1.20 times, at most 1.1: missed" in lines
    assert "- push: storage operations grows 1.00 times, at most 1.1: met" in lines
    assert "- push: time grows 1.20 times, at most 1.25: met" in lines
    assert "- clone: time grows 1.20 times, at most 2: met" in lines


def test_each_kind_of_peer_says_what_it_needs() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert found(["nothing known"]) == ([], {})
    missing = [kind for kind in KINDS if kind.missing]
    assert found([kind.name for kind in missing])[1].keys() == {kind.name for kind in missing}
