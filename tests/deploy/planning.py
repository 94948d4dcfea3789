"""Plans a new deployment, in which accounts and roles are known by short names."""

from __future__ import annotations

from typing import Any, TypeAlias

from tests.deploy.terraforming import Terraform

Changes: TypeAlias = list[dict[str, Any]]
SERVER_ID = "AAECAwQFBgcICQoLDA0ODw"
FUNCTIONS = ("api", "events", "housekeeping")
_NAMED = {
    **{f'google_service_account.function["{name}"]': name for name in FUNCTIONS},
    "google_service_account.build": "build",
    "google_service_account.scheduler": "scheduler",
}
_ROLES = {
    f'google_project_iam_custom_role.{kind}["{name}"]': f"ROLE:{kind}-{name}"
    for kind in ("documents", "objects")
    for name in FUNCTIONS
} | {"google_project_iam_custom_role.sign": "ROLE:sign"}
HEAD = """
mock_provider "google" {
  mock_data "google_project" {
    defaults        = { number = "123456789012" }
    override_during = plan
  }
}
variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}
"""


def plan(module: Terraform, head: str) -> Changes:
    """Returns the changes that Terraform plans for a new deployment."""
    (module.folder / "tests" / "plan.tftest.hcl").write_text(
        f'{head}\nrun "plan" {{\n  command = plan\n}}\n', encoding="utf-8"
    )
    ran = module.run("test", "-json", "-verbose", "-filter=tests/plan.tftest.hcl")
    assert ran.errors == []
    (planned,) = (message["test_plan"] for message in ran.messages if "test_plan" in message)
    changes: Changes = planned["resource_changes"]
    return changes


def overrides() -> str:
    """Returns a test's head in which accounts and roles are known by short names."""
    values = {
        target: f'email = "{name}", member = "{name}", name = "name of {name}"'
        for target, name in _NAMED.items()
    }
    values |= {target: f'id = "{role}"' for target, role in _ROLES.items()}
    values["google_artifact_registry_repository.images"] = 'name = "sopor-images"'
    head = HEAD.replace("variables {", f'variables {{\n  server_id = "{SERVER_ID}"', 1)
    return head + "".join(
        f"override_resource {{\n  target = {target}\n  override_during = plan\n"
        f"  values = {{ {value} }}\n}}\n"
        for target, value in values.items()
    )
