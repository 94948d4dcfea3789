"""A server that wants to guess passwords is refused before it is sent anything made of one (P9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from sopor.account import read_kit
from sopor.crypto.account import derive_login
from sopor_core.account import ChallengeProof
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import ServerId
from tests.adversary.company import Company
from tests.support.tampering import Exchange, Tamper
from tests.support.terminal import Answer, Terminal
from tests.support.world import PASSWORD

Change = Callable[[dict[str, Any]], None]


def in_challenges(change: Change) -> Tamper:
    """Changes what the server answers to who wants to log in."""

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.path != "/v1/login/challenge":
            return exchange
        answer = exchange.json
        change(answer)
        return exchange.with_json(answer)

    return tamper


def costs(**changes: object) -> Change:
    return lambda answer: answer["kdf"].update(changes)


def log_in(company: Company, folder: Path, code: int) -> Answer:
    """Bob logs in on a new device, with his recovery kit."""
    terminal = Terminal.create(folder)
    password = terminal.write("password.txt", f"{PASSWORD}\n")
    terminal.environment["SOPOR_PASSWORD_FILE"] = str(password)
    kit = company.bob.folder / "kit.txt"
    login = company.bob.account().login
    return terminal(
        f"sopor login {login} --server {company.evil.url} --kit {kit} --keystore file --json",
        code=code,
    )


LIES: dict[str, tuple[Change, str]] = {
    "too little memory": (costs(m=65535), "kdf: "),
    "hardly any memory": (costs(m=8), "kdf: "),
    "too few passes": (costs(t=2), "kdf: "),
    "no lanes": (costs(p=0), "kdf: "),
    "so much memory that the device would fall over": (costs(m=2**21), "kdf: "),
    "an older kind of Argon2": (costs(alg="argon2i"), "kdf: "),
    "an older hash": (costs(alg="pbkdf2-sha256"), "kdf: "),
    "no hash": (costs(alg="none"), "kdf: "),
    "another server": (lambda answer: answer.update(server=ServerId.random().b64), "account: "),
    "a short challenge": (lambda answer: answer.update(challenge=b64encode(b"short")), "wire: "),
    "an older form": (lambda answer: answer.pop("kdf"), "wire: "),
}


@pytest.mark.parametrize("name", LIES)
def test_a_weaker_login_is_refused_before_anything_is_sent(
    company: Company, tmp_path: Path, name: str
) -> None:
    change, layer = LIES[name]
    company.evil.tamper = in_challenges(change)
    since = len(company.evil.exchanges)
    answer = log_in(company, tmp_path, 10)
    assert answer.error["code"] == "verification-failed"
    assert answer.error["message"].startswith(layer)
    (asked,) = company.evil.exchanges[since:]
    assert (asked.method, asked.path) == ("POST", "/v1/login/challenge")
    assert json.loads(asked.sent) == {"login": company.bob.account().login, "action": "login"}


def proof_of(exchange: Exchange) -> ChallengeProof:
    return ChallengeProof.parse(json.loads(exchange.sent)["proof"])


def logins(company: Company, since: int) -> list[Exchange]:
    return [each for each in company.evil.exchanges[since:] if each.path == "/v1/login"]


def test_a_salt_of_the_servers_counts_for_nothing(company: Company, tmp_path: Path) -> None:
    """The login key is the one that follows from the secret key, whatever the server adds."""
    salt = b64encode(bytes(16))
    company.evil.tamper = in_challenges(
        lambda answer: answer.update(salt=salt, kdf={**answer["kdf"], "salt": salt})
    )
    since = len(company.evil.exchanges)
    log_in(company, tmp_path, 0)
    (sent,) = logins(company, since)
    kit = read_kit(company.bob.folder / "kit.txt")
    known = company.bob.account().known
    assert kit.secret_key is not None
    keys = derive_login(PASSWORD, kit.secret_key, known.login, known.kdf)
    proof_of(sent).verify(keys.login.public)


def test_a_challenge_for_another_action_gives_no_proof_of_it(
    company: Company, tmp_path: Path
) -> None:
    """The server hands on a challenge for new credentials; what is signed is of a login."""
    body = {"login": company.bob.account().login, "action": "credentials"}
    url = f"{company.evil.url}/v1/login/challenge"
    other = requests.post(url, json=body, timeout=60).json()["challenge"]
    company.evil.tamper = in_challenges(lambda answer: answer.update(challenge=other))
    since = len(company.evil.exchanges)
    assert log_in(company, tmp_path, 6).error["code"] == "login-failed"
    (sent,) = logins(company, since)
    proof = proof_of(sent)
    assert (str(proof.action), proof.challenge) == ("login", b64decode(other))
    posing = replace(proof, action=type(proof.action)("credentials"))
    with pytest.raises(VerificationError, match="signature"):
        posing.verify(company.bob.account().remote.account().credentials.login_key)


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [("credentials", "v", 0), ("record", "v", 0), ("record", "login", "b#b@example.com")],
)
def test_records_of_another_form_open_nothing(
    company: Company, tmp_path: Path, record: str, name: str, value: object
) -> None:
    """After an honest challenge: what comes with the session is of no form that is known."""

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.path != "/v1/login":
            return exchange
        answer = exchange.json
        answer[record][name] = value
        return exchange.with_json(answer)

    company.evil.tamper = tamper
    answer = log_in(company, tmp_path, 10)
    assert answer.error["code"] == "verification-failed"
    assert not list((tmp_path / "keystore").rglob("*.json"))
