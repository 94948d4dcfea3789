"""The recovery kit: written exactly, read tolerantly."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from sopor.account.recovery_kit import RecoveryKit, kit_date, parse_kit, read_kit, write_kit
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.errors import DiskFull, InvalidInput, NotFound, StateConflict
from sopor_core.ids import AccountId, ServerId


@pytest.fixture
def kit() -> RecoveryKit:
    return RecoveryKit(
        server="https://sopor.example.com",
        server_id=ServerId.random(),
        login="ada@example.com",
        account=AccountId.random(),
        secret_key=SecretKey.random(),
        recovery_key=RecoveryKey.random(),
        created=kit_date(1_700_000_000_000),
    )


def test_a_kit_reads_back(kit: RecoveryKit, tmp_path: Path) -> None:
    path = tmp_path / "kit.txt"
    write_kit(path, kit)
    assert read_kit(path) == kit
    assert kit.created == "2023-11-14"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kit_is_all_that_a_person_needs_to_read(kit: RecoveryKit) -> None:
    text = kit.to_text()
    assert kit.secret_key is not None
    assert kit.secret_key.to_text() in text
    assert "sopor login ada@example.com --server https://sopor.example.com" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.upper(),
        lambda text: text.lower(),
        lambda text: "\n".join(f"> {line}" for line in text.splitlines()),
        lambda text: "\n".join(f"  {line}  " for line in text.splitlines()),
        lambda text: text.replace(":  ", " = "),
        lambda text: text.replace("SK1-", "SK1 ").replace("-", "  ").replace("RK1 ", "rk1-"),
        lambda text: "From: me\nSubject: my kit\n\n" + text + "\nServer: another one\n",
    ],
)
def test_a_kit_that_was_typed_or_mailed_still_reads(kit: RecoveryKit, change: object) -> None:
    assert callable(change)
    found = parse_kit(change(kit.to_text()).removeprefix("\ufeff"))
    assert (found.secret_key, found.recovery_key) == (kit.secret_key, kit.recovery_key)
    assert (found.server_id, found.account) == (kit.server_id, kit.account)
    assert found.login == kit.login
    assert found.server is not None
    assert found.server.lower() == kit.server


def test_a_byte_order_mark_is_passed_over(kit: RecoveryKit, tmp_path: Path) -> None:
    (tmp_path / "kit.txt").write_text(kit.to_text(), encoding="utf-8-sig")
    assert read_kit(tmp_path / "kit.txt") == kit


def test_one_key_is_enough(kit: RecoveryKit) -> None:
    assert kit.secret_key is not None
    only = parse_kit(f"Secret key: {kit.secret_key.to_text()}")
    assert only == RecoveryKit(secret_key=kit.secret_key)
    with pytest.raises(ValueError, match="lacks a part"):
        only.to_text()


@pytest.mark.parametrize("line", ["Secret key", "Recovery key", "Server id", "Account id", "Login"])
def test_a_mistyped_line_is_named_and_not_repeated(kit: RecoveryKit, line: str) -> None:
    lines = kit.to_text().splitlines()
    at = next(number for number, text in enumerate(lines) if text.startswith(f"{line}:"))
    lines[at] = lines[at][:-1] + "!"
    with pytest.raises(InvalidInput, match=f"'{line.lower()}' is mistyped") as refused:
        parse_kit("\n".join(lines))
    assert kit.secret_key is not None
    assert kit.recovery_key is not None
    for key in (kit.secret_key, kit.recovery_key):
        assert key.to_text()[4:13] not in f"{refused.value} {refused.value.hint}"


def test_what_is_no_kit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kit.txt"
    with pytest.raises(NotFound):
        read_kit(path)
    for content in (b"", b"Server: x\n", b"\xff\xfe", bytes(70_000)):
        path.write_bytes(content)
        with pytest.raises(InvalidInput) as refused:
            read_kit(path)
        assert str(path) in refused.value.message
        assert refused.value.hint


def test_a_kit_is_created_or_not_there(
    kit: RecoveryKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DiskFull):
        write_kit(tmp_path / "missing" / "kit.txt", kit)
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(StateConflict):
        write_kit(link, kit)
    assert not (tmp_path / "elsewhere.txt").exists()

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFull):
        write_kit(tmp_path / "kit.txt", kit)
    assert not (tmp_path / "kit.txt").exists()


def test_nothing_shows_the_keys(kit: RecoveryKit) -> None:
    assert kit.secret_key is not None
    assert kit.secret_key.to_text() not in repr(kit)
    assert "secret_key" not in repr(replace(kit, server=None))
