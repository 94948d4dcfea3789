"""Limits and abuse: who asks too much is told when to come back, and costs no storage."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from sopor.errors import ServerRefused, exit_code
from sopor.remote import ServerAddress, Transport
from sopor.remote.transport import Call
from sopor_core.wire.routes import ROUTE, Operation
from sopor_server.app import application
from sopor_server.bootstrap import build
from sopor_server.config import Config
from sopor_server.service.context import Context
from sopor_server.throttle import Throttle
from tests.api.test_accounts import problem
from tests.support.counting import CountingBlobs, CountingStore
from tests.support.inside import served
from tests.support.server import running_server
from tests.support.story import Keys, Person, registration, send


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return build(Config(data=tmp_path / "data", login_rate=100_000, log="off")).context


def refused(answer: requests.Response) -> None:
    problem(answer, 429, "rate-limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def with_token(
    url: str, token: str, operation: Operation = Operation.PROJECTS
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(url + ROUTE[operation].path, headers=headers, timeout=60)


def test_an_account_asks_so_often_and_others_are_not_kept_out(context: Context) -> None:
    with served(replace(context, requests=Throttle(5, 60.0))) as server:
        alice, bob = Person.register(server.url), Person.register(server.url)
        for _ in range(5):
            assert alice.send(Operation.PROJECTS).status_code == 200
        refused(alice.send(Operation.PROJECTS))
        refused(alice.send(Operation.DEVICES))
        assert bob.send(Operation.PROJECTS).status_code == 200


def test_the_setting_counts(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", SOPOR_REQUEST_RATE="4") as server:
        alice = Person.register(server.url)
        answers = [alice.send(Operation.PROJECTS) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 15


def test_an_address_registers_so_many_accounts(context: Context) -> None:
    with served(replace(context, by_address=Throttle(2, 60.0))) as server:
        for _ in range(2):
            Person.register(server.url)
        keys = Keys(f"{secrets.token_hex(4)}@example.com")
        answer = send(server.url, Operation.ACCOUNT_CREATE, json=registration(keys))
        refused(answer)
        assert context.store.account(keys.account) is None


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 70])
def test_who_has_no_valid_token_counts_by_the_address(context: Context, token: str) -> None:
    with served(replace(context, requests=Throttle(5, 60.0))) as server:
        alice = Person.register(server.url)
        statuses = [with_token(server.url, token).status_code for _ in range(6)]
        assert set(statuses[:3]) == {401}
        assert statuses[-1] == 429
        refused(requests.get(server.url + ROUTE[Operation.META].path, timeout=60))
        # Behind the same address, with a token.
        assert alice.send(Operation.PROJECTS).status_code == 200


def test_who_is_refused_or_counted_costs_no_storage(context: Context) -> None:
    store, blobs = CountingStore(context.store), CountingBlobs(context.blobs)
    limited = replace(context, store=store.port, blobs=blobs.port, requests=Throttle(8, 60.0))
    with served(limited) as server:
        alice = Person.register(server.url)

        def costs() -> tuple[int, int, int, int]:
            return store.reads, store.writes, blobs.reads, blobs.writes

        before = costs()
        while with_token(server.url, "nonsense").status_code != 429:
            assert costs() == before
        health = server.url + ROUTE[Operation.HEALTH].path
        refresh = server.url + ROUTE[Operation.LOGIN_REFRESH].path
        refused(requests.get(health, timeout=60))
        refused(requests.post(refresh, json={"device": "x", "refresh_token": "y"}, timeout=60))
        assert costs() == before
        assert alice.send(Operation.PROJECTS).status_code == 200
        assert store.writes == before[1]
        while alice.send(Operation.PROJECTS).status_code != 429:
            assert store.writes == before[1]
        before = costs()
        refused(alice.send(Operation.PROJECTS))
        assert costs() == before


def test_a_client_below_the_least_version_is_told_how_to_upgrade(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients of version 1 do not name it: a server that knows it no longer tells them so."""
    with served(context) as server:
        transport = Transport(ServerAddress.parse(server.url))
        assert transport.call(Call(Operation.META)).status == 200
        monkeypatch.setattr(application, "PROTOCOL_MIN", 2)
        with pytest.raises(ServerRefused) as error:
            transport.call(Call(Operation.META))
        transport.close()
    assert error.value.problem == "upgrade-required"
    assert "pip install --upgrade sopor" in (error.value.hint or "")
    assert exit_code(error.value) == 7
