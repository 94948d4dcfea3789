"""Accounts, logins and devices over HTTP."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from sopor_core.account import AccountRecord, Action, Credentials
from sopor_core.encoding import b64encode
from sopor_core.ids import AccountId, DeviceId
from sopor_core.wire.models import AccountAnswer, Challenge, Devices, Session
from sopor_core.wire.routes import Operation
from tests.support.server import RunningServer, running_server
from tests.support.story import Keys, Person, new_device, registration, send


def problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """Returns the problem document of an answer, after looking at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["request_id"] == answer.headers["X-Request-Id"]
    assert found["title"]
    assert found["detail"][0].islower() or not found["detail"][0].isalpha()
    assert not found["detail"].endswith(".")
    return found


def new_keys() -> Keys:
    return Keys(f"{secrets.token_hex(6)}@example.com")


class TestRegistering:
    def test_an_account_comes_with_its_organization_and_device(self, alice: Person) -> None:
        session = Session.model_validate(alice.session)
        assert session.device == alice.device.b64
        assert session.expires_in == 900
        record = AccountRecord.verified(session.record)
        assert record.identity == alice.keys.identity
        answer = alice.send(Operation.ACCOUNT)
        assert answer.status_code == 200
        found = AccountAnswer.model_validate(answer.json())
        assert found.record == session.record
        assert found.credentials == session.credentials
        assert found.organizations == session.organizations == [alice.org.b64]
        (genesis,) = alice.membership()
        assert bytes(genesis.hash) == bytes(alice.org)

    def test_a_login_name_is_taken_once(self, server: RunningServer, alice: Person) -> None:
        answer = send(
            server.url, Operation.ACCOUNT_CREATE, json=registration(Keys(alice.keys.login))
        )
        problem(answer, 409, "login-taken")
        again = send(server.url, Operation.ACCOUNT_CREATE, json=registration(alice.keys))
        problem(again, 409, "login-taken")

    def test_a_taken_device_is_refused(self, server: RunningServer, alice: Person) -> None:
        device = {"id": alice.device.b64, "name": "laptop"}
        answer = send(
            server.url, Operation.ACCOUNT_CREATE, json=registration(new_keys(), device=device)
        )
        problem(answer, 400, "malformed")

    def test_what_does_not_verify_is_refused(self, server: RunningServer) -> None:
        keys, other = new_keys(), new_keys()
        record = keys.record()
        stolen = replace(record, identity=replace(record.identity, account=AccountId.random()))
        team = keys.genesis("team")
        for changes, layer in (
            ({"record": {**record.to_json(), "created": 5}}, "signature"),
            ({"record": stolen.sign(keys.signing).to_json()}, "account"),
            ({"credentials": other.credentials().to_json()}, "account"),
            ({"credentials": keys.credentials(2).to_json()}, "account"),
            ({"credentials": {**keys.credentials().to_json(), "sig": "A" * 86}}, "signature"),
            ({"genesis": b64encode(other.genesis().encoded)}, "membership"),
            ({"genesis": b64encode(team.encoded)}, "membership"),
            ({"genesis": b64encode(keys.genesis().encoded + b" ")}, "canonical"),
            ({"genesis": b64encode(b"{}")}, "parse"),
        ):
            answer = send(server.url, Operation.ACCOUNT_CREATE, json=registration(keys, **changes))
            assert problem(answer, 422, "entry-refused")["detail"].startswith(f"{layer}: ")
        Person.register(server.url, keys)

    @pytest.mark.parametrize("login", ["Alice", "a b", "", "\u00e4", "x" * 129])
    def test_a_signed_login_name_is_in_its_normal_form(
        self, server: RunningServer, login: str
    ) -> None:
        answer = send(server.url, Operation.ACCOUNT_CREATE, json=registration(Keys(login)))
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["code"] in ("malformed", "entry-refused")

    def test_weak_password_hashing_is_refused(self, server: RunningServer) -> None:
        keys = new_keys()
        credentials = keys.credentials()
        weak = replace(credentials, kdf=replace(credentials.kdf, t=1)).sign(keys.signing)
        answer = send(
            server.url,
            Operation.ACCOUNT_CREATE,
            json=registration(keys, credentials=weak.to_json()),
        )
        assert problem(answer, 422, "entry-refused")["detail"].startswith("kdf: ")

    def test_small_order_keys_are_refused(self, server: RunningServer) -> None:
        keys = new_keys()
        credentials = {**keys.credentials().to_json(), "login_key": b64encode(bytes(32))}
        answer = send(
            server.url, Operation.ACCOUNT_CREATE, json=registration(keys, credentials=credentials)
        )
        assert "small order" in problem(answer, 422, "entry-refused")["detail"]

    @pytest.mark.parametrize(
        "change",
        [
            {"surprise": 1},
            {"record": None},
            {"record": []},
            {"genesis": 5},
            {"genesis": "=="},
            {"device": {"id": "A" * 22}},
            {"device": {"id": "A" * 21, "name": "x"}},
            {"device": {"id": "A" * 22, "name": ""}},
            {"device": {"id": "A" * 22, "name": "x" * 101}},
            {"device": {"id": "A" * 22, "name": "two\nlines"}},
            {"device": {"id": "A" * 22, "name": "\ud800"}},
            {"device": {"id": "A" * 22, "name": "x", "more": 1}},
        ],
    )
    def test_odd_members_are_refused(self, server: RunningServer, change: dict[str, Any]) -> None:
        answer = send(server.url, Operation.ACCOUNT_CREATE, json=registration(new_keys(), **change))
        problem(answer, 400, "malformed")

    def test_a_closed_server_takes_nobody(self, tmp_path: Path) -> None:
        with running_server(tmp_path / "data", SOPOR_REGISTRATION="closed") as closed:
            answer = send(closed.url, Operation.ACCOUNT_CREATE, json=registration(new_keys()))
            assert "SOPOR_REGISTRATION" in problem(answer, 403, "forbidden")["hint"]


class TestLogin:
    @pytest.mark.parametrize("action", [Action.LOGIN, Action.RECOVER])
    def test_a_second_device_logs_in(self, alice: Person, action: Action) -> None:
        second = alice.login(action)
        assert second.session["record"] == alice.session["record"]
        assert second.device != alice.device
        assert second.send(Operation.ACCOUNT).status_code == 200

    def test_the_answer_to_a_stranger_has_the_same_form(
        self, server: RunningServer, alice: Person
    ) -> None:
        answers = [
            send(server.url, Operation.LOGIN_CHALLENGE, json={"login": login, "action": "login"})
            for login in (alice.keys.login, "nobody@example.com", "nobody@example.com")
        ]
        found = [Challenge.model_validate(answer.json()) for answer in answers]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert len({len(answer.content) for answer in answers}) == 1
        assert found[0].kdf == found[1].kdf
        assert found[1].account == found[2].account != found[0].account
        assert len({challenge.challenge for challenge in found}) == 3

    def test_upper_case_is_lowered(self, server: RunningServer, alice: Person) -> None:
        body = {"login": f" {alice.keys.login.upper()} ", "action": "login"}
        answer = send(server.url, Operation.LOGIN_CHALLENGE, json=body)
        assert answer.json()["account"] == alice.keys.account.b64

    def test_wrong_proofs_all_fail_alike(self, server: RunningServer, alice: Person) -> None:
        stranger = Person(server.url, new_keys(), {})
        good = alice.prove(Action.LOGIN)
        proofs = [
            alice.prove(Action.LOGIN, alice.keys.recovery_key),
            replace(good, signature=bytes(64)),
            replace(good, challenge=bytes(32)).sign(alice.keys.login_key),
            stranger.prove(Action.LOGIN),
        ]
        details = set()
        for proof in proofs:
            body = {"proof": proof.to_json(), "device": new_device()}
            found = problem(send(server.url, Operation.LOGIN, json=body), 401, "login-failed")
            details.add((found["detail"], found["hint"]))
        assert len(details) == 1

    def test_a_proof_is_not_replayed(self, server: RunningServer, alice: Person) -> None:
        body = {"proof": alice.prove(Action.LOGIN).to_json(), "device": new_device()}
        assert send(server.url, Operation.LOGIN, json=body).status_code == 200
        problem(send(server.url, Operation.LOGIN, json=body), 401, "login-failed")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"login": "", "action": "login"},
            {"login": "a b", "action": "login"},
            {"login": "x" * 129, "action": "login"},
            {"login": "alice", "action": "destroy"},
            {"login": "alice", "action": "login", "more": True},
            {"login": ["alice"], "action": "login"},
            {"login": "\ud800", "action": "login"},
            [],
            "text",
        ],
    )
    def test_odd_questions_are_refused(self, server: RunningServer, body: object) -> None:
        problem(send(server.url, Operation.LOGIN_CHALLENGE, json=body), 400, "malformed")

    def test_attempts_are_limited(self, tmp_path: Path) -> None:
        with running_server(tmp_path / "data", SOPOR_LOGIN_RATE="3") as slow:
            body = {"login": "alice", "action": "login"}
            for _ in range(3):
                assert send(slow.url, Operation.LOGIN_CHALLENGE, json=body).status_code == 200
            answer = send(
                slow.url,
                Operation.LOGIN_CHALLENGE,
                json=body,
                headers={"X-Forwarded-For": "192.0.2.1"},
            )
            problem(answer, 429, "rate-limited")
            assert 1 <= int(answer.headers["Retry-After"]) <= 20

    def test_addresses_behind_a_proxy_are_apart(self, tmp_path: Path) -> None:
        settings = {"SOPOR_LOGIN_RATE": "1", "SOPOR_TRUSTED_PROXIES": "1"}
        with running_server(tmp_path / "data", **settings) as slow:
            body = {"login": "alice", "action": "login"}
            for forwarded, status in (
                ("192.0.2.1", 200),
                ("192.0.2.2", 200),
                ("192.0.2.3, 192.0.2.2", 429),
                ("192.0.2.2, 192.0.2.3", 200),
            ):
                headers = {"X-Forwarded-For": forwarded}
                answer = send(slow.url, Operation.LOGIN_CHALLENGE, json=body, headers=headers)
                assert answer.status_code == status

    def test_an_access_token_is_refreshed(self, server: RunningServer, alice: Person) -> None:
        body = {"device": alice.device.b64, "refresh_token": alice.session["refresh_token"]}
        answer = send(server.url, Operation.LOGIN_REFRESH, json=body)
        assert answer.status_code == 200
        assert answer.json()["expires_in"] == 900
        alice.session["access_token"] = answer.json()["access_token"]
        assert alice.send(Operation.ACCOUNT).status_code == 200
        body["refresh_token"] = b64encode(bytes(32))
        problem(send(server.url, Operation.LOGIN_REFRESH, json=body), 401, "session-expired")


class TestCredentials:
    def change(self, person: Person, new: Credentials, proof: Any) -> requests.Response:
        body = {"credentials": new.to_json(), "proof": proof.to_json()}
        return person.send(Operation.CREDENTIALS_CHANGE, json=body)

    def test_a_password_is_changed(self, alice: Person) -> None:
        proof = alice.prove(Action.CREDENTIALS)
        changed = Keys(alice.keys.login, alice.keys.signing, alice.keys.encryption)
        new = changed.credentials(2)
        answer = self.change(alice, new, proof)
        assert (answer.status_code, answer.content) == (204, b"")
        assert alice.send(Operation.ACCOUNT).json()["credentials"] == new.to_json()
        alice.keys = changed
        alice.login()

    def test_who_recovers_sets_a_new_password(self, alice: Person) -> None:
        recovered = alice.login(Action.RECOVER)
        proof = recovered.prove(Action.CREDENTIALS, alice.keys.recovery_key)
        changed = Keys(alice.keys.login, alice.keys.signing, alice.keys.encryption)
        assert self.change(recovered, changed.credentials(2), proof).status_code == 204
        alice.keys = changed
        alice.login()

    def test_a_token_alone_changes_nothing(self, alice: Person, bob: Person) -> None:
        new = alice.keys.credentials(2)
        wrong = alice.prove(Action.CREDENTIALS, bob.keys.login_key)
        problem(self.change(alice, new, wrong), 401, "login-failed")
        theirs = bob.prove(Action.CREDENTIALS)
        problem(self.change(alice, new, theirs), 400, "malformed")
        good = alice.prove(Action.CREDENTIALS)
        forged = new.sign(bob.keys.signing)
        problem(self.change(alice, forged, good), 422, "entry-refused")
        problem(self.change(alice, alice.keys.credentials(3), good), 422, "entry-refused")
        problem(self.change(bob, new, good), 400, "malformed")
        assert self.change(alice, new, good).status_code == 204
        problem(self.change(alice, alice.keys.credentials(3), good), 401, "login-failed")


class TestKeys:
    def renewed(self, person: Person) -> Keys:
        """Makes new keys for an account, which keeps its id."""
        new = Keys(person.keys.login)
        new.account_id = person.keys.account
        return new

    def change(self, person: Person, new: Keys, proof: Any, **changes: Any) -> requests.Response:
        record = new.record()
        body = {
            "record": record.to_json(),
            "approval": b64encode(record.approve(person.keys.signing)),
            "credentials": new.credentials(2).to_json(),
            "proof": proof.to_json(),
            **changes,
        }
        return person.send(Operation.KEYS_CHANGE, json=body)

    def test_new_keys_take_over_and_end_every_other_session(self, alice: Person) -> None:
        other, new = alice.login(), self.renewed(alice)
        answer = self.change(alice, new, alice.prove(Action.CREDENTIALS))
        assert (answer.status_code, answer.content) == (204, b"")
        found = AccountAnswer.model_validate(alice.send(Operation.ACCOUNT).json())
        assert AccountRecord.verified(found.record).identity == new.identity
        problem(other.send(Operation.ACCOUNT), 401, "device-revoked")
        stolen = {"device": other.device.b64, "refresh_token": other.session["refresh_token"]}
        problem(send(alice.url, Operation.LOGIN_REFRESH, json=stolen), 401, "device-revoked")
        with_old_keys = {
            "proof": alice.prove(Action.LOGIN).to_json(),
            "device": new_device(),
        }
        problem(send(alice.url, Operation.LOGIN, json=with_old_keys), 401, "login-failed")
        alice.keys = new
        alice.login()

    def test_the_same_again_is_answered_again(self, alice: Person) -> None:
        old, new = alice.keys, self.renewed(alice)
        record, credentials = new.record(), new.credentials(2)
        same = {
            "record": record.to_json(),
            "approval": b64encode(record.approve(old.signing)),
            "credentials": credentials.to_json(),
        }
        for keys in (old, new):
            alice.keys = keys
            proof = alice.prove(Action.CREDENTIALS)
            assert self.change(alice, new, proof, **same).status_code == 204

    def test_who_recovers_renews_its_keys(self, alice: Person) -> None:
        recovered, new = alice.login(Action.RECOVER), self.renewed(alice)
        proof = recovered.prove(Action.CREDENTIALS, alice.keys.recovery_key)
        assert self.change(recovered, new, proof).status_code == 204
        problem(alice.send(Operation.ACCOUNT), 401, "device-revoked")

    def test_neither_a_token_nor_a_password_nor_a_key_is_enough(
        self, alice: Person, bob: Person
    ) -> None:
        new, theirs = self.renewed(alice), self.renewed(bob)
        record, created = new.record(), replace(new.record(), created=1)
        renamed = replace(record, login=bob.keys.login)
        approve = alice.keys.signing

        def signed(other: AccountRecord) -> dict[str, Any]:
            final = other.sign(new.signing)
            return {"record": final.to_json(), "approval": b64encode(final.approve(approve))}

        proof = alice.prove(Action.CREDENTIALS)
        for changes in (
            {"approval": b64encode(bytes(64))},
            {"approval": b64encode(record.approve(new.signing))},
            {"approval": b64encode(record.approve(bob.keys.signing))},
            signed(created),
            signed(renamed),
            signed(replace(record, identity=theirs.identity)),
            signed(replace(record, identity=replace(record.identity, encryption=bytes(32)))),
            {"credentials": new.credentials(3).to_json()},
            {"credentials": alice.keys.credentials(2).to_json()},
            {"credentials": theirs.credentials(2).to_json()},
        ):
            answer = self.change(alice, new, proof, **changes)
            problem(answer, 422, "entry-refused")
        wrong = alice.prove(Action.CREDENTIALS, bob.keys.login_key)
        problem(self.change(alice, new, wrong), 401, "login-failed")
        problem(self.change(alice, new, bob.prove(Action.CREDENTIALS)), 400, "malformed")
        problem(self.change(alice, new, alice.prove(Action.DEVICE)), 400, "malformed")
        problem(self.change(alice, new, proof, approval="A" * 85), 400, "malformed")
        found = AccountAnswer.model_validate(alice.send(Operation.ACCOUNT).json())
        assert AccountRecord.verified(found.record).identity == alice.keys.identity
        assert self.change(alice, new, proof).status_code == 204


class TestDevices:
    def test_devices_are_listed(self, alice: Person) -> None:
        second = alice.login()
        answer = second.send(Operation.DEVICES)
        devices = Devices.model_validate(answer.json()).devices
        assert {device.id: device.current for device in devices} == {
            alice.device.b64: False,
            second.device.b64: True,
        }
        assert {device.name for device in devices} == {"a laptop"}

    def test_logging_out_ends_ones_own_session(self, server: RunningServer, alice: Person) -> None:
        second = alice.login()
        assert (
            second.send(Operation.DEVICE_REVOKE, {"device": second.device.b64}).status_code == 204
        )
        problem(second.send(Operation.ACCOUNT), 401, "device-revoked")
        body = {"device": second.device.b64, "refresh_token": second.session["refresh_token"]}
        problem(send(server.url, Operation.LOGIN_REFRESH, json=body), 401, "device-revoked")
        assert len(alice.send(Operation.DEVICES).json()["devices"]) == 1

    def test_a_revoked_device_is_out_everywhere(self, alice: Person) -> None:
        project = alice.new_project()
        second = alice.login()
        assert alice.send(Operation.DEVICE_REVOKE, {"device": second.device.b64}).status_code == 204
        entry = project.entry(alice.keys, project.commit())
        names = {"project": project.id.b64}
        for answer in (
            second.send(Operation.ACCOUNT),
            second.send(Operation.DEVICES),
            second.send(Operation.PROJECTS),
            second.send(Operation.BRANCHES, names),
            second.send(Operation.PULL, names),
            second.send(Operation.ORG_ENTRIES, {"org": alice.org.b64}),
            second.push_entry(entry),
            second.send(Operation.PACK_GET, {**names, "pack": "A" * 43}),
            second.append(second.project_entry(project.members)),
            second.send(Operation.DEVICE_REVOKE, {"device": alice.device.b64}),
        ):
            problem(answer, 401, "device-revoked")
        assert alice.send(Operation.ACCOUNT).status_code == 200

    def test_nobody_revokes_what_is_not_theirs(self, alice: Person, bob: Person) -> None:
        answers = [
            bob.send(Operation.DEVICE_REVOKE, {"device": device.b64})
            for device in (alice.device, DeviceId.random())
        ]
        assert len({problem(answer, 404, "not-found")["detail"] for answer in answers}) == 1
        problem(bob.send(Operation.DEVICE_REVOKE, {"device": "no-id"}), 404, "not-found")
        assert alice.send(Operation.ACCOUNT).status_code == 200
