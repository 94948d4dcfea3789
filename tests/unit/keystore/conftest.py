"""A keystore in an empty home, and what a test may put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sopor.crypto.account import AccountSecret
from sopor.crypto.written_keys import SecretKey
from sopor.keystore import DeviceSecrets, Keystore, KnownAccount, NextKeys, Protection
from sopor_core.account import KdfParameters
from sopor_core.ids import AccountId, DeviceId, OrgId, ServerId

PASSWORD = "correct horse battery staple"


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "home")


@pytest.fixture
def known() -> Callable[..., KnownAccount]:
    """Makes the public part of an account."""

    def make(
        login: str = "ada@example.com",
        server: str = "https://sopor.example.com",
        protection: Protection = Protection.FILE,
    ) -> KnownAccount:
        return KnownAccount(
            server=server,
            server_id=ServerId.random(),
            login=login,
            account=AccountId.random(),
            device=DeviceId.random(),
            device_name="laptop",
            protection=protection,
            n=1,
            kdf=KdfParameters(),
        )

    return make


@pytest.fixture
def secrets() -> DeviceSecrets:
    org = OrgId.random()
    return DeviceSecrets(
        account_secret=AccountSecret.random(),
        secret_key=SecretKey.random(),
        refresh_token="a-refresh-token-that-nobody-may-see",
        organizations=(org, OrgId.random()),
        personal=org,
        next=NextKeys(AccountSecret.random(), SecretKey.random()),
    )
