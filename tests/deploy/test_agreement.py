"""What Terraform sets up and what the server expects are the same."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopor_core.limits import MAX_INLINE_BYTES
from sopor_core.wire.problems import Code
from sopor_server import bootstrap
from sopor_server import config as settings
from sopor_server.adapters import firestore
from sopor_server.config import Cloud, Config
from tests.deploy.planning import FUNCTIONS, SERVER_ID, Changes
from tests.deploy.terraforming import MODULE, ROOT, need_terraform

_CLOUD = {
    "SOPOR_DATABASE": "sopor",
    "SOPOR_BUCKET": "packs",
    "SOPOR_SERVER_ID": SERVER_ID,
    "SOPOR_SERVER_SECRET": "A" * 43,
}
_ADAPTER = Path(firestore.__file__).parent


def test_the_server_takes_its_environment(planned: Changes) -> None:
    environment = environments(planned)["api"] | {"SOPOR_SERVER_SECRET": "A" * 43}

    config = Config.from_environment(environment)

    assert config.cloud == Cloud("my-project", "sopor", "my-project-sopor-packs")
    assert config.identity is not None
    assert config.identity.id.b64 == SERVER_ID
    unset = Config.from_environment({})
    assert config.trusted_proxies == 1
    assert config.login_rate == unset.login_rate
    assert config.quota_bytes == unset.quota_bytes
    assert (config.registration, config.log) == (unset.registration, unset.log)


def test_the_server_knows_every_variable_that_is_set(planned: Changes) -> None:
    # Two are for the functions framework.
    known = set(re.findall(r"(?m)^    ([A-Z_]+) ", str(settings.__doc__)))
    known |= {"THREADS", "FUNCTION_USE_ASGI"}

    for name, environment in environments(planned).items():
        assert set(environment) <= known, name


def test_both_servers_are_one(planned: Changes) -> None:
    """Tokens of one count for the other, and they agree on streams."""
    api, events = (
        Config.from_environment(environments(planned)[name] | {"SOPOR_SERVER_SECRET": "A" * 43})
        for name in ("api", "events")
    )

    assert (api.cloud, api.identity) == (events.cloud, events.identity)
    assert api.events_url == "https://sopor-events-123456789012.europe-west3.run.app"
    assert (api.events_url, api.events_quiet) == (events.events_url, events.events_quiet)
    assert (
        events.events_quiet
        == Config.from_environment({"GOOGLE_CLOUD_PROJECT": "p", **_CLOUD}).events_quiet
    )
    assert events.trusted_proxies == api.trusted_proxies


def test_main_exports_what_is_deployed(planned: Changes) -> None:
    deployed = {
        change["change"]["after"]["build_config"][0]["entry_point"]
        for change in planned
        if change["type"] == "google_cloudfunctions2_function"
    }
    source = (ROOT / "functions" / "main.py").read_text(encoding="utf-8")
    (exported,) = re.findall(r"(?m)^__all__ = (\[.+\])$", source)

    assert deployed <= set(ast.literal_eval(exported))


def test_the_housekeeping_has_no_identity_to_lose(planned: Changes) -> None:
    config = Config.from_environment(environments(planned)["housekeeping"], serving=False)

    assert config.cloud == Cloud("my-project", "sopor", "my-project-sopor-packs")
    assert config.identity is None
    assert config.restore_days == 7


def test_the_adapter_asks_by_the_fields_that_are_indexed(planned: Changes) -> None:
    indexed = {
        (after["collection"], after["field"])
        for after in planned_fields(planned)
        if after["index_config"][0]["indexes"]
    }

    assert {field for _, field in indexed} == set(queried_fields()), "see adapters/firestore"


def test_the_adapter_names_the_collections_that_are_set_up(planned: Changes) -> None:
    layout = str(firestore.__doc__)
    named = set(re.findall(r"(?m)(\w+)/(?:\{[^/]+|presence)(?: |$)", layout))

    assert named == {after["collection"] for after in planned_fields(planned)}


def test_what_expires_is_what_the_adapter_lets_expire(planned: Changes) -> None:
    expiring = {
        (after["collection"], after["field"])
        for after in planned_fields(planned)
        if after["ttl_config"]
    }
    layout = str(firestore.__doc__)

    assert expiring == set(re.findall(r"(\w+)/[^/\s]+ +(\w+) \(time to live\)", layout))
    assert len(expiring) == layout.count("time to live") == 2


def test_alerts_name_problems_and_log_lines_that_there_are() -> None:
    text = (MODULE / "monitoring.tf").read_text(encoding="utf-8")
    named = set(re.findall(r'problem=~"([^"]+)"', text))
    problems = {problem for names in named for problem in names.split("|")}
    (either,) = re.findall(r"jsonPayload\.problem=\(([^)]+)\)", text)
    problems |= set(re.findall(r"[\w-]+", either)) - {"OR"}

    assert problems >= {"entry-refused", "log-shorter"}
    assert problems <= set(Code)
    source = Path(str(bootstrap.__file__)).read_text(encoding="utf-8")
    assert "severity=CRITICAL" in text
    assert '"severity": "CRITICAL"' in source
    logs = (ROOT / "functions" / "sopor_server" / "logs.py").read_text(encoding="utf-8")
    assert 'jsonPayload.message=\\"request\\"' in text
    assert '"request"' in logs


def test_a_function_has_memory_for_all_that_it_takes_at_once(planned: Changes) -> None:
    (api,) = (
        change["change"]["after"]["service_config"][0]
        for change in planned
        if change["address"] == 'google_cloudfunctions2_function.this["api"]'
    )

    # A body, its pack and what goes out again, beside 150 MiB for Python and its modules.
    assert api["available_memory"] == "1Gi"
    needed = 3 * MAX_INLINE_BYTES * api["max_instance_request_concurrency"] + 150 * 2**20
    assert needed <= 2**30


@pytest.mark.parametrize(
    ("argument", "variable"),
    [("secret_data_wo", "SOPOR_SERVER_SECRET"), ("input", "SOPOR_SERVER_ID")],
)
def test_identities_are_drawn_as_the_server_reads_them(
    tmp_path: Path, argument: str, variable: str
) -> None:
    source = (MODULE / "secrets.tf").read_text(encoding="utf-8")
    (expression,) = re.findall(rf"(?m)^  {argument} += (.+)$", source)
    drawn = [console(tmp_path, expression) for _ in range(3)]

    assert len(set(drawn)) == 3
    for value in drawn:
        other = {"SOPOR_SERVER_SECRET": "A" * 43, "SOPOR_SERVER_ID": SERVER_ID}
        config = Config.from_environment({**other, variable: value})
        assert config.identity is not None


def environments(planned: Changes) -> dict[str, dict[str, str]]:
    """Returns the environment of each function."""
    found = {
        change["index"]: change["change"]["after"]["service_config"][0]["environment_variables"]
        for change in planned
        if change["type"] == "google_cloudfunctions2_function"
    }
    assert set(found) == set(FUNCTIONS)
    return found


def planned_fields(planned: Changes) -> Changes:
    """Returns the settings of Firestore's fields."""
    return [
        change["change"]["after"]
        for change in planned
        if change["type"] == "google_firestore_field"
    ]


def queried_fields() -> Iterator[str]:
    """Yields the fields that the Firestore adapter filters by."""
    for path in _ADAPTER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                first = node.args[0] if node.args else None
                asks = node.func.attr in {"where", "listed", "listing", "numbers"}
                if asks and isinstance(first, ast.Constant) and first.value != "__name__":
                    yield str(first.value)


def console(folder: Path, expression: str) -> str:
    """Evaluates an expression of Terraform's language."""
    done = subprocess.run(
        [need_terraform(), f"-chdir={folder}", "console"],
        input=expression,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout))
