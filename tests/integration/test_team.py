"""A team: people are invited, get roles, leave and are removed, and keys follow them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sopor.account import Setup, read_kit, recover
from sopor.crypto.invites import InviteCode
from sopor.errors import (
    InvalidInput,
    NotFound,
    PermissionDenied,
    ServerRefused,
    SessionExpired,
    StateConflict,
)
from sopor.keystore import Keystore, Protection
from sopor.organization import Organization, managing
from sopor.organization.describing import audit, describe, detail, members
from sopor.organization.rekeying import rekey
from sopor.organization.settling import settle
from sopor.organization.trust import TrustedKeys
from sopor.remote import Remote
from sopor.remote.organizations import Heads, OrganizationsApi
from sopor.repository import Repository
from sopor_core.errors import ForkError, RollbackError
from sopor_core.ids import EntryHash
from sopor_core.membership import Role, Status
from sopor_core.push_entry import Citation
from tests.support.world import (
    CHEAP,
    PASSWORD,
    Device,
    World,
    request,
    v4_export,
    workspace,
    write_files,
)


def name_of(device: Device) -> str:
    return device.account().login


def found(device: Device, name: str = "Acme") -> Organization:
    return managing.create(device.account(), name)


def invite(device: Device, role: Role = Role.EDITOR) -> InviteCode:
    made = managing.invite(device.team(), role, {}, days=7)
    return InviteCode.from_text(made.code)


def published(device: Device, *numbers: int) -> Repository:
    """Publishes a project with some requests in the device's team."""
    files = {"a.json": v4_export(workspace(), *map(request, numbers or (1,)))}
    repository = device.start("petstore", files)
    repository.commit("Start")
    repository.push(org="Acme")
    return repository


def edit(repository: Repository, *numbers: int) -> None:
    files = {"a.json": v4_export(workspace(), *map(request, numbers))}
    write_files(repository.context.root, files)
    repository.commit(f"Have {numbers}")


def numbers(repository: Repository) -> set[str]:
    export = json.loads((Path(repository.context.root) / "a.json").read_bytes())
    return {each["_id"] for each in export["resources"] if each["_type"] == "request"}


def join(device: Device, code: InviteCode) -> Organization:
    return managing.join(device.account(), code)


def test_an_invited_person_reads_the_whole_history_at_once(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    edit(first := published(ada), 1, 2)
    first.push()
    code = invite(ada)
    joined = join(bob, code)
    assert describe(joined).name == "Acme"
    clone = bob.clone("petstore")
    assert [commit.message for commit in clone.log()] == ["Have (1, 2)", "Start"]
    edit(clone, 1, 2, 3)
    clone.push()
    first.pull()
    assert numbers(first) == {"req_1", "req_2", "req_3"}


def test_an_invite_is_good_once(world: World) -> None:
    ada, bob, eve = world.device("ada"), world.device("bob"), world.device("eve")
    found(ada)
    code = invite(ada)
    join(bob, code)
    with pytest.raises(StateConflict, match="member of this organization already"):
        join(bob, code)
    with pytest.raises(ServerRefused, match="invite"):
        join(eve, code)


def test_a_cancelled_invite_opens_nothing_and_costs_new_keys(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    published(ada)
    code = invite(ada)
    changed = managing.cancel_invite(ada.team(), code.keys.invite.hex())
    assert changed.epochs == 2
    with pytest.raises(ServerRefused, match="invite"):
        join(bob, code)


def test_a_viewer_pulls_and_does_not_push_until_promoted(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    published(ada)
    join(bob, invite(ada, Role.VIEWER))
    clone = bob.clone("petstore")
    edit(clone, 1, 2)
    with pytest.raises(PermissionDenied, match="you are viewer"):
        clone.push()
    managing.set_role(ada.team(), name_of(bob), Role.EDITOR)
    clone.fetch()
    clone.push()


def test_a_removed_member_gets_nothing_more(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    repository = published(ada)
    join(bob, invite(ada))
    clone = bob.clone("petstore")
    changed = managing.remove(ada.team(), name_of(bob))
    assert changed.epochs == 2
    edit(repository, 1, 2)
    repository.push()
    assert repository.context.keys.newest == 2
    edit(clone, 7)
    with pytest.raises(NotFound, match="removed from its organization"):
        clone.push()
    with pytest.raises(NotFound, match="removed from its organization"):
        clone.pull()
    # What was received before the removal stays readable there.
    assert clone.log()[-1].message == "Start"


def test_who_has_seen_the_own_removal_is_told_what_it_means_offline(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    published(ada)
    join(bob, invite(ada))
    clone = bob.clone("petstore")
    managing.remove(ada.team(), name_of(bob))
    log, team = clone.context.store.log, ada.team()
    log.append_membership(team.entries[log.membership(team.id).head.seq])
    with pytest.raises(PermissionDenied, match="no access to petstore any more") as caught:
        edit(clone, 7)
    assert "sopor fetch" in (caught.value.hint or "")
    join(bob, invite(ada))
    clone.fetch()
    edit(clone, 7)
    clone.push()


def test_after_somebody_left_the_next_push_has_a_new_key(world: World) -> None:
    ada, bob, carol = world.device("ada"), world.device("bob"), world.device("carol")
    found(ada)
    published(ada)
    join(bob, invite(ada))
    join(carol, invite(ada))
    clone = carol.clone("petstore")
    managing.leave(bob.team())
    assert set(detail(ada.team(), TrustedKeys(ada.home, ada.account().known.account)).due) == {
        "Acme",
        "petstore",
    }
    edit(clone, 1, 2)
    clone.push()
    assert clone.context.keys.newest == 2
    assert not carol.team().log.due()
    reader = ada.open("petstore")
    reader.pull()
    assert numbers(reader) == {"req_1", "req_2"}


def test_a_member_without_a_role_in_a_project_does_not_see_it(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    repository = published(ada)
    join(bob, invite(ada))
    clone = bob.clone("petstore")
    changed = managing.set_role(ada.team(), name_of(bob), Role.NONE, "petstore")
    assert changed.epochs == 1
    assert detail(bob.team(), TrustedKeys(bob.home, bob.account().known.account)).projects == ()
    edit(repository, 1, 2)
    repository.push()
    with pytest.raises(PermissionDenied, match="no access to petstore any more"):
        clone.pull()
    managing.set_role(ada.team(), name_of(bob), Role.EDITOR, "petstore")
    clone.pull()
    assert numbers(clone) == {"req_1", "req_2"}


def test_archived_projects_are_read_only_and_deleted_ones_are_gone(world: World) -> None:
    ada = world.device("ada")
    found(ada)
    repository = published(ada)
    managing.set_status(ada.team(), "petstore", Status.ARCHIVED)
    edit(repository, 1, 2)
    repository.fetch()
    with pytest.raises(PermissionDenied, match="archived"):
        repository.push()
    managing.set_status(ada.team(), "petstore", Status.ACTIVE)
    repository.fetch()
    repository.push()
    managing.set_status(ada.team(), "petstore", Status.DELETED)
    with pytest.raises(ServerRefused, match="deleted"):
        repository.fetch()


def test_what_roles_may_not_do_is_told_before_anything_is_sent(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    join(bob, invite(ada, Role.ADMIN))
    team = bob.team()
    for refused in (
        lambda: managing.rename(team, "Bobs"),
        lambda: managing.remove(team, name_of(ada)),
        lambda: managing.set_role(team, name_of(bob), Role.OWNER),
        lambda: managing.invite(team, Role.OWNER, {}, 7),
    ):
        with pytest.raises(PermissionDenied, match="you are admin of Acme, not an owner"):
            refused()
    with pytest.raises(StateConflict, match="the only owner"):
        managing.leave(ada.team())
    with pytest.raises(InvalidInput, match="personal organization"):
        managing.invite(ada.team(name_of(ada)), Role.VIEWER, {}, 7)
    managing.transfer(ada.team(), name_of(bob))
    assert {member.login: member.role for member in members(bob.team(), trusted(bob))} == {
        name_of(ada): "admin",
        name_of(bob): "owner",
    }


def trusted(device: Device) -> TrustedKeys:
    return TrustedKeys(device.home, device.account().known.account)


def test_two_people_see_the_same_safety_number(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    join(bob, invite(ada))
    hers = managing.safety(ada.team(), name_of(bob), trusted(ada), confirm=True)
    his = managing.safety(bob.team(), name_of(ada), trusted(bob))
    assert hers.number == his.number
    assert (hers.verified, his.verified) == (True, False)
    assert len(hers.number.replace(" ", "")) == 60


def test_names_are_changed_and_the_log_tells_everything(world: World) -> None:
    ada = world.device("ada")
    found(ada)
    published(ada)
    managing.rename(ada.team(), "Acme & Söhne")
    managing.rename_project(ada.team(), "petstore", "Pets")
    managing.rotate(ada.team(), [])
    team = ada.team()
    assert team.name == "Acme & Söhne"
    assert [entry.type for entry in audit(team)] == [
        "epoch",
        "project_set",
        "org_set",
        "project_new",
        "genesis",
    ]
    assert settle(team) == 0
    assert ada.clone("Pets").log()[0].message == "Start"


def test_after_a_lost_device_everything_has_new_keys(world: World, tmp_path: Path) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    repository = published(ada)
    join(bob, invite(ada))
    bob.clone("petstore").close()
    lost = world.device("bob")
    stolen = lost.account()
    kit = tmp_path / "new-kit.txt"
    result = rekey(bob.account(), PASSWORD, kit, costs=CHEAP)
    # The home of Acme and of his own organization, and the project.
    assert (result.organizations, result.epochs) == (2, 3)
    with pytest.raises(SessionExpired):
        stolen.remote.projects()
    clone = bob.open("petstore")
    edit(clone, 1, 2)
    clone.push()
    repository.pull()
    assert repository.context.keys.newest == 2
    assert numbers(repository) == {"req_1", "req_2"}
    world.kits["bob"] = kit
    again = world.device("bob")
    assert again.account().identity == bob.account().identity != stolen.identity
    assert again.clone("petstore").log()[0].message == "Have (1, 2)"


@pytest.mark.parametrize("broken", ["change_keys", "account", "organizations"])
def test_a_change_of_keys_that_broke_off_is_finished_by_another_run(
    world: World, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.device("ada")
    found(ada)
    repository = published(ada)
    account = ada.account()
    real = getattr(Remote, broken)
    calls: list[str] = []

    def fail(*arguments: object) -> object:
        calls.append(broken)
        if broken == "change_keys":
            real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Remote, broken, property(fail) if broken == "organizations" else fail)
        with pytest.raises(KeyboardInterrupt):
            rekey(account, PASSWORD, tmp_path / "first.txt", costs=CHEAP)
    repository.close()
    repository = ada.open("petstore")
    edit(repository, 1, 2)
    with pytest.raises(StateConflict, match="not finished"):
        repository.push()
    repository.close()
    result = rekey(ada.account(), PASSWORD, tmp_path / "second.txt", costs=CHEAP)
    world.kits["ada"] = result.kit or tmp_path / "first.txt"
    ada.open("petstore").push()
    assert world.device("ada").clone("petstore").log()[0].message == "Have (1, 2)"


def test_the_kit_alone_brings_everything_back_on_an_empty_machine(
    world: World, tmp_path: Path
) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    published(ada).close()
    join(bob, invite(ada))
    kit = read_kit(world.kits["bob"])
    assert kit.server is not None
    assert kit.login is not None
    assert kit.recovery_key is not None
    empty = Device(tmp_path / "empty" / "keystore", tmp_path / "empty")
    setup = Setup(keystore=Keystore(empty.home), protection=Protection.FILE, costs=CHEAP)
    result = recover(
        setup,
        kit.server,
        kit.login,
        kit.recovery_key,
        PASSWORD,
        tmp_path / "new-kit.txt",
        kit.server_id,
    )
    result.account.close()
    clone = empty.clone("petstore")
    edit(clone, 1, 2)
    clone.push()
    assert [commit.message for commit in clone.log()] == ["Have (1, 2)", "Start"]


def test_no_cut_is_signed_behind_what_this_device_has_verified(world: World) -> None:
    ada, bob = world.device("ada"), world.device("bob")
    found(ada)
    repository = published(ada)
    edit(repository, 1, 2)
    repository.push()
    join(bob, invite(ada))
    team = ada.team()
    honest = team.drafting.heads()
    (project,) = honest
    entries = team.log.head
    for told, error in (
        (Citation(1, EntryHash.random()), RollbackError),
        (Citation(honest[project].seq, EntryHash.random()), ForkError),
    ):
        lie = Heads(team.log.head, {project: told})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OrganizationsApi, "heads", lambda *_, lie=lie: lie)
            with pytest.raises(error, match="verified before"):
                managing.remove(ada.team(), name_of(bob))
    assert ada.team().log.head == entries
    assert managing.remove(ada.team(), name_of(bob)).epochs == 2
