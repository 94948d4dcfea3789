"""The settings from the environment."""

from pathlib import Path

import pytest

from sopor_core.encoding import b64encode
from sopor_server.config import DEFAULT_QUOTA, Cloud, Config
from sopor_server.errors import InvalidConfig
from sopor_server.ports.sign_on import Mode, SignOnSettings
from tests.support.story import Key


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
    assert config.events_quiet == 0


def test_limits_and_the_key_of_licenses_are_set() -> None:
    key = Key().public
    config = Config.from_environment(
        {
            "HOME": "/home/alice",
            "SOPOR_QUOTA_SEATS": "20",
            "SOPOR_QUOTA_PROJECTS": "5",
            "SOPOR_LICENSE_KEY": b64encode(key),
        }
    )
    assert (config.quota_seats, config.quota_projects) == (20, 5)
    assert config.license_key == key


def test_streams_of_events_are_set() -> None:
    config = Config.from_environment(
        {
            "HOME": "/home/alice",
            "SOPOR_EVENTS_URL": "https://events.example.com/",
            "SOPOR_EVENTS_PORT": "8441",
            "SOPOR_EVENTS_STREAMS": "10",
            "SOPOR_EVENTS_QUIET": "60",
        }
    )
    assert (config.events_url, config.events_port) == ("https://events.example.com", 8441)
    assert (config.events_streams, config.events_quiet) == (10, 60)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://127.0.0.1:8441", True),
        ("http://localhost", True),
        ("http://events.example.com", False),
        ("https://events.example.com/path", False),
        ("https://events.example.com?query", False),
        ("https://", False),
        ("events.example.com", False),
        ("https://[events", False),
    ],
)
def test_where_streams_are_is_an_address_that_clients_take(url: str, good: bool) -> None:
    if good:
        assert Config.from_environment({"SOPOR_EVENTS_URL": url}).events_url == url
    else:
        with pytest.raises(InvalidConfig, match="SOPOR_EVENTS_URL"):
            Config.from_environment({"SOPOR_EVENTS_URL": url})


@pytest.mark.parametrize("key", ["x", "A" * 43, "A" * 44, "=" * 43])
def test_a_key_of_licenses_is_one(key: str) -> None:
    with pytest.raises(InvalidConfig, match="SOPOR_LICENSE_KEY"):
        Config.from_environment({"SOPOR_LICENSE_KEY": key})


def test_all_mistakes_are_told_at_once() -> None:
    mistakes = {
        "SOPOR_DATA": "here",
        "SOPOR_QUOTA_BYTES": "-1",
        "SOPOR_QUOTA_SEATS": "many",
        "SOPOR_QUOTA_PROJECTS": "1.5",
        "SOPOR_LICENSE_KEY": "A" * 43,
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


SIGN_ON = {
    "SOPOR_SSO": "required",
    "SOPOR_SSO_ISSUER": "https://login.example.com/",
    "SOPOR_SSO_CLIENT_ID": "sopor-desktop",
    "SOPOR_SSO_DOMAINS": "example.com, Example.ORG",
}


def test_single_sign_on_is_off_unless_it_is_asked_for() -> None:
    settings = {name: value for name, value in SIGN_ON.items() if name != "SOPOR_SSO"}
    assert Config.from_environment({"HOME": "/home/alice", **settings}).sign_on is None
    off = {"HOME": "/home/alice", **SIGN_ON, "SOPOR_SSO": "off"}
    assert Config.from_environment(off).sign_on is None


def test_single_sign_on_is_set_up() -> None:
    config = Config.from_environment({"HOME": "/home/alice", **SIGN_ON})
    domains = frozenset({"example.com", "example.org"})
    assert config.sign_on == SignOnSettings(
        Mode.REQUIRED, "https://login.example.com/", "sopor-desktop", None, domains
    )
    further = {
        "SOPOR_SSO": "optional",
        "SOPOR_SSO_ISSUER": "http://127.0.0.1:9000",
        "SOPOR_SSO_CLIENT_SECRET": "known to everybody",
        "SOPOR_SSO_DOMAINS": "*",
        "SOPOR_SSO_MAX_AGE": "60",
        "SOPOR_SSO_PORT": "8400",
    }
    config = Config.from_environment({"HOME": "/home/alice", **SIGN_ON, **further})
    assert config.sign_on == SignOnSettings(
        Mode.OPTIONAL,
        "http://127.0.0.1:9000",
        "sopor-desktop",
        "known to everybody",
        None,
        60,
        8400,
    )
    assert "known to everybody" not in repr(config)


def test_half_a_single_sign_on_is_refused_with_all_that_it_lacks() -> None:
    with pytest.raises(InvalidConfig) as caught:
        Config.from_environment({"HOME": "/home/alice", "SOPOR_SSO": "optional"})
    lacking = SIGN_ON.keys() - {"SOPOR_SSO"}
    assert all(f"{name} is needed" in caught.value.message for name in lacking)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOPOR_SSO", "yes"),
        ("SOPOR_SSO_ISSUER", "login.example.com"),
        ("SOPOR_SSO_ISSUER", "http://login.example.com"),
        ("SOPOR_SSO_ISSUER", "https://u@login.example.com"),
        ("SOPOR_SSO_ISSUER", "https://login.example.com:x"),
        ("SOPOR_SSO_DOMAINS", "example.com,"),
        ("SOPOR_SSO_DOMAINS", "@example.com"),
        ("SOPOR_SSO_DOMAINS", "*.example.com"),
        ("SOPOR_SSO_DOMAINS", "example"),
        ("SOPOR_SSO_MAX_AGE", "0"),
        ("SOPOR_SSO_PORT", "65536"),
    ],
)
def test_a_single_sign_on_that_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidConfig, match=f"{name} must be"):
        Config.from_environment({"HOME": "/home/alice", **SIGN_ON, name: value})


SERVER = {"SOPOR_SERVER_ID": "A" * 22, "SOPOR_SERVER_SECRET": "A" * 43}
CLOUD = {"GOOGLE_CLOUD_PROJECT": "p", "SOPOR_DATABASE": "d", "SOPOR_BUCKET": "b", **SERVER}


def test_the_cloud_is_chosen_by_database_and_bucket() -> None:
    config = Config.from_environment({"HOME": "/home/alice", **CLOUD})
    assert config.cloud == Cloud("p", "d", "b")
    assert config.events_quiet == 120
    assert config.identity is not None
    assert (config.identity.id, config.identity.secret) == (bytes(16), bytes(32))
    assert Config.from_environment({"HOME": "/home", "GOOGLE_CLOUD_PROJECT": "p"}).cloud is None


def test_emulators_are_named_as_google_names_them() -> None:
    emulators = {"FIRESTORE_EMULATOR_HOST": "a:1", "STORAGE_EMULATOR_HOST": "http://b:2"}
    config = Config.from_environment({"HOME": "/home/alice", **CLOUD, **emulators})
    assert config.cloud == Cloud("p", "d", "b", "a:1", "http://b:2")


@pytest.mark.parametrize("one", ["SOPOR_DATABASE", "SOPOR_BUCKET"])
def test_half_a_cloud_is_refused_with_all_that_it_lacks(one: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        Config.from_environment({"HOME": "/home/alice", one: "x", "SOPOR_THREADS": "0"})
    lacking = CLOUD.keys() - {one}
    assert all(f"{name} is needed" in caught.value.message for name in lacking)
    assert f"{one} is needed" not in caught.value.message
    assert "SOPOR_THREADS must be at least 1" in caught.value.message


def test_who_serves_nobody_needs_no_secret() -> None:
    storages = {name: value for name, value in CLOUD.items() if name not in SERVER}
    config = Config.from_environment({"HOME": "/home/alice", **storages}, serving=False)
    assert config.cloud is not None
    assert config.identity is None


@pytest.mark.parametrize("name", sorted(SERVER))
def test_an_identity_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(InvalidConfig, match=f"{name} must be"):
        Config.from_environment({"HOME": "/home/alice", **CLOUD, name: "short"})
