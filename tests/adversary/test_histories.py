"""Older, forked and foreign histories are refused, and nothing on the device changes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sopor.errors import ForkError, RollbackError, VerificationError
from sopor.repository import Repository
from sopor_core.errors import Layer
from sopor_core.wire.parts import Part, PartKind
from tests.adversary.scene import (
    ZEROS,
    Held,
    Scene,
    assert_refused,
    edit,
    push_edits,
    shown_members,
    start,
)
from tests.support.evil import (
    EvilServer,
    instead_of_pulls,
)
from tests.support.tampering import Exchange
from tests.support.world import Device, World


def test_another_project_in_its_place_is_refused(
    scene: Scene, behind: Repository, fresh: Device
) -> None:
    mine, others = scene.shop.project.b64, scene.other.project.b64
    scene.evil.readdress = lambda path: path.replace(mine, others)
    assert_refused(behind, behind.pull, ForkError)
    with pytest.raises(VerificationError) as refused:
        fresh.clone("shop", "never")
    assert refused.value.layer is Layer.CHAIN
    assert not (fresh.folder / "never").exists()


def test_another_membership_log_is_refused_by_a_clone(scene: Scene, fresh: Device) -> None:
    entries = scene.his.membership

    def tamper(exchange: Exchange) -> Exchange:
        if "/organizations/" not in exchange.path or "/entries" not in exchange.path:
            return exchange
        return shown_members(exchange, entries)

    scene.evil.tamper = tamper
    with pytest.raises(VerificationError) as refused:
        fresh.clone("shop", "never")
    assert refused.value.layer is Layer.MEMBERSHIP
    assert not (fresh.folder / "never").exists()


def test_an_organization_of_the_servers_own_making_is_refused_by_a_clone(
    scene: Scene, fresh: Device
) -> None:
    """Bob's organization is shown in place of Ada's, the list of projects included."""
    entries = scene.his.membership

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.path.endswith("/v1/projects"):
            listed = exchange.json
            for item in listed["projects"]:
                item.update(organization=scene.his.org.b64, project=scene.his.project.b64)
            return exchange.with_json(listed)
        if "/entries" in exchange.path:
            return shown_members(exchange, entries)
        return exchange

    scene.evil.tamper = tamper
    with pytest.raises(VerificationError) as refused:
        fresh.clone("shop", "never")
    assert refused.value.layer is Layer.EPOCH
    assert not (fresh.folder / "never").exists()


def test_an_older_copy_of_all_data_is_refused(story: tuple[EvilServer, World]) -> None:
    evil, world = story
    with start(world.device("ada"), "shop") as repository:
        push_edits(repository, "Two")
        evil.save("old")
        push_edits(repository, "Three", "Four")
        evil.show("old")
        for act in (repository.fetch, repository.pull, repository.sync):
            assert_refused(repository, act, RollbackError)
        edit(repository, "req_2", name="More")
        repository.commit("More")
        assert_refused(repository, repository.push, RollbackError)
        evil.show("data")
        repository.sync()
        assert repository.fsck().clean


def test_an_older_log_that_claims_to_be_whole_is_refused(scene: Scene) -> None:
    """The server does not say that it has less: it answers as if its old end were new."""
    head = json.loads(scene.shop.entry(4))["prev"]
    members = [2, json.loads(scene.shop.entry(4))["members"][1]]
    for end in ([3, head], [0, ZEROS]):
        body = {"head": end, "members": members, "more": False}
        shown = [Part(PartKind.CONTROL, json.dumps(body).encode())]
        scene.evil.tamper = instead_of_pulls(200, shown)
        assert_refused(scene.newest, scene.newest.pull, RollbackError)


def test_a_log_that_grew_another_way_after_a_rollback_is_refused(
    story: tuple[EvilServer, World],
) -> None:
    evil, world = story
    with start(world.device("ada"), "shop") as first, world.device("ada").clone("shop") as second:
        evil.save("old")
        push_edits(first, "Seen by the first")
        evil.show("old")
        push_edits(second, "Seen by the second", "And one more")
        assert_refused(first, first.pull, ForkError)
        edit(first, "req_2", name="Push")
        first.commit("Push")
        assert_refused(first, first.push, ForkError)
        evil.show("data")
        assert_refused(second, second.pull, RollbackError)


def test_a_fork_shows_at_the_first_entry_of_the_other_side(
    story: tuple[EvilServer, World],
) -> None:
    """Even a server that passes over all its own checks cannot join what it has split."""
    evil, world = story
    with start(world.device("ada"), "shop") as first, world.device("ada").clone("shop") as second:
        evil.save("old")
        push_edits(first, "Seen by the first")
        evil.show("old")
        push_edits(second, "Seen by the second", "Shown to the first")
        shown = Held.of(second).group(3)
        end = second.context.store.log.pin
        members = [2, json.loads(shown[0].data)["members"][1]]
        body = {"head": [end.seq, end.hash.b64], "members": members, "more": False}
        control_part = Part(PartKind.CONTROL, json.dumps(body).encode())
        evil.tamper = instead_of_pulls(200, [control_part, *shown])
        assert_refused(first, first.pull, ForkError)


def test_a_push_that_is_taken_and_thrown_away_shows_at_the_next_pull(
    story: tuple[EvilServer, World],
) -> None:
    evil, world = story
    with start(world.device("ada"), "shop") as repository:
        evil.readdress = lambda path: (
            path.replace("/push", "/branches") if "/push" in path else path
        )
        evil.tamper = lambda exchange: (
            replace(exchange, status=201, body=b"") if "/push" in exchange.path else exchange
        )
        push_edits(repository, "Into the void")
        evil.honest()
        assert_refused(repository, repository.pull, RollbackError)
