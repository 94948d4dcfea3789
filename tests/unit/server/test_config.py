"""The settings from the environment."""

from pathlib import Path

import pytest

from sopor_server.config import DEFAULT_QUOTA, Config
from sopor_server.errors import InvalidConfig


def test_nothing_needs_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    config = Config.from_environment({"HOME": "/home/alice"})
    assert config == Config(Path("/home/alice/.local/share/sopor-server"))
    assert config.quota_bytes == DEFAULT_QUOTA
    config = Config.from_environment({"HOME": "/home/alice", "XDG_DATA_HOME": "/data"})
    assert config.data == Path("/data/sopor-server")
    monkeypatch.setattr("sys.platform", "darwin")
    config = Config.from_environment({"HOME": "/Users/alice"})
    assert config.data == Path("/Users/alice/Library/Application Support/sopor-server")


def test_everything_can_be_set() -> None:
    config = Config.from_environment(
        {
            "SOPOR_DATA": "/srv/sopor",
            "SOPOR_QUOTA_BYTES": "0",
            "SOPOR_REGISTRATION": "closed",
            "SOPOR_LOGIN_RATE": "7",
            "SOPOR_TRUSTED_PROXIES": "2",
            "SOPOR_THREADS": "4",
            "SOPOR_LOG": "off",
        }
    )
    assert config == Config(Path("/srv/sopor"), 0, "closed", 7, 2, 4, "off")


def test_all_mistakes_are_told_at_once() -> None:
    mistakes = {
        "SOPOR_DATA": "here",
        "SOPOR_QUOTA_BYTES": "-1",
        "SOPOR_REGISTRATION": "maybe",
        "SOPOR_LOGIN_RATE": "0",
        "SOPOR_TRUSTED_PROXIES": "one",
        "SOPOR_THREADS": "\u0664",
        "SOPOR_LOG": "loud",
    }
    with pytest.raises(InvalidConfig) as caught:
        Config.from_environment(mistakes)
    assert all(name in caught.value.message for name in mistakes)
    assert caught.value.hint
