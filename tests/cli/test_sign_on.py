"""Single sign-on from the terminal: the command waits, the test plays the person's browser."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sopor.account import Setup, register
from sopor.keystore import Keystore, Protection
from tests.cli.conftest import PETSTORE
from tests.support.issuer import ADA, BOB, CLIENT, STRAIGHT, Issuer, Somebody, Twist, running_issuer
from tests.support.server import RunningServer, running_server, start_server
from tests.support.terminal import Answer, Terminal
from tests.support.world import CHEAP, PASSWORD

_NUMBERS = count(1)
_URL = re.compile(r"http://127\.0\.0\.1:\d+/authorize\?\S+")
Browser = Callable[[str], requests.Response]


def browser(url: str) -> requests.Response:
    """Opens a page and follows where it leads, as a browser does."""
    return requests.get(url, timeout=60)


class Clicking:
    """A browser on this machine that follows each page at once."""

    def show(self, url: str, issuer: str) -> None:
        Thread(target=browser, args=(url,)).start()


@dataclass
class Desk:
    """A device of somebody, and what that person's browser does with the issuer's page."""

    root: Path
    url: str
    login: str
    terminal: Terminal
    page: requests.Response | None = None

    @classmethod
    def of(cls, root: Path, url: str, login: str = "") -> Desk:
        """Returns a new device; the password comes from a file."""
        number = next(_NUMBERS)
        terminal = Terminal.create(root / f"desk-{number}")
        (root / "password.txt").write_text(f"{PASSWORD}\n", encoding="utf-8")
        terminal.environment["SOPOR_PASSWORD_FILE"] = str(root / "password.txt")
        return cls(root, url, login or f"person{number}@example.com", terminal)

    @property
    def kit(self) -> Path:
        return self.root / f"{self.login}.kit"

    def further(self) -> Desk:
        """Returns another device of the same person."""
        return Desk.of(self.root, self.url, self.login)

    def command(self, verb: str) -> str:
        where = f"--server {self.url} --kit {self.kit} --keystore file --no-browser"
        return f"sopor {verb} {self.login} {where}"

    def sign_on(self, command: str, code: int = 0, browser: Browser = browser) -> Answer:
        """Runs a command that asks for a sign-on, and does as it says."""
        process = self.terminal.start(command)
        assert process.stderr is not None
        seen = ""
        try:
            for line in process.stderr:
                seen += line
                if found := _URL.search(line):
                    self.page = browser(found[0].rstrip('"}'))
                    break
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
        said = f"$ {command}\n{out}{seen}{err}"
        assert process.returncode == code, f"exit code {process.returncode}, not {code}:\n{said}"
        assert _URL.search(seen), f"no address to sign on at:\n{said}"
        return Answer(out, seen + err, code)

    def register(self) -> Desk:
        """Registers through the library, with the lowest costs that a password may have."""
        setup = Setup(
            keystore=Keystore(Path(self.terminal.environment["SOPOR_HOME"])),
            protection=Protection.FILE,
            costs=CHEAP,
            browser=Clicking(),
        )
        register(setup, self.url, self.login, PASSWORD, self.kit)
        return self

    def forget_access_token(self) -> None:
        """Lets the access token end, as it does within a quarter of an hour."""
        (cached,) = Path(self.terminal.environment["SOPOR_HOME"], "accounts").glob("*.token")
        cached.unlink()


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: Issuer) -> Iterator[Issuer]:
    """An issuer at whose page a person sits who has no account yet."""
    running.at_the_browser = replace(ADA, sub=f"ada-{next(_NUMBERS)}")
    yield running
    running.twist, running.denies, running.refuses_codes = STRAIGHT, None, None
    running.client_secret, running.knows_offline_access = None, True


@pytest.fixture(scope="module")
def required(running: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("required") / "data"
    with running_server(folder, **running.settings("required")) as server:
        yield server


@pytest.fixture(scope="module")
def optional(running: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("optional") / "data"
    with running_server(folder, **running.settings("optional")) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, required: RunningServer, issuer: Issuer) -> Desk:
    return Desk.of(tmp_path, required.url)


class TestADayWithIt:
    def test_register_work_and_be_disabled(self, desk: Desk, issuer: Issuer) -> None:
        answer = desk.sign_on(desk.command("register"))
        assert f"Registered {desk.login}" in answer.out
        assert f"sign on at {issuer.url}" in answer.err
        assert desk.page is not None
        assert desk.page.status_code == 200
        assert "You can close this page" in desk.page.text
        terminal = desk.terminal
        shown = terminal("sopor whoami --json").json
        assert shown[0]["sign_on"] == issuer.url
        assert f"signed on at {issuer.url}" in terminal("sopor whoami").out
        shutil.copy(PETSTORE, terminal.folder / "petstore.yaml")
        for command in ("sopor init", "sopor commit -m 'Import'", "sopor devices"):
            terminal(command)
        # Sessions go on by the issuer's refresh token, which changes each time.
        for _ in range(3):
            desk.forget_access_token()
            terminal("sopor devices")
        assert issuer.requests.count("/authorize") >= 1

        issuer.disable(issuer.at_the_browser.sub)
        terminal("sopor devices")
        desk.forget_access_token()
        error = terminal("sopor devices --json", code=6).error
        assert error["code"] == "sign-on-required"
        assert "does not continue the sign-on" in error["message"]
        assert "sopor login" in error["hint"]
        # At the issuer's page the same person gets no further either.
        told = desk.sign_on(f"{desk.command('login')} --json", code=6).err.splitlines()
        assert json.loads(told[-1])["error"]["code"] == "sign-on-failed"
        assert "access_denied" in told[-1]
        assert desk.page.status_code == 200
        assert "not signed on" in desk.page.text

        issuer.enable(issuer.at_the_browser.sub)
        assert "Logged in" in desk.sign_on("sopor login --no-browser").out
        terminal("sopor devices")

    def test_several_devices_of_one_person(self, desk: Desk, issuer: Issuer) -> None:
        desk.register()
        other = desk.further()
        assert "Logged in" in other.sign_on(other.command("login")).out
        for each in (desk, other, desk):
            each.forget_access_token()
            assert len(each.terminal("sopor devices --json").json) == 2
        ada, issuer.at_the_browser = issuer.at_the_browser, BOB
        third = desk.further()
        error = third.sign_on(f"{third.command('login')}", code=6).err
        assert "linked to another person" in error
        issuer.at_the_browser = ada
        third.sign_on(third.command("login"))

    def test_nobody_makes_two_accounts(self, desk: Desk, issuer: Issuer) -> None:
        desk.register()
        second = Desk.of(desk.root, desk.url)
        assert "another account" in second.sign_on(second.command("register"), code=6).err
        assert not second.kit.exists()

    def test_recovering_asks_for_it_as_well(self, desk: Desk) -> None:
        desk.register()
        new = desk.root / "new-kit.txt"
        desk.terminal.environment["SOPOR_NEW_PASSWORD_FILE"] = str(desk.root / "password.txt")
        answer = desk.sign_on(f"{desk.command('recover')} --new-kit {new}")
        assert "Recovered" in answer.out
        desk.forget_access_token()
        desk.terminal("sopor devices")

    def test_the_password_is_still_needed(self, desk: Desk) -> None:
        desk.register()
        wrong = desk.root / "wrong.txt"
        wrong.write_text("not my password\n", encoding="utf-8")
        other = desk.further()
        other.terminal.environment["SOPOR_PASSWORD_FILE"] = str(wrong)
        error = other.terminal(other.command("login"), code=6).err
        assert "password" in error

    def test_two_processes_continue_it_at_once(self, desk: Desk) -> None:
        desk.register()
        for _ in range(3):
            desk.forget_access_token()
            both = [desk.terminal.start("sopor devices") for _ in range(3)]
            ended = [process.communicate(timeout=120) for process in both]
            assert [process.returncode for process in both] == [0, 0, 0], ended


class TestOptional:
    @pytest.fixture
    def desk(self, tmp_path: Path, optional: RunningServer, issuer: Issuer) -> Desk:
        return Desk.of(tmp_path, optional.url)

    def test_nobody_is_asked_who_does_not_ask(self, desk: Desk, issuer: Issuer) -> None:
        before = len(issuer.requests)
        desk.terminal(desk.command("register"))
        desk.terminal(desk.command("login"))
        desk.forget_access_token()
        desk.terminal("sopor devices")
        assert desk.terminal("sopor whoami --json").json[0]["sign_on"] is None
        assert len(issuer.requests) == before

    def test_who_signs_on_once_does_so_from_then_on(self, desk: Desk, issuer: Issuer) -> None:
        desk.terminal(desk.command("register"))
        other = desk.further()
        other.terminal(other.command("login"))
        desk.sign_on(f"{desk.command('login')} --sso")
        other.forget_access_token()
        error = other.terminal("sopor devices --json", code=6).error
        assert error["code"] == "sign-on-required"
        assert "sopor login" in error["hint"]
        # This device knows nothing of it, so the server asks.
        other.sign_on("sopor login --no-browser")
        other.forget_access_token()
        other.terminal("sopor devices")
        issuer.disable(issuer.at_the_browser.sub)
        other.forget_access_token()
        other.terminal("sopor devices", code=6)

    def test_a_new_account_can_have_it(self, desk: Desk, issuer: Issuer) -> None:
        desk.sign_on(f"{desk.command('register')} --sso")
        assert desk.terminal("sopor whoami --json").json[0]["sign_on"] == issuer.url


class TestWhatGoesWrong:
    @pytest.mark.parametrize(
        ("twist", "said"),
        [
            (Twist(claims={"aud": "somebody-else"}), "for another client"),
            (Twist(claims={"iss": "https://example.net"}), "of another issuer"),
            (Twist(claims={"nonce": "x"}), "not for this login"),
            (Twist(claims={"email": "ada@example.net"}), "addresses of example.net"),
            (Twist(claims={"email_verified": None}), "does not say that the e-mail"),
            (Twist(age=-400), "seconds in the future"),
            (Twist(age=900), "expired"),
            (Twist(algorithm="none"), "signed with 'none'"),
            (Twist(unknown_key=True), "key that the issuer does not name"),
        ],
    )
    def test_a_token_that_does_not_count(
        self, desk: Desk, issuer: Issuer, twist: Twist, said: str
    ) -> None:
        issuer.twist = twist
        answer = desk.sign_on(desk.command("register"), code=6)
        assert said in answer.err
        assert "hint:" in answer.err
        assert not desk.kit.exists()

    def test_the_person_refuses(self, desk: Desk, issuer: Issuer) -> None:
        issuer.denies = "access_denied"
        error = desk.sign_on(desk.command("register"), code=6).err
        assert "did not let you in (access_denied)" in error
        issuer.denies = "temporarily_unavailable"
        error = desk.sign_on(desk.command("register"), code=6).err
        assert "refused the sign-on (temporarily_unavailable)" in error

    def test_the_issuer_refuses_the_code(self, desk: Desk, issuer: Issuer) -> None:
        issuer.refuses_codes = "invalid_client"
        assert "(invalid_client)" in desk.sign_on(desk.command("register"), code=6).err

    def test_the_issuer_is_away(self, tmp_path: Path) -> None:
        with running_issuer() as issuer:
            settings = issuer.settings("required")
        with running_server(tmp_path / "data", **settings) as server:
            desk = Desk.of(tmp_path, server.url)
            error = desk.terminal(f"{desk.command('register')} --json", code=8).error
        assert error["code"] == "server-unreachable"
        assert "issuer" in error["message"]

    def test_the_issuer_is_away_later(self, tmp_path: Path) -> None:
        with running_issuer() as issuer:
            port = int(issuer.url.rpartition(":")[2])
            server = running_server(tmp_path / "data", **issuer.settings("required"))
            url = server.__enter__().url
            desk = Desk.of(tmp_path, url).register()
        try:
            desk.forget_access_token()
            assert desk.terminal("sopor devices --json", code=8).error["code"] == (
                "server-unreachable"
            )
            # Nothing is lost by that, and a new issuer there knows no token of the old one.
            with running_issuer(port=port):
                desk.terminal("sopor devices", code=6)
        finally:
            server.__exit__(None, None, None)

    def test_strangers_at_the_port_change_nothing(self, desk: Desk) -> None:
        def with_strangers(url: str) -> requests.Response:
            redirect = parse_qs(urlsplit(url).query)["redirect_uri"][0]
            port = urlsplit(redirect).port or 0
            idle = socket.create_connection(("127.0.0.1", port))
            try:
                strange = requests.get(redirect.replace("/callback", "/favicon.ico"), timeout=60)
                assert strange.status_code == 404
                for query in ("", "?code=x", "?state=x&code=x", "?error=access_denied"):
                    assert requests.get(redirect + query, timeout=60).status_code == 400
                state = parse_qs(urlsplit(url).query)["state"][0]
                rebound = requests.get(
                    f"{redirect}?state={state}&code=x",
                    headers={"Host": f"evil.example:{port}"},
                    timeout=60,
                )
                assert rebound.status_code == 400
                return browser(url)
            finally:
                idle.close()

        desk.sign_on(desk.command("register"), browser=with_strangers)

    def test_another_issuer_in_the_answer(self, desk: Desk) -> None:
        def mixed_up(url: str) -> requests.Response:
            answer = requests.get(url, timeout=60, allow_redirects=False)
            there = answer.headers["Location"].replace("iss=http", "iss=https")
            return requests.get(there, timeout=60)

        error = desk.sign_on(desk.command("register"), code=6, browser=mixed_up).err
        assert "another issuer answered" in error

    def test_a_port_that_is_taken(self, tmp_path: Path, issuer: Issuer) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            settings = {**issuer.settings("required"), "SOPOR_SSO_PORT": str(port)}
            with running_server(tmp_path / "data", **settings) as server:
                desk = Desk.of(tmp_path, server.url)
                error = desk.terminal(desk.command("register"), code=6).err
                assert f"port {port}" in error
                assert "end the program that uses it" in error
                taken.close()
                desk.register()
                assert urlsplit(issuer.redirects[-1]).port == port

    def test_ctrl_c_leaves_nothing_behind(self, desk: Desk) -> None:
        process = desk.terminal.start(desk.command("register"))
        assert process.stderr is not None
        for line in process.stderr:
            if _URL.search(line):
                process.send_signal(signal.SIGINT)
                break
        process.communicate(timeout=60)
        assert process.returncode == 130
        assert not desk.kit.exists()
        desk.terminal("sopor whoami", code=6)

    def test_nobody_may_be_asked(self, desk: Desk) -> None:
        error = desk.terminal(f"{desk.command('register')} --no-input --json", code=13).error
        assert error["code"] == "input-needed"
        assert "sign-on" in error["message"]

    def test_a_server_without_an_issuer(self, tmp_path: Path, server: RunningServer) -> None:
        desk = Desk.of(tmp_path, server.url)
        error = desk.terminal(f"{desk.command('register')} --sso", code=7).err
        assert "names no issuer" in error
        desk.terminal(desk.command("register"))
        assert "names no issuer" in desk.terminal(f"{desk.command('login')} --sso", code=7).err

    def test_a_server_that_names_another_issuer_than_before(self, tmp_path: Path) -> None:
        with running_issuer() as first, running_issuer("EdDSA") as second:
            data = tmp_path / "data"
            with running_server(data, **first.settings("required")) as server:
                desk = Desk.of(tmp_path, server.url).register()
                port = int(server.url.rpartition(":")[2])
            server = start_server(data, port, **second.settings("required"))
            try:
                error = desk.terminal("sopor login --no-browser", code=6).err
                assert "another issuer than before" in error
                desk.sign_on("sopor login --no-browser --sso")
                assert second.url in desk.terminal("sopor whoami").out
            finally:
                server.stop()


class TestIssuersOfAllKinds:
    def test_one_that_gives_no_refresh_token(self, desk: Desk, issuer: Issuer) -> None:
        issuer.knows_offline_access = False
        answer = desk.sign_on(desk.command("register"))
        assert "a quarter of an hour" in answer.err
        desk.terminal("sopor devices")
        desk.forget_access_token()
        error = desk.terminal("sopor devices", code=6).err
        assert "sopor login" in error

    def test_one_that_asks_desktop_programs_for_a_secret(
        self, tmp_path: Path, issuer: Issuer
    ) -> None:
        issuer.client_secret = "not so secret: & + %"
        settings = {
            **issuer.settings("required", "*"),
            "SOPOR_SSO_CLIENT_SECRET": issuer.client_secret,
        }
        issuer.at_the_browser = Somebody(f"eve-{next(_NUMBERS)}", "eve@anywhere.example")
        with running_server(tmp_path / "data", **settings) as server:
            desk = Desk.of(tmp_path, server.url).register()
            desk.forget_access_token()
            desk.terminal("sopor devices")

    def test_the_address_for_a_program(self, desk: Desk, issuer: Issuer) -> None:
        answer = desk.sign_on(f"{desk.command('register')} --json")
        told = json.loads(answer.err.splitlines()[0])["sign_on"]
        assert told["issuer"] == issuer.url
        query = parse_qs(urlsplit(told["url"]).query)
        assert query["client_id"] == [CLIENT]
        assert query["scope"] == ["openid email offline_access"]
        assert query["prompt"] == ["consent"]
        assert answer.json["sign_on"] == issuer.url

    def test_a_browser_is_opened(self, desk: Desk) -> None:
        # The browser of this person is a program that opens one page and follows it.
        script = desk.root / "browser"
        script.write_text(
            f"#!{sys.executable}\n"
            "import sys, requests\n"
            "requests.get(sys.argv[1], timeout=60).raise_for_status()\n",
            encoding="utf-8",
        )
        script.chmod(0o700)
        command = desk.command("register").replace(" --no-browser", "")
        answer = desk.terminal(command, env={"BROWSER": f"{script} %s"})
        assert "in the browser that just opened" in answer.err
        assert "/authorize" not in answer.err


def test_no_secret_of_it_is_written_in_the_clear(desk: Desk, issuer: Issuer) -> None:
    desk.register()
    home = Path(desk.terminal.environment["SOPOR_HOME"])
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert issuer.at_the_browser.sub.encode() not in stored
    for token in issuer.live_tokens():
        assert token.encode() not in stored
    assert issuer.url.encode() in stored
