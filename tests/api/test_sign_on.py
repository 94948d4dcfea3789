"""Single sign-on over HTTP: an issuer that signs, and one that lies (SPEC section 9.1)."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sopor_core.account import Action, ChallengeProof
from sopor_core.encoding import b64decode, b64encode
from sopor_core.ids import DeviceId, ServerId
from sopor_core.sign_on import nonce_of
from sopor_core.wire.models import Meta
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import new_keys, problem
from tests.support.issuer import STRAIGHT, Issuer, Somebody, Twist, running_issuer
from tests.support.server import RunningServer, running_server
from tests.support.story import Keys, Person, registration, send

FOREVER = 10**6


def somebody() -> Somebody:
    """Makes a person of the issuer whom no account is linked to."""
    name = secrets.token_hex(6)
    return Somebody(name, f"{name}@example.com")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: Issuer) -> Iterator[Issuer]:
    yield running
    running.twist = STRAIGHT


@pytest.fixture(scope="module")
def required(running: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("required") / "data"
    settings = running.settings("required", "example.com, Example.org")
    with running_server(folder, SOPOR_LOGIN_RATE="100000", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def optional(running: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("optional") / "data"
    with running_server(
        folder, SOPOR_LOGIN_RATE="100000", **running.settings("optional")
    ) as server:
        yield server


class Newcomer:
    """Registers with a sign-on, each part of which may be replaced."""

    def __init__(self, server: RunningServer, issuer: Issuer) -> None:
        self.keys = new_keys()
        self.device = DeviceId.random()
        self.somebody = somebody()
        self._server, self._issuer = server, issuer
        body = {"login": self.keys.login, "action": "register"}
        asked = send(server.url, Operation.LOGIN_CHALLENGE, json=body).json()
        self.challenge = str(asked["challenge"])
        self.server_id = ServerId.from_b64(asked["server"])

    def nonce(self) -> str:
        return nonce_of(self.server_id, self.device, b64decode(self.challenge))

    def token(self, **twists: Any) -> str:
        twist = Twist(**twists) if twists else None
        return self._issuer.id_token(self.somebody, self.nonce(), twist)

    def register(self, id_token: str | None, challenge: str | None = None) -> requests.Response:
        device = {"id": self.device.b64, "name": "laptop"}
        body = registration(self.keys, device=device)
        body |= {"id_token": id_token, "challenge": challenge or self.challenge}
        return send(self._server.url, Operation.ACCOUNT_CREATE, json=body)

    def registered(self) -> Person:
        answer = self.register(self.token())
        assert answer.status_code == 201, answer.text
        return Person(self._server.url, self.keys, answer.json())


def log_in(
    person: Person, id_token: str | None, proof: ChallengeProof, device: DeviceId
) -> requests.Response:
    body = {
        "proof": proof.to_json(),
        "device": {"id": device.b64, "name": "desktop"},
        "id_token": id_token,
    }
    return send(person.url, Operation.LOGIN, json=body)


def sign_on(
    person: Person, issuer: Issuer, who: Somebody, action: Action = Action.LOGIN
) -> requests.Response:
    """Logs in on a new device, with a sign-on."""
    proof, device = person.prove(action), DeviceId.random()
    nonce = nonce_of(proof.server, device, proof.challenge)
    return log_in(person, issuer.id_token(who, nonce), proof, device)


def refresh(person: Person, id_token: str | None) -> requests.Response:
    body = {
        "device": person.device.b64,
        "refresh_token": person.session["refresh_token"],
        "id_token": id_token,
    }
    return send(person.url, Operation.LOGIN_REFRESH, json=body)


class TestMeta:
    def test_the_server_tells_where_to_sign_on(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        meta = Meta.model_validate(send(required.url, Operation.META).json())
        assert meta.sign_on is not None
        assert meta.sign_on.model_dump() == {
            "mode": "required",
            "issuer": issuer.url,
            "client_id": "sopor-desktop",
            "client_secret": None,
            "scopes": ["openid", "email", "offline_access"],
            "port": 0,
        }

    def test_most_servers_have_none(self, server: RunningServer) -> None:
        assert "sign_on" not in send(server.url, Operation.META).json()


class TestRegistering:
    def test_a_sign_on_links_the_new_account(self, required: RunningServer, issuer: Issuer) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        assert sign_on(person, issuer, newcomer.somebody).status_code == 200
        problem(sign_on(person, issuer, somebody()), 403, "sign-on-refused")

    def test_it_is_needed_where_it_is_required(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        found = problem(Newcomer(required, issuer).register(None), 401, "sign-on-required")
        assert issuer.url in found["detail"]

    def test_it_may_be_left_out_where_it_is_optional(
        self, optional: RunningServer, issuer: Issuer
    ) -> None:
        person = Person.register(optional.url)
        assert refresh(person, None).status_code == 200
        assert person.login().session

    def test_the_challenge_is_of_this_name_and_counts_once(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer, other = Newcomer(required, issuer), Newcomer(required, issuer)
        token = newcomer.token()
        problem(newcomer.register(token, other.challenge), 403, "sign-on-refused")
        newcomer.keys, keys = other.keys, newcomer.keys
        found = problem(newcomer.register(token), 403, "sign-on-refused")
        assert "this registration" in found["detail"]
        newcomer.keys = keys
        assert newcomer.register(token).status_code == 201
        newcomer.keys = Keys(keys.login)
        problem(newcomer.register(token), 403, "sign-on-refused")

    def test_a_token_without_its_challenge_is_malformed(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer = Newcomer(required, issuer)
        body = registration(newcomer.keys) | {"id_token": newcomer.token()}
        answer = send(required.url, Operation.ACCOUNT_CREATE, json=body)
        problem(answer, 400, "malformed")

    def test_two_accounts_are_not_linked_to_one_person(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        first, second = Newcomer(required, issuer), Newcomer(required, issuer)
        first.registered()
        second.somebody = first.somebody
        found = problem(second.register(second.token()), 403, "sign-on-refused")
        assert "another account" in found["detail"]

    def test_a_registration_challenge_tells_nothing_of_an_account(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer = Newcomer(required, issuer)
        body = {"login": newcomer.keys.login, "action": "register"}
        before = send(required.url, Operation.LOGIN_CHALLENGE, json=body).json()
        newcomer.registered()
        after = send(required.url, Operation.LOGIN_CHALLENGE, json=body).json()
        assert before["account"] == after["account"]
        assert before["kdf"] == after["kdf"]


class TestLies:
    @pytest.mark.parametrize(
        ("twist", "said"),
        [
            ({"algorithm": "none"}, "signed with 'none'"),
            ({"algorithm": "HS256"}, "signed with 'HS256'"),
            ({"garbled": True}, "does not verify"),
            ({"unknown_key": True}, "key that the issuer does not name"),
            ({"claims": {"iss": "https://accounts.example.net"}}, "another issuer"),
            ({"claims": {"aud": "somebody-else"}}, "for another client"),
            ({"claims": {"aud": ["sopor-desktop", "x"]}}, "given to another client"),
            ({"claims": {"azp": "x"}}, "given to another client"),
            ({"claims": {"nonce": "x"}}, "not for this login"),
            ({"claims": {"nonce": None}}, "not for this login"),
            ({"age": 400, "claims": {"exp": FOREVER * FOREVER}}, "seconds old, more than 300"),
            ({"age": 700}, "expired"),
            ({"age": -200}, "seconds in the future"),
            ({"claims": {"iat": None}}, "no time in 'iat'"),
            ({"claims": {"exp": "never"}}, "no time in 'exp'"),
            ({"claims": {"email": "ada@example.net"}}, "addresses of example.net"),
            ({"claims": {"email": "ada@sub.example.com"}}, "addresses of sub.example.com"),
            ({"claims": {"email": "ada@example.com@evil.example"}}, "addresses of evil.example"),
            ({"claims": {"email": None}}, "no e-mail address"),
            ({"claims": {"email_verified": None}}, "does not say that the e-mail"),
            ({"claims": {"email_verified": "true"}}, "does not say that the e-mail"),
            ({"claims": {"sub": None}}, "names no person"),
            ({"claims": {"sub": 7}}, "names no person"),
        ],
    )
    def test_a_token_that_does_not_count_says_why(
        self, required: RunningServer, issuer: Issuer, twist: dict[str, Any], said: str
    ) -> None:
        newcomer = Newcomer(required, issuer)
        found = problem(newcomer.register(newcomer.token(**twist)), 403, "sign-on-refused")
        assert said in found["detail"]
        assert found["hint"]

    @pytest.mark.parametrize("text", ["", "x", "a.b.c", "\u00e4.\u00e4.\u00e4", "." * 16000])
    def test_what_is_no_token_is_refused(
        self, required: RunningServer, issuer: Issuer, text: str
    ) -> None:
        problem(Newcomer(required, issuer).register(text), 403, "sign-on-refused")

    def test_some_differences_do_no_harm(self, required: RunningServer, issuer: Issuer) -> None:
        for twist in (
            {"claims": {"aud": ["x", "sopor-desktop"], "azp": "sopor-desktop"}},
            {"claims": {"email": "Ada@EXAMPLE.org"}},
            {"age": 30},
            {"age": -30},
            {"claims": {"unheard": {"of": 1}}},
        ):
            newcomer = Newcomer(required, issuer)
            assert newcomer.register(newcomer.token(**twist)).status_code == 201, twist


class TestLogin:
    def test_a_token_of_another_device_or_challenge_logs_nobody_in(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        stolen = newcomer.token()
        for device in (newcomer.device, DeviceId.random()):
            answer = log_in(person, stolen, person.prove(Action.LOGIN), device)
            assert "not for this login" in problem(answer, 403, "sign-on-refused")["detail"]
        proof = person.prove(Action.LOGIN)
        nonce = nonce_of(ServerId.random(), newcomer.device, proof.challenge)
        answer = log_in(person, issuer.id_token(newcomer.somebody, nonce), proof, newcomer.device)
        problem(answer, 403, "sign-on-refused")

    def test_a_sign_on_is_not_enough(self, required: RunningServer, issuer: Issuer) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        device = DeviceId.random()
        proof = person.prove(Action.LOGIN, key=new_keys().login_key)
        token = issuer.id_token(newcomer.somebody, nonce_of(proof.server, device, proof.challenge))
        problem(log_in(person, token, proof, device), 401, "login-failed")

    def test_who_fails_the_proof_learns_nothing_of_the_sign_on(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        person = Newcomer(required, issuer).registered()
        proof = person.prove(Action.LOGIN, key=new_keys().login_key)
        problem(log_in(person, None, proof, DeviceId.random()), 401, "login-failed")

    def test_the_first_sign_on_links_and_then_it_is_needed(
        self, optional: RunningServer, issuer: Issuer
    ) -> None:
        person, who = Person.register(optional.url), somebody()
        before = person.login()
        assert sign_on(person, issuer, who).status_code == 200
        answer = log_in(person, None, person.prove(Action.LOGIN), DeviceId.random())
        problem(answer, 401, "sign-on-required")
        found = problem(sign_on(person, issuer, somebody()), 403, "sign-on-refused")
        assert "another person" in found["detail"]
        # Sessions from before the link are held to it as well.
        problem(refresh(before, None), 401, "sign-on-required")
        assert refresh(before, issuer.id_token(who)).status_code == 200

    def test_a_linked_person_links_no_second_account(
        self, optional: RunningServer, issuer: Issuer
    ) -> None:
        first, second = Person.register(optional.url), Person.register(optional.url)
        who = somebody()
        assert sign_on(first, issuer, who).status_code == 200
        found = problem(sign_on(second, issuer, who), 403, "sign-on-refused")
        assert "another account" in found["detail"]
        assert second.login().session

    def test_recovering_needs_it_too(self, required: RunningServer, issuer: Issuer) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        answer = log_in(person, None, person.prove(Action.RECOVER), DeviceId.random())
        problem(answer, 401, "sign-on-required")
        assert sign_on(person, issuer, newcomer.somebody, Action.RECOVER).status_code == 200


class TestRefresh:
    def test_it_needs_a_fresh_token_of_the_same_person(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        problem(refresh(person, None), 401, "sign-on-required")
        found = problem(refresh(person, issuer.id_token(somebody())), 403, "sign-on-refused")
        assert "another person" in found["detail"]
        old = issuer.id_token(newcomer.somebody, twist=Twist(age=400))
        problem(refresh(person, old), 403, "sign-on-refused")
        fresh = issuer.id_token(newcomer.somebody)
        answer = refresh(person, fresh)
        assert answer.status_code == 200
        assert answer.json()["access_token"]

    def test_a_token_without_an_address_is_enough_but_not_with_a_foreign_one(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        bare = Twist(claims={"email": None, "email_verified": None})
        assert refresh(person, issuer.id_token(newcomer.somebody, None, bare)).status_code == 200
        moved = Twist(claims={"email": "ada@example.net"})
        answer = refresh(person, issuer.id_token(newcomer.somebody, None, moved))
        problem(answer, 403, "sign-on-refused")

    def test_a_token_refreshes_nothing_without_the_devices_own(
        self, required: RunningServer, issuer: Issuer
    ) -> None:
        newcomer = Newcomer(required, issuer)
        person = newcomer.registered()
        person.session["refresh_token"] = b64encode(bytes(32))
        problem(refresh(person, issuer.id_token(newcomer.somebody)), 401, "session-expired")

    def test_sessions_that_are_older_than_the_rule_end(
        self, issuer: Issuer, tmp_path: Path
    ) -> None:
        who = somebody()
        with running_server(tmp_path / "data") as server:
            person = Person.register(server.url)
        with running_server(tmp_path / "data", **issuer.settings("required")) as server:
            person.url = server.url
            problem(refresh(person, issuer.id_token(who)), 401, "sign-on-required")
            assert sign_on(person, issuer, who).status_code == 200
            assert refresh(person, issuer.id_token(who)).status_code == 200
        with running_server(tmp_path / "data") as server:
            person.url = server.url
            assert refresh(person, None).status_code == 200
            assert person.login().session

    def test_who_gets_a_new_identity_is_linked_anew(self, issuer: Issuer, tmp_path: Path) -> None:
        def unlink(login: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "sopor_server", "unlink", login]
            command += ["--data", str(tmp_path / "data")]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        with running_server(tmp_path / "data", **issuer.settings("required")) as server:
            newcomer, new_identity = Newcomer(server, issuer), somebody()
            person = newcomer.registered()
            problem(sign_on(person, issuer, new_identity), 403, "sign-on-refused")
            done = unlink(person.keys.login.upper())
            assert (done.returncode, done.stderr) == (0, "")
            assert "is linked to nobody now" in done.stdout
            assert "was linked to nobody" in unlink(person.keys.login).stdout
            # Sessions end with it, and only who has the account's keys links it again.
            problem(refresh(person, issuer.id_token(newcomer.somebody)), 401, "sign-on-required")
            assert sign_on(person, issuer, new_identity).status_code == 200
            assert refresh(person, issuer.id_token(new_identity)).status_code == 200
            unknown = unlink("nobody@example.com")
            assert unknown.returncode == 2
            assert "nobody has the login name" in unknown.stderr

    def test_another_issuer_is_a_new_beginning(self, issuer: Issuer, tmp_path: Path) -> None:
        who = somebody()
        with running_server(tmp_path / "data", **issuer.settings("optional")) as server:
            person = Person.register(server.url)
            assert sign_on(person, issuer, who).status_code == 200
        with (
            running_issuer("EdDSA") as other,
            running_server(tmp_path / "data", **other.settings("optional")) as server,
        ):
            person.url = server.url
            assert refresh(person, None).status_code == 200
            assert sign_on(person, other, somebody()).status_code == 200
            problem(refresh(person, None), 401, "sign-on-required")


class TestKeys:
    @pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
    def test_other_kinds_of_keys(self, algorithm: str, tmp_path: Path) -> None:
        with (
            running_issuer(algorithm) as issuer,
            running_server(tmp_path / "data", **issuer.settings("required")) as server,
        ):
            Newcomer(server, issuer).registered()
            newcomer = Newcomer(server, issuer)
            forged = newcomer.token(algorithm="HS256")
            problem(newcomer.register(forged), 403, "sign-on-refused")

    def test_keys_are_kept_and_fetched_anew_for_an_unknown_one(self, tmp_path: Path) -> None:
        with (
            running_issuer() as issuer,
            running_server(tmp_path / "data", **issuer.settings("required")) as server,
        ):
            for _ in range(3):
                Newcomer(server, issuer).registered()
            assert issuer.requests.count("/keys") == 1
            issuer.change_keys()
            Newcomer(server, issuer).registered()
            assert issuer.requests.count("/keys") == 2
            newcomer = Newcomer(server, issuer)
            for _ in range(8):
                answer = newcomer.register(newcomer.token(unknown_key=True))
                problem(answer, 403, "sign-on-refused")
            # So that nobody makes the server ask all the time.
            assert issuer.requests.count("/keys") <= 7

    def test_an_issuer_that_is_away_is_no_refusal(self, tmp_path: Path) -> None:
        with running_issuer() as issuer:
            settings = issuer.settings("required")
            port = int(issuer.url.rpartition(":")[2])
        with running_server(tmp_path / "data", **settings) as server:
            newcomer = Newcomer(server, issuer)
            found = problem(newcomer.register(newcomer.token()), 503, "unavailable")
            assert "keys" in found["detail"]
            with running_issuer(port=port) as back:
                newcomer = Newcomer(server, back)
                until = time.monotonic() + 60
                # For a moment the server says again what it found out before.
                while (answer := newcomer.register(newcomer.token())).status_code == 503:
                    assert time.monotonic() < until
                    time.sleep(0.1)
                assert answer.status_code == 201

    def test_an_issuer_that_names_itself_otherwise_is_not_believed(self, tmp_path: Path) -> None:
        with running_issuer() as issuer:
            settings = issuer.settings("required")
            issuer.url += "/"
            with running_server(tmp_path / "data", **settings) as server:
                newcomer = Newcomer(server, issuer)
                problem(newcomer.register(newcomer.token()), 503, "unavailable")
