import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.crypto.account import AccountKeys, AccountSecret
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.labels import (
    open_branch_label,
    open_project_label,
    seal_branch_label,
    seal_project_label,
)
from sopor.crypto.wraps import WrapContext, wrap
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.ids import OrgId, ProjectId
from sopor_core.membership import WRAP_BYTES
from tests.unit.crypto.making import IDS, KEYS, PROJECT


def test_ids_stay_the_same_over_all_epochs() -> None:
    first = ProjectKeys(PROJECT, {1: KEYS.secret(1)})
    assert first.content_ids.cid(b"{}") == IDS.cid(b"{}")
    assert KEYS.newest == 2
    assert first.newest == 1


def test_ids_differ_by_what_they_are_of_and_by_project() -> None:
    other = ProjectKeys(ProjectId(bytes(16)), {1: KEYS.secret(1)})
    ids = {IDS.cid(b"x"), IDS.commit_id(b"x"), other.content_ids.cid(b"x")}
    assert len({bytes(each) for each in ids} | {bytes(IDS.branch_id("x"))}) == 4


def test_a_root_needs_all_nodes() -> None:
    with pytest.raises(ValueError, match="256 nodes, not 1"):
        IDS.root([bytes(32)])


def test_keys_without_the_first_epoch_are_refused() -> None:
    with pytest.raises(VerificationError, match="epoch: the key of the first epoch is missing"):
        ProjectKeys(PROJECT, {2: EpochSecret.random()})
    with pytest.raises(VerificationError, match="epoch 3 is not known") as refused:
        KEYS.secret(3)
    assert refused.value.hint == "run `sopor pull`"


def test_keys_show_nothing() -> None:
    assert repr(KEYS) == "ProjectKeys(ProjectId(0001020304), epochs=[1, 2])"
    assert repr(IDS) == "ContentIds(...)"
    with pytest.raises(TypeError):
        pickle.dumps(KEYS)


def test_a_secret_wrapped_for_a_member_comes_back() -> None:
    ada = AccountKeys(AccountSecret.random())
    context = WrapContext(OrgId(bytes(32)), PROJECT, 2, ada.identity.account)
    wraps = [wrap(KEYS.secret(2), ada.identity.encryption, context) for _ in range(2)]
    assert wraps[0] != wraps[1]
    for wrapped in wraps:
        assert len(wrapped) == WRAP_BYTES
        assert ada.unwrap(wrapped, context, KEYS.commitment(2)) == KEYS.secret(2)


def test_nothing_is_wrapped_to_a_key_of_small_order() -> None:
    context = WrapContext(
        OrgId(bytes(32)), PROJECT, 1, AccountKeys(AccountSecret.random()).identity.account
    )
    for key in (bytes(32), b"\x01" + bytes(31), b"too short"):
        with pytest.raises(VerificationError, match="account: an encryption key is not usable"):
            wrap(KEYS.secret(1), key, context)


_BRANCHES = st.from_regex(r"[a-z0-9\u00e4\u0431\U0001f600]{1,60}(/[a-z0-9]{1,9})?", fullmatch=True)


@given(_BRANCHES, st.sampled_from([1, 2]))
def test_labels_of_branches_come_back(name: str, epoch: int) -> None:
    label = seal_branch_label(KEYS, epoch, name)
    assert open_branch_label(KEYS, epoch, IDS.branch_id(name), label) == name


@given(st.text("aZ \u00e4\u0431\U0001f600", min_size=1, max_size=60).filter(str.strip))
def test_labels_of_projects_come_back(name: str) -> None:
    assert open_project_label(KEYS, 2, seal_project_label(KEYS, 2, name)) == name


def test_labels_tell_lengths_in_steps_of_64() -> None:
    sizes = [len(seal_project_label(KEYS, 1, "n" * length)) - 12 - 16 for length in range(1, 251)]
    assert sizes == [64] * 62 + [128] * 64 + [192] * 64 + [256] * 60


def test_names_that_are_not_allowed_are_not_sealed() -> None:
    with pytest.raises(InvalidValue, match="'a b' is not a branch name"):
        seal_branch_label(KEYS, 1, "a b")
    with pytest.raises(InvalidValue, match="is not a project name"):
        seal_project_label(KEYS, 1, "a\tb")


def test_a_label_moved_to_another_epoch_is_refused() -> None:
    label = seal_project_label(KEYS, 1, "Petstore")
    with pytest.raises(VerificationError) as refused:
        open_project_label(KEYS, 2, label)
    assert refused.value.layer is Layer.MEMBERSHIP
