"""What is stored is changed: every flipped, cut or exchanged byte string is refused."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from sopor.errors import VerificationError
from sopor.remote.answers import MAX_ANSWER_BYTES
from sopor.repository import Repository
from sopor_core.errors import Layer
from sopor_core.ids import PackId
from sopor_core.wire.deflated import split_answer
from sopor_core.wire.parts import Part, join_parts
from tests.adversary.scene import (
    Scene,
    assert_refused,
    flip,
    sampled_flips,
    unchanged,
)
from tests.support.evil import (
    Parts,
    in_pulls,
)
from tests.support.tampering import Exchange
from tests.support.world import Device


@pytest.mark.parametrize("seq", [4, 5, 6])
def test_a_flipped_bit_in_a_stored_pack_is_refused(
    scene: Scene, behind: Repository, seq: int
) -> None:
    (pack,) = scene.shop.packs[seq - 1]
    path = scene.evil.pack_path(pack)
    cut = [pack[:-1], pack[:46], b"\0", pack + b"\0"]
    try:
        with unchanged(behind):
            for changed in [*sampled_flips(pack, seq, 40), *cut]:
                path.write_bytes(changed)
                with pytest.raises(VerificationError) as refused:
                    behind.fetch()
                assert refused.value.layer in (Layer.PACK, Layer.WIRE)
    finally:
        path.write_bytes(pack)


@pytest.mark.parametrize("seq", [4, 5, 6])
def test_a_flipped_bit_in_an_entry_is_refused(scene: Scene, behind: Repository, seq: int) -> None:
    entry = scene.shop.entry(seq)
    changed = entry

    def show(parts: Parts) -> Parts:
        return [Part(part.kind, changed if part.data == entry else part.data) for part in parts]

    scene.evil.tamper = in_pulls(show)
    with unchanged(behind):
        for flipped in sampled_flips(entry, seq, 60):
            changed = flipped
            with pytest.raises(VerificationError):
                behind.fetch()
    changed = entry
    assert behind.fetch().entries == 3


def test_exchanged_packs_are_refused(scene: Scene, behind: Repository) -> None:
    (wanted,) = scene.shop.packs[5]
    path = scene.evil.pack_path(wanted)
    others = [*scene.shop.packs[1], *scene.other.packs[5], *scene.his.packs[0]]
    try:
        with unchanged(behind):
            for other in others:
                path.write_bytes(other)
                with pytest.raises(VerificationError) as refused:
                    behind.fetch()
                assert refused.value.layer in (Layer.PACK, Layer.WIRE)
    finally:
        path.write_bytes(wanted)


def test_a_pack_that_is_gone_is_told_by_name(scene: Scene, behind: Repository) -> None:
    (wanted,) = scene.shop.packs[5]
    path = scene.evil.pack_path(wanted)
    path.unlink()
    try:
        refused = assert_refused(behind, behind.fetch, VerificationError, Layer.PACK)
    finally:
        path.write_bytes(wanted)
    assert PackId(sha256(wanted).digest()).short in refused.message


def test_a_clone_of_changed_data_leaves_nothing_behind(scene: Scene, fresh: Device) -> None:
    (pack,) = scene.shop.packs[0]
    path = scene.evil.pack_path(pack)
    path.write_bytes(flip(pack, len(pack) // 2, 0))
    try:
        with pytest.raises(VerificationError) as refused:
            fresh.clone("shop", "never")
    finally:
        path.write_bytes(pack)
    assert refused.value.layer is Layer.PACK
    assert not (fresh.folder / "never").exists()


@pytest.mark.parametrize("seq", [1, 2])
def test_a_flipped_bit_in_a_membership_entry_is_refused_by_a_clone(
    scene: Scene, seq: int, fresh: Device
) -> None:
    """Entry 1 founds the organization, entry 2 holds the wrapped key of the project."""
    entry = scene.shop.membership[seq - 1]
    changed = entry

    def tamper(exchange: Exchange) -> Exchange:
        if "/entries" not in exchange.path:
            return exchange
        parts = [
            Part(part.kind, changed if part.data == entry else part.data)
            for part in split_answer(exchange.body, MAX_ANSWER_BYTES)
        ]
        return replace(exchange, body=join_parts(parts))

    scene.evil.tamper = tamper
    for flipped in sampled_flips(entry, seq, 40):
        changed = flipped
        with pytest.raises(VerificationError):
            fresh.clone("shop", "never")
    assert not (fresh.folder / "never").exists()
