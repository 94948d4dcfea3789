"""Every code of a problem is reached: here, or by the test of another module that the table names.

A run of `tests/api` with the log of its servers shows the same.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from sopor_core.wire.problems import MEANINGS, Code
from sopor_core.wire.routes import Operation
from sopor_server.app import Application
from sopor_server.bootstrap import build
from sopor_server.config import Config
from tests.support.documented import check_answer
from tests.support.story import Person, pack_id

REACHED: Mapping[Code, str] = {
    Code.MALFORMED: "test_accounts.TestRegistering.test_a_taken_device_is_refused",
    Code.TOO_LARGE: "test_events.TestStream.test_errors_are_problems",
    Code.UNSUPPORTED_MEDIA_TYPE: "test_http.test_other_media_types_are_refused",
    Code.NOT_FOUND: "test_http.test_other_addresses_are_not_found",
    Code.METHOD_NOT_ALLOWED: "test_http.test_other_methods_are_refused_with_those_that_are_not",
    Code.UNAUTHENTICATED: "test_http.test_who_asks_must_be_known",
    Code.LOGIN_FAILED: "test_accounts.TestLogin.test_wrong_proofs_all_fail_alike",
    Code.SESSION_EXPIRED: "test_accounts.TestLogin.test_an_access_token_is_refreshed",
    Code.DEVICE_REVOKED: "test_accounts.TestKeys."
    "test_new_keys_take_over_and_end_every_other_session",
    Code.SIGN_ON_REQUIRED: "test_sign_on.TestRegistering.test_it_is_needed_where_it_is_required",
    Code.SIGN_ON_REFUSED: "test_sign_on.TestRegistering.test_a_sign_on_links_the_new_account",
    Code.FORBIDDEN: "test_accounts.TestRegistering.test_a_closed_server_takes_nobody",
    Code.LOGIN_TAKEN: "test_accounts.TestRegistering.test_a_login_name_is_taken_once",
    Code.ENTRY_REFUSED: "test_accounts.TestRegistering.test_what_does_not_verify_is_refused",
    Code.LOG_MOVED: "test_push.test_the_loser_of_a_race_goes_on_without_another_request",
    Code.MEMBERSHIP_MOVED: "test_organizations.TestCuts."
    "test_a_push_that_cites_the_state_before_a_cut_is_sent_back",
    Code.HEADS_MOVED: "test_organizations.TestCuts.test_a_cut_that_lags_is_answered_with_the_heads",
    Code.LOG_SHORTER: "test_events.TestPoll.test_what_a_pull_refuses_is_refused",
    Code.LOG_DIVERGED: "test_projects.test_what_does_not_verify_is_refused",
    Code.PACK_MISSING: "test_projects.test_a_stranger_sees_nothing",
    Code.PACK_MISMATCH: "test_packs.test_a_pack_has_its_id",
    Code.NO_DIRECT: "test_codes.test_packs_go_through_a_server_with_files",
    Code.QUOTA_EXCEEDED: "test_organizations.TestPlans."
    "test_limits_are_told_and_lifted_by_a_license",
    Code.INVITE_CLOSED: "test_organizations.TestJoining.test_somebody_is_invited_reads_and_joins",
    Code.PROJECT_ARCHIVED: "test_organizations.TestDeleting.test_an_archived_project_is_read_only",
    Code.PROJECT_DELETED: "test_organizations.TestDeleting.test_a_deleted_project_says_so",
    Code.ORGANIZATION_DELETED: "test_organizations.TestDeleting."
    "test_a_deleted_organization_keeps_its_log_alone",
    Code.RATE_LIMITED: "test_accounts.TestLogin.test_attempts_are_limited",
    Code.UPGRADE_REQUIRED: "test_events.TestStream.test_errors_are_problems",
    Code.RANGE_NOT_SATISFIABLE: "test_packs.test_a_range_outside_is_told_with_the_size",
    Code.UNAVAILABLE: "test_events.TestProcess.test_a_function_that_is_not_set_up_says_so",
    Code.INTERNAL: "test_codes.test_what_nobody_foresaw_is_told_without_its_reason",
}

PACK = b"0123456789"


@pytest.mark.parametrize("code", Code)
def test_a_test_reaches_it(code: Code) -> None:
    module, _, name = REACHED[code].partition(".")
    test = attrgetter(name)(import_module(f"tests.api.{module}"))
    source = inspect.getsource(test)
    assert f'"{code}"' in source or f"Code.{code.name}" in source


def test_packs_go_through_a_server_with_files(alice: Person) -> None:
    project = alice.new_project()
    names = {"project": project.id.b64, "pack": pack_id(PACK).b64}
    answer = alice.send(Operation.PACK_ADDRESS, names, json={"size": len(PACK)})
    assert (answer.status_code, answer.json()["code"]) == (404, "no-direct")


class Broken:
    """A store of which nothing works, for a reason that is nobody's business."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"the canary sang in {name}")


def test_what_nobody_foresaw_is_told_without_its_reason(tmp_path: Path) -> None:
    sound = build(Config(data=tmp_path / "data", log="off")).context
    sound.store.close()
    application = Application(replace(sound, store=Broken()))
    body = json.dumps({"login": "ada@example.com", "action": "login"})
    asked = EnvironBuilder(
        "/v1/login/challenge", method="POST", data=body, content_type="application/json"
    )
    answer = application(Request(asked.get_environ()))
    told = json.loads(answer.get_data())
    assert (answer.status_code, told["code"]) == (MEANINGS[Code.INTERNAL].status, "internal")
    assert told["request_id"] in told["hint"]
    assert "canary" not in answer.get_data(as_text=True)
    with pytest.raises(AssertionError, match="failed"):
        check_answer(
            Operation.LOGIN_CHALLENGE, answer.status_code, answer.mimetype or "", answer.get_data()
        )
