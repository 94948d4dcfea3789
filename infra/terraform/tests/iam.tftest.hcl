# Promise: the least privilege. tests/deploy holds the list of all bindings; here is what each of them allows.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  # Known while planning, and another value for each.
  mock_resource "google_service_account" {}
}

variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}

run "each_may_do_what_it_needs_and_no_more" {
  command = plan

  assert {
    condition     = { for name, a in google_service_account.function : name => a.account_id } == { api = "sopor-api", events = "sopor-events", housekeeping = "sopor-housekeeping" }
    error_message = "The functions' accounts are not theirs alone."
  }

  assert {
    condition     = alltrue([for name, f in google_cloudfunctions2_function.this : f.service_config[0].service_account_email == google_service_account.function[name].email])
    error_message = "A function runs as somebody else."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.this : f.build_config[0].service_account == google_service_account.build.id])
    error_message = "A function is built by the default account."
  }

  assert {
    condition = alltrue([
      for m in google_project_iam_member.documents : m.condition[0].expression == "resource.name == \"projects/my-project/databases/sopor\""
    ])
    error_message = "A function may use other databases of the project."
  }

  assert {
    condition = {
      for name, r in google_project_iam_custom_role.documents : name => join(" ", sort([for p in r.permissions : trimprefix(p, "datastore.")]))
      } == {
      api          = "databases.get entities.create entities.delete entities.get entities.list entities.update"
      events       = "databases.get entities.get entities.list"
      housekeeping = "databases.get entities.create entities.get entities.list entities.update"
    }
    error_message = "A function may do more with documents than it needs."
  }

  assert {
    condition     = toset(google_project_iam_custom_role.objects["api"].permissions) == toset(["storage.objects.create", "storage.objects.get", "storage.objects.list"])
    error_message = "api may do more with packs than create and read them."
  }

  assert {
    condition     = toset(google_project_iam_custom_role.objects["events"].permissions) == toset(["storage.objects.get", "storage.objects.list"])
    error_message = "events may do more with packs than read them."
  }

  assert {
    condition     = toset(google_project_iam_custom_role.objects["housekeeping"].permissions) == toset(["storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list"])
    error_message = "The housekeeping may do more with packs than it needs."
  }

  assert {
    condition     = alltrue([for m in google_storage_bucket_iam_member.objects : m.bucket == "my-project-sopor-packs"])
    error_message = "A function may use other buckets."
  }

  assert {
    condition     = google_project_iam_custom_role.sign.permissions == toset(["iam.serviceAccounts.signBlob"])
    error_message = "The role for signing allows more than that."
  }

  assert {
    condition     = google_service_account_iam_member.sign.service_account_id == google_service_account.function["api"].name && google_service_account_iam_member.sign.member == google_service_account.function["api"].member
    error_message = "Somebody may sign in another's name."
  }

  assert {
    condition     = { for name, m in google_secret_manager_secret_iam_member.function : name => [m.member, m.secret_id] } == { for name in ["api", "events"] : name => [google_service_account.function[name].member, "sopor-server"] }
    error_message = "Others than api and events may read the secret."
  }

  assert {
    condition     = { for name, f in google_cloudfunctions2_function.this : name => [for s in f.service_config[0].secret_environment_variables : s.key] } == { api = ["SOPOR_SERVER_SECRET"], events = ["SOPOR_SERVER_SECRET"], housekeeping = [] }
    error_message = "The secret is not where it is needed, or also elsewhere."
  }

  assert {
    condition     = google_project_iam_member.build_source.condition[0].expression == "resource.name.startsWith(\"projects/_/buckets/my-project-sopor-source/\") || resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-123456789012-europe-west3/\")"
    error_message = "The build may read other buckets, or not its own."
  }
}
