"""The Terraform module keeps its promises, as `terraform test` and the plan show them.

What no plan can show is not claimed here: the provider's own checks of values, and what Google's
services make of them.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.planning import HEAD, Changes
from tests.deploy.terraforming import MODULE, Terraform, copied, need_terraform, terraform

_README = (MODULE / "README.md").read_text(encoding="utf-8")
_PUBLIC = "google_cloud_run_v2_service_iam_member"
_CONDITION = 'resource.name == "projects/my-project/databases/sopor"'
_SOURCES = (
    'resource.name.startsWith("projects/_/buckets/my-project-sopor-source/") || '
    'resource.name.startsWith("projects/_/buckets/gcf-v2-sources-123456789012-europe-west3/")'
)

# Every right that the module gives: the kind of binding, what it is on, the role, to whom, and the
# condition. `ROLE:` stands for a role of ours, of which iam.tftest.hcl shows the permissions.
BINDINGS = {
    ("google_project_iam_member", "my-project", "ROLE:documents-api", "api", _CONDITION),
    ("google_project_iam_member", "my-project", "ROLE:documents-events", "events", _CONDITION),
    (
        "google_project_iam_member",
        "my-project",
        "ROLE:documents-housekeeping",
        "housekeeping",
        _CONDITION,
    ),
    ("google_project_iam_member", "my-project", "roles/logging.logWriter", "build", None),
    ("google_project_iam_member", "my-project", "roles/storage.objectViewer", "build", _SOURCES),
    (
        "google_storage_bucket_iam_member",
        "my-project-sopor-packs",
        "ROLE:objects-api",
        "api",
        None,
    ),
    (
        "google_storage_bucket_iam_member",
        "my-project-sopor-packs",
        "ROLE:objects-events",
        "events",
        None,
    ),
    (
        "google_storage_bucket_iam_member",
        "my-project-sopor-packs",
        "ROLE:objects-housekeeping",
        "housekeeping",
        None,
    ),
    ("google_service_account_iam_member", "name of api", "ROLE:sign", "api", None),
    (
        "google_secret_manager_secret_iam_member",
        "sopor-server",
        "roles/secretmanager.secretAccessor",
        "api",
        None,
    ),
    (
        "google_secret_manager_secret_iam_member",
        "sopor-server",
        "roles/secretmanager.secretAccessor",
        "events",
        None,
    ),
    (
        "google_artifact_registry_repository_iam_member",
        "sopor-images",
        "roles/artifactregistry.writer",
        "build",
        None,
    ),
    (_PUBLIC, "sopor-api", "roles/run.invoker", "allUsers", None),
    (_PUBLIC, "sopor-events", "roles/run.invoker", "allUsers", None),
    (_PUBLIC, "sopor-housekeeping", "roles/run.invoker", "scheduler", None),
}
_TARGETS = (
    "service_account_id",
    "secret_id",
    "repository",
    "bucket",
    "name",
    "project",
)


@pytest.fixture
def module(tmp_path: Path) -> Terraform:
    """Terraform on a copy of the module."""
    return terraform(copied(tmp_path))


def test_sources_have_the_standard_format() -> None:
    command = [need_terraform(), "fmt", "-check", "-recursive", "-diff", str(MODULE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, ""), "run `terraform fmt -recursive infra`"


def test_every_promise_holds(module: Terraform) -> None:
    ran = module.run("test", "-json")

    assert ran.errors == []
    assert ran.code == 0, ran.output
    promised = set(re.findall(r'(?m)^run "(\w+)"', _all_tests()))
    passed = {
        message["test_run"]["run"]
        for message in ran.messages
        if message["type"] == "test_run" and message["test_run"].get("status") == "pass"
    }
    assert passed == promised


@pytest.mark.parametrize("example", ["minimal", "production"])
def test_an_example_is_valid(tmp_path: Path, example: str) -> None:
    folder = tmp_path / example
    folder.mkdir()
    source = (MODULE / "examples" / example / "main.tf").read_text(encoding="utf-8")
    assert source.count('source = "../.."') == 1
    (folder / "main.tf").write_text(source.replace('"../.."', '"./module"'), encoding="utf-8")
    copied(folder)

    terraform(folder)


def test_rights_are_exactly_these(planned: Changes) -> None:
    bindings = {
        binding(change["type"], change["change"]["after"])
        for change in planned
        if re.search(r"_iam_(?!custom_role|audit_config)", change["type"])
    }
    assert bindings == BINDINGS


def test_nothing_rests_on_keys_basic_roles_or_default_accounts(
    planned: Changes,
) -> None:
    kinds = {change["type"] for change in planned}
    authoritative = {kind for kind in kinds if re.search(r"_iam_(binding|policy)$", kind)}
    assert authoritative == set(), "these would take others' rights in the project away"
    assert "google_service_account_key" not in kinds
    text = str(planned)
    for forbidden in ("roles/owner", "roles/editor", "roles/viewer", "-compute@", "@appspot"):
        assert forbidden not in text


def test_a_wrong_setting_is_refused_with_what_to_do(module: Terraform) -> None:
    tests = module.folder / "tests"
    for path in tests.glob("*.tftest.hcl"):
        path.unlink()
    for number, wrong in enumerate(WRONG):
        settings = "\n".join(f"    {name} = {value}" for name, value in wrong.items())
        (tests / f"wrong{number}.tftest.hcl").write_text(
            f'{HEAD}\nrun "wrong" {{\n  command = plan\n  variables {{\n{settings}\n  }}\n}}\n',
            encoding="utf-8",
        )

    told = "\n".join(module.run("test", "-json").errors)

    source = (MODULE / "variables.tf").read_text(encoding="utf-8")
    messages = [
        message.replace('\\"', '"')
        for message in re.findall(r'error_message = "((?:[^"\\]|\\.)*)"', source)
    ]
    assert len(messages) == source.count("validation {")
    assert [message for message in messages if message not in told] == []


# Together these break every rule in variables.tf at least once.
WRONG = [
    {
        "project_id": '"My Project"',
        "region": '"europe-west3-a"',
        "firestore_location": '"Frankfurt"',
        "bucket_location": '"mars"',
        "name": '"Sopor!"',
        "source_archive": '"nowhere.zip"',
        "max_instances": "0",
        "server": '{ quota_bytes = -1, quota_seats = 0.5, license_key = "no",'
        ' registration = "perhaps", log = "loud" }',
        "databases": '["sopor", "sopor"]',
        "restore_days": "3",
        "server_id": '"short"',
        "secret_version": "0",
        "sign_on": '{ mode = "no", issuer = "x", client_id = "c", domains = [], port = -1 }',
        "alert_emails": '["ada"]',
        "budget": '{ billing_account = "mine", amount = 0.5 }',
    },
    {
        "kms_key_name": '"my-key"',
        "server": "{ login_rate = 0, trusted_proxies = 9 }",
        "events": '{ max_instances = 0, quiet = 0.5, url = "https://sopor.example.com/v1" }',
    },
    {
        "kms_key_name": '"projects/k/locations/us-east1/keyRings/r/cryptoKeys/k"',
        "bucket_location": '"EU"',
    },
]


def test_every_alert_has_a_heading_that_says_what_to_do() -> None:
    sources = "".join(
        (MODULE / name).read_text(encoding="utf-8") for name in ("monitoring.tf", "slo.tf")
    )
    titles = re.findall(r'title\s+= "(.+)"', sources)
    titles += re.findall(r'runbook\} \\"([^$\\]+)\\"', sources)

    assert len(titles) == 9
    assert [title for title in titles if f"### {title}\n" not in _README] == []


def test_the_readme_lists_every_variable_and_output() -> None:
    for name, heading in (("variables.tf", "variable"), ("outputs.tf", "output")):
        text = (MODULE / name).read_text(encoding="utf-8")
        named = re.findall(rf'(?m)^{heading} "(\w+)"', text)
        assert named
        assert [name for name in named if f"| `{name}` |" not in _README] == []


def _all_tests() -> str:
    return "".join(path.read_text("utf-8") for path in sorted(MODULE.glob("tests/*.tftest.hcl")))


def binding(kind: str, planned: dict[str, Any]) -> tuple[str, str, str, str, str | None]:
    """Returns a planned binding as BINDINGS names it."""
    target = next(planned[name] for name in _TARGETS if planned.get(name))
    condition = planned["condition"][0]["expression"] if planned.get("condition") else None
    return kind, target, planned["role"], planned["member"], condition
