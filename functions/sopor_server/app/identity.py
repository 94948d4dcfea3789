"""Handlers of accounts, logins and devices: wire models in, use cases, wire models out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from werkzeug.wrappers import Response

from sopor_core.account import Action, ChallengeProof
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import InvalidValue, VerificationError
from sopor_core.ids import DeviceId
from sopor_core.names import normalize_login
from sopor_core.wire import models
from sopor_server.app import answers
from sopor_server.app.call import Call
from sopor_server.app.endpoints import ENDPOINTS
from sopor_server.auth import ACCESS_SECONDS
from sopor_server.errors import malformed
from sopor_server.ports.records import Account
from sopor_server.service import accounts
from sopor_server.service import devices as use_devices
from sopor_server.service import login as logins

T = TypeVar("T")


def account_create(call: Call) -> Response:
    """Registers an account."""
    body = call.json(models.AccountCreate, _limit(call))
    registration = accounts.Registration(
        body.record,
        body.credentials,
        _read("genesis", lambda: b64decode(body.genesis)),
        _device_id(body.device.id),
        body.device.name,
        body.id_token,
        None if body.challenge is None else _challenge(body.challenge),
    )
    return _session(accounts.register(call.context, call.address, registration), 201)


def login_challenge(call: Call) -> Response:
    """Gives a challenge for a login name, known or not."""
    body = call.json(models.ChallengeRequest, _limit(call))
    if body.action not in set(Action):
        raise malformed("action: unknown", f"use one of {', '.join(Action)}")
    login = _read("login", lambda: normalize_login(body.login))
    found = logins.challenge(call.context, call.address, login, Action(body.action))
    return answers.model(
        models.Challenge(
            account=found.account.b64,
            kdf=models.Kdf.model_validate(found.kdf.to_json()),
            challenge=b64encode(found.challenge),
            server=call.context.server.id.b64,
        )
    )


def login(call: Call) -> Response:
    """Opens a session for an answered challenge."""
    body = call.json(models.LoginRequest, _limit(call))
    proof = _read("proof", lambda: ChallengeProof.parse(body.proof))
    device = _device_id(body.device.id)
    opened = logins.login(
        call.context, call.address, proof, device, body.device.name, body.id_token
    )
    return _session(opened, 200)


def login_refresh(call: Call) -> Response:
    """Gives a new access token."""
    body = call.json(models.RefreshRequest, _limit(call))
    device = _device_id(body.device)
    token = logins.refresh(call.context, device, body.refresh_token, body.id_token)
    return answers.model(models.AccessToken(access_token=token, expires_in=ACCESS_SECONDS))


def account(call: Call) -> Response:
    """Answers the caller's account."""
    call.query(())
    found = accounts.account(call.context, call.caller)
    return answers.model(
        models.AccountAnswer(
            record=json.loads(found.record),
            credentials=json.loads(found.credentials),
            organizations=_organizations(found),
        )
    )


def credentials_change(call: Call) -> Response:
    """Replaces the caller's credentials."""
    body = call.json(models.CredentialsChange, _limit(call))
    proof = _read("proof", lambda: ChallengeProof.parse(body.proof))
    accounts.change_credentials(call.context, call.caller, body.credentials, proof)
    return answers.empty(204)


def keys_change(call: Call) -> Response:
    """Replaces the caller's keys and credentials, and revokes its other devices."""
    body = call.json(models.KeysChange, _limit(call))
    proof = _read("proof", lambda: ChallengeProof.parse(body.proof))
    approval = _read("approval", lambda: b64decode(body.approval))
    change = accounts.NewKeys(body.record, approval, body.credentials)
    accounts.change_keys(call.context, call.caller, change, proof)
    return answers.empty(204)


def devices(call: Call) -> Response:
    """Answers the live devices of the caller's account."""
    call.query(())
    found = use_devices.devices(call.context, call.caller)
    return answers.model(
        models.Devices(
            devices=[
                models.Device(
                    id=device.id.b64,
                    name=device.name,
                    created=device.created,
                    last_used=device.last_used,
                    current=device.id == call.caller.device,
                )
                for device in found
            ]
        )
    )


def device_revoke(call: Call) -> Response:
    """Revokes a device of the caller's account."""
    use_devices.revoke(call.context, call.caller, call.id("device", DeviceId))
    return answers.empty(204)


def _session(session: logins.Session, status: int) -> Response:
    return answers.model(
        models.Session(
            record=json.loads(session.account.record),
            credentials=json.loads(session.account.credentials),
            organizations=_organizations(session.account),
            device=session.device.b64,
            access_token=session.access_token,
            expires_in=ACCESS_SECONDS,
            refresh_token=session.refresh_token,
        ),
        status,
    )


def _organizations(found: Account) -> list[str]:
    return [org.b64 for org in found.organizations]


def _challenge(text: str) -> bytes:
    return _read("challenge", lambda: b64decode(text))


def _device_id(text: str) -> DeviceId:
    return _read("device", lambda: DeviceId.from_b64(text))


def _read(name: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except VerificationError as error:
        raise malformed(f"{name}: {error.detail}") from None
    except InvalidValue as error:
        raise malformed(f"{name}: {error.message}", error.hint) from None


def _limit(call: Call) -> int:
    return ENDPOINTS[call.route.operation].limit
