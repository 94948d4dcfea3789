"""Logging in, and changing how one logs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from sopor_core import canonical
from sopor_core.account import Action, ChallengeProof, Credentials
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, DeviceId, ServerId
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller, read_access_token
from sopor_server.errors import Refused
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Device
from sopor_server.service.accounts import change_credentials
from sopor_server.service.context import Context
from sopor_server.service.devices import revoke
from sopor_server.service.login import MAX_DEVICES, Session, challenge, login, refresh
from sopor_server.throttle import Throttle
from tests.support.stored import Household, account_of, device_of, genesis_of, new_keys
from tests.support.story import Key, Keys
from tests.unit.server.conftest import Clock

FIVE_MINUTES = 5 * 60 * 1000
FIFTEEN_MINUTES = 15 * 60 * 1000


def prove(
    context: Context, keys: Keys, action: Action = Action.LOGIN, key: Key | None = None
) -> ChallengeProof:
    asked = challenge(context, "address", keys.login, action)
    proof = ChallengeProof(asked.account, action, asked.challenge, context.server.id)
    recover = action is Action.RECOVER
    return proof.sign(key or (keys.recovery_key if recover else keys.login_key))


def enter(context: Context, proof: ChallengeProof) -> Session:
    return login(context, "address", proof, DeviceId.random(), "laptop")


def refused(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


class TestLogin:
    @pytest.mark.parametrize("action", [Action.LOGIN, Action.RECOVER])
    def test_who_has_the_key_gets_a_session(
        self, context: Context, home: Household, clock: Clock, action: Action
    ) -> None:
        session = enter(context, prove(context, home.keys, action))
        caller = read_access_token(context.server, session.access_token, clock())
        assert caller == Caller(home.keys.account, session.device)
        context.check_device(caller)
        assert session.account == context.store.account(home.keys.account)

    def test_each_action_has_its_key(self, context: Context, home: Household) -> None:
        for action, key in (
            (Action.LOGIN, home.keys.recovery_key),
            (Action.RECOVER, home.keys.login_key),
            (Action.LOGIN, home.keys.signing),
            (Action.LOGIN, Key()),
        ):
            proof = prove(context, home.keys, action, key)
            assert refused(lambda proof=proof: enter(context, proof)).problem is Code.LOGIN_FAILED  # type: ignore[misc]

    def test_a_challenge_works_once(self, context: Context, home: Household) -> None:
        proof = prove(context, home.keys)
        enter(context, proof)
        assert refused(lambda: enter(context, proof)).problem is Code.LOGIN_FAILED

    def test_a_challenge_works_for_five_minutes(
        self, context: Context, home: Household, clock: Clock
    ) -> None:
        proofs = [prove(context, home.keys) for _ in range(2)]
        clock.time += FIVE_MINUTES - 1
        enter(context, proofs[0])
        clock.time += 1001
        assert refused(lambda: enter(context, proofs[1])).problem is Code.LOGIN_FAILED

    def test_a_challenge_is_for_its_account(self, context: Context, home: Household) -> None:
        other = Household.found(context.store)
        asked = challenge(context, "address", home.keys.login, Action.LOGIN)
        proof = ChallengeProof(
            other.keys.account, Action.LOGIN, asked.challenge, context.server.id
        ).sign(other.keys.login_key)
        assert refused(lambda: enter(context, proof)).problem is Code.LOGIN_FAILED

    def test_a_challenge_is_for_its_action(self, context: Context, home: Household) -> None:
        asked = challenge(context, "address", home.keys.login, Action.DEVICE)
        proof = ChallengeProof(asked.account, Action.LOGIN, asked.challenge, context.server.id)
        signed = proof.sign(home.keys.login_key)
        assert refused(lambda: enter(context, signed)).problem is Code.LOGIN_FAILED

    @pytest.mark.parametrize("action", [Action.DEVICE, Action.CREDENTIALS])
    def test_other_actions_open_no_session(
        self, context: Context, home: Household, action: Action
    ) -> None:
        proof = prove(context, home.keys, action)
        assert refused(lambda: enter(context, proof)).problem is Code.MALFORMED

    def test_a_challenge_is_for_its_server(self, context: Context, home: Household) -> None:
        proof = replace(prove(context, home.keys), server=ServerId.random())
        signed = proof.sign(home.keys.login_key)
        assert refused(lambda: enter(context, signed)).problem is Code.LOGIN_FAILED

    def test_a_challenge_comes_from_this_server(self, context: Context, home: Household) -> None:
        made_up = bytes([255] * 4) + bytes(28)
        proof = ChallengeProof(home.keys.account, Action.LOGIN, made_up, context.server.id)
        signed = proof.sign(home.keys.login_key)
        assert refused(lambda: enter(context, signed)).problem is Code.LOGIN_FAILED

    def test_unknown_logins_look_like_known_ones(self, context: Context, home: Household) -> None:
        unknown = new_keys()
        asked = [challenge(context, "address", unknown.login, Action.LOGIN) for _ in range(2)]
        known = challenge(context, "address", home.keys.login, Action.LOGIN)
        assert asked[0].account == asked[1].account
        assert asked[0].challenge != asked[1].challenge
        assert asked[0].kdf == known.kdf
        assert len(asked[0].challenge) == len(known.challenge)
        another = replace(context, server=replace(context.server, secret=bytes(32)))
        elsewhere = challenge(another, "address", unknown.login, Action.LOGIN)
        assert elsewhere.account != asked[0].account
        failures = [
            refused(lambda keys=keys: enter(context, prove(context, keys, key=Key())))  # type: ignore[misc]
            for keys in (unknown, home.keys)
        ]
        assert len({(error.problem, error.message, error.hint) for error in failures}) == 1

    def test_a_failed_login_uses_nothing_up(self, context: Context, home: Household) -> None:
        proof = prove(context, home.keys)
        broken = replace(proof, signature=bytes(64))
        assert refused(lambda: enter(context, broken)).problem is Code.LOGIN_FAILED
        enter(context, proof)

    def test_failures_are_slowed_down(self, context: Context, home: Household) -> None:
        for _ in range(5):
            proof = prove(context, home.keys, key=Key())
            assert refused(lambda proof=proof: enter(context, proof)).problem is Code.LOGIN_FAILED  # type: ignore[misc]
        good = prove(context, home.keys)
        error = refused(lambda: enter(context, good))
        assert error.problem is Code.RATE_LIMITED
        assert error.retry_after is not None
        assert 0 < error.retry_after <= 60
        enter(context, prove(context, Household.found(context.store).keys))

    def test_addresses_are_slowed_down(self, context: Context, home: Household) -> None:
        slow = replace(context, by_address=Throttle(2, 60.0))
        for _ in range(2):
            challenge(slow, "here", home.keys.login, Action.LOGIN)
        error = refused(lambda: challenge(slow, "here", new_keys().login, Action.LOGIN))
        assert error.problem is Code.RATE_LIMITED
        challenge(slow, "there", home.keys.login, Action.LOGIN)

    def test_answers_to_challenges_are_slowed_down_as_well(
        self, context: Context, home: Household
    ) -> None:
        """Whoever answers wrongly, for one account after the other, does not get further."""
        proofs = [prove(context, Household.found(context.store).keys) for _ in range(3)]
        slow = replace(context, by_address=Throttle(2, 60.0))
        for proof in proofs[:2]:
            login(slow, "here", proof, DeviceId.random(), "laptop")
        error = refused(lambda: login(slow, "here", proofs[2], DeviceId.random(), "laptop"))
        assert error.problem is Code.RATE_LIMITED
        login(slow, "there", proofs[2], DeviceId.random(), "laptop")

    def test_who_logs_in_while_the_keys_are_replaced_is_out(
        self, context: Context, home: Household
    ) -> None:
        """The device comes after the others were revoked, by the credentials from before."""
        proof, device = prove(context, home.keys), DeviceId.random()
        account = home.keys.account
        put = context.store.put_device

        class Racing:
            def put_device(self, record: Device) -> None:
                context.store.replace_keys(account, 2, b"r", b"c", home.device.id)
                put(record)

            def __getattr__(self, name: str) -> object:
                return getattr(context.store, name)

        racing = replace(context, store=cast(MetadataStore, Racing()))
        error = refused(lambda: login(racing, "address", proof, device, "laptop"))
        assert error.problem is Code.LOGIN_FAILED
        assert list(context.store.devices(account)) == [home.device]

    def test_a_revoked_device_does_not_come_back(self, context: Context, home: Household) -> None:
        context.store.revoke_device(home.keys.account, home.device.id)
        proof = prove(context, home.keys)
        error = refused(lambda: login(context, "address", proof, home.device.id, "laptop"))
        assert error.problem is Code.DEVICE_REVOKED

    def test_nobody_takes_anothers_device(self, context: Context, home: Household) -> None:
        other = Household.found(context.store)
        proof = prove(context, other.keys)
        error = refused(lambda: login(context, "address", proof, home.device.id, "laptop"))
        assert error.problem is Code.DEVICE_REVOKED
        assert context.store.device(home.device.id) == home.device

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", "\ud800", "\u202e", "\x00"])
    def test_a_devices_name_can_be_shown(
        self, context: Context, home: Household, name: str
    ) -> None:
        proof = prove(context, home.keys)
        error = refused(lambda: login(context, "address", proof, DeviceId.random(), name))
        assert error.problem is Code.MALFORMED

    def test_an_account_has_so_many_devices(self, context: Context, home: Household) -> None:
        for _ in range(MAX_DEVICES - 1):
            context.store.put_device(device_of(home.keys))
        proof = prove(context, home.keys)
        assert refused(lambda: enter(context, proof)).problem is Code.QUOTA_EXCEEDED
        context.store.revoke_device(home.keys.account, home.device.id)
        enter(context, prove(context, home.keys))


class TestTokens:
    def test_an_access_token_lives_fifteen_minutes(
        self, context: Context, home: Household, clock: Clock
    ) -> None:
        token = enter(context, prove(context, home.keys)).access_token
        read_access_token(context.server, token, clock() + FIFTEEN_MINUTES - 1)
        error = refused(lambda: read_access_token(context.server, token, clock() + FIFTEEN_MINUTES))
        assert error.problem is Code.SESSION_EXPIRED

    def test_no_bit_of_an_access_token_can_be_changed(
        self, context: Context, home: Household, clock: Clock
    ) -> None:
        token = enter(context, prove(context, home.keys)).access_token
        for position in range(len(token)):
            changed = "A" if token[position] != "A" else "B"
            forged = token[:position] + changed + token[position + 1 :]
            error = refused(
                lambda forged=forged: read_access_token(context.server, forged, clock())  # type: ignore[misc]
            )
            assert error.problem is Code.UNAUTHENTICATED

    @pytest.mark.parametrize("token", ["", "A", "AAAA", "A" * 70, "A" * 1000, "\u00e9", "a b"])
    def test_what_is_no_token_is_refused(self, context: Context, clock: Clock, token: str) -> None:
        error = refused(lambda: read_access_token(context.server, token, clock()))
        assert error.problem is Code.UNAUTHENTICATED

    def test_a_token_of_another_server_is_refused(
        self, context: Context, home: Household, clock: Clock
    ) -> None:
        token = enter(context, prove(context, home.keys)).access_token
        other = replace(context.server, secret=bytes(32))
        error = refused(lambda: read_access_token(other, token, clock()))
        assert error.problem is Code.UNAUTHENTICATED

    def test_a_refresh_token_lasts_until_the_device_is_revoked(
        self, context: Context, home: Household, clock: Clock
    ) -> None:
        session = enter(context, prove(context, home.keys))
        clock.time += 365 * 24 * 3600 * 1000
        token = refresh(context, session.device, session.refresh_token)
        caller = read_access_token(context.server, token, clock())
        device = context.store.device(session.device)
        assert device is not None
        assert device.last_used == clock()
        revoke(context, caller, session.device)
        error = refused(lambda: refresh(context, session.device, session.refresh_token))
        assert error.problem is Code.DEVICE_REVOKED

    def test_only_its_refresh_token_refreshes_a_device(
        self, context: Context, home: Household
    ) -> None:
        one, two = (enter(context, prove(context, home.keys)) for _ in range(2))
        for device, token in (
            (one.device, two.refresh_token),
            (DeviceId.random(), one.refresh_token),
            (one.device, ""),
            (one.device, one.refresh_token[:-1]),
            (one.device, "not base64!"),
        ):
            error = refused(lambda device=device, token=token: refresh(context, device, token))  # type: ignore[misc]
            assert error.problem is Code.SESSION_EXPIRED

    def test_a_refresh_token_is_kept_as_a_hash(self, context: Context, home: Household) -> None:
        session = enter(context, prove(context, home.keys))
        device = context.store.device(session.device)
        assert device is not None
        assert session.refresh_token not in repr((session, device))
        assert session.access_token not in repr(session)
        assert len(device.refresh_hash) == 32


class TestCredentials:
    @pytest.fixture
    def again(self, home: Household) -> Keys:
        """The same account with a new password."""
        return Keys(home.keys.login, home.keys.signing, home.keys.encryption)

    def present(self, context: Context, home: Household) -> Credentials:
        found = context.store.account(home.keys.account)
        assert found is not None
        return Credentials.parse(canonical.parse_json(found.credentials))

    @pytest.mark.parametrize("which", ["login_key", "recovery_key"])
    def test_either_key_proves_a_change(
        self, context: Context, home: Household, caller: Caller, again: Keys, which: str
    ) -> None:
        proof = prove(context, home.keys, Action.CREDENTIALS, getattr(home.keys, which))
        new = again.credentials(2)
        change_credentials(context, caller, new.to_json(), proof)
        assert self.present(context, home) == new
        enter(context, prove(context, again))
        old = prove(context, home.keys)
        assert refused(lambda: enter(context, old)).problem is Code.LOGIN_FAILED

    def test_a_token_is_not_enough(
        self, context: Context, home: Household, caller: Caller, again: Keys
    ) -> None:
        new = again.credentials(2).to_json()
        for key in (Key(), home.keys.signing, again.login_key):
            proof = prove(context, home.keys, Action.CREDENTIALS, key)
            error = refused(
                lambda proof=proof: change_credentials(context, caller, new, proof)  # type: ignore[misc]
            )
            assert error.problem is Code.LOGIN_FAILED
        for action in (Action.LOGIN, Action.RECOVER, Action.DEVICE):
            proof = prove(context, home.keys, action)
            error = refused(
                lambda proof=proof: change_credentials(context, caller, new, proof)  # type: ignore[misc]
            )
            assert error.problem is Code.MALFORMED
        assert self.present(context, home).n == 1

    def test_a_proof_is_not_enough(
        self, context: Context, home: Household, caller: Caller, again: Keys
    ) -> None:
        stranger = replace_signing(again)
        forged = replace(stranger.credentials(2), account=home.keys.account).sign(stranger.signing)
        proof = prove(context, home.keys, Action.CREDENTIALS)
        with pytest.raises(VerificationError) as caught:
            change_credentials(context, caller, forged.to_json(), proof)
        assert caught.value.layer is Layer.SIGNATURE
        assert self.present(context, home).n == 1

    def test_a_proof_of_another_account_does_not_help(
        self, context: Context, home: Household, caller: Caller, again: Keys
    ) -> None:
        other = Household.found(context.store)
        proof = prove(context, other.keys, Action.CREDENTIALS)
        new = again.credentials(2).to_json()
        error = refused(lambda: change_credentials(context, caller, new, proof))
        assert error.problem is Code.MALFORMED

    @pytest.mark.parametrize("n", [1, 3])
    def test_numbers_follow_each_other(
        self, context: Context, home: Household, caller: Caller, again: Keys, n: int
    ) -> None:
        proof = prove(context, home.keys, Action.CREDENTIALS)
        with pytest.raises(VerificationError) as caught:
            change_credentials(context, caller, again.credentials(n).to_json(), proof)
        assert caught.value.layer is Layer.ACCOUNT
        change_credentials(context, caller, again.credentials(2).to_json(), proof)

    def test_of_two_changes_at_once_one_wins(
        self, context: Context, home: Household, caller: Caller, again: Keys
    ) -> None:
        proof = prove(context, home.keys, Action.CREDENTIALS)
        first = again.credentials(2)
        change_credentials(context, caller, first.to_json(), proof)
        proof = prove(context, again, Action.CREDENTIALS)
        with pytest.raises(VerificationError):
            change_credentials(context, caller, again.credentials(2).to_json(), proof)
        assert self.present(context, home) == first

    def test_weak_password_hashing_is_refused(
        self, context: Context, home: Household, caller: Caller, again: Keys
    ) -> None:
        new = again.credentials(2)
        weak = replace(new, kdf=replace(new.kdf, m=1024)).sign(again.signing)
        proof = prove(context, home.keys, Action.CREDENTIALS)
        with pytest.raises(VerificationError) as caught:
            change_credentials(context, caller, weak.to_json(), proof)
        assert caught.value.layer is Layer.KDF

    def test_a_revoked_device_changes_nothing(
        self, context: Context, home: Household, caller: Caller, again: Keys
    ) -> None:
        context.store.revoke_device(home.keys.account, home.device.id)
        proof = prove(context, home.keys, Action.CREDENTIALS)
        new = again.credentials(2).to_json()
        error = refused(lambda: change_credentials(context, caller, new, proof))
        assert error.problem is Code.DEVICE_REVOKED


def replace_signing(keys: Keys) -> Keys:
    """Returns the same person with a signing key of their own."""
    return Keys(keys.login, Key(), keys.encryption)


def test_an_account_without_its_device_is_gone(context: Context) -> None:
    keys = new_keys()
    context.store.create_account(account_of(keys), genesis_of(keys), device_of(keys))
    assert (
        refused(lambda: context.check_device(Caller(AccountId.random(), DeviceId.random()))).problem
        is Code.DEVICE_REVOKED
    )
