# Promise: nothing is public but the invoker of `api`.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  # Known while planning, and another value for each.
  mock_resource "google_cloudfunctions2_function" {}
  mock_resource "google_service_account" {}
}

variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}

run "only_api_and_events_are_public" {
  command = plan

  assert {
    condition     = { for key, m in google_cloud_run_v2_service_iam_member.public : key => [m.name, m.member, m.role] } == { for key in ["api", "events"] : key => ["sopor-${key}", "allUsers", "roles/run.invoker"] }
    error_message = "api or events cannot be reached by clients, or something else can."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.scheduler.name == "sopor-housekeeping" && google_cloud_run_v2_service_iam_member.scheduler.member == google_service_account.scheduler.member
    error_message = "Others than the scheduler may call the housekeeping."
  }

  assert {
    condition     = { for name, f in google_cloudfunctions2_function.this : name => f.service_config[0].ingress_settings } == { api = "ALLOW_ALL", events = "ALLOW_ALL", housekeeping = "ALLOW_INTERNAL_ONLY" }
    error_message = "The functions take traffic from elsewhere than they should."
  }

  assert {
    condition     = alltrue([for b in [google_storage_bucket.packs, google_storage_bucket.source] : b.public_access_prevention == "enforced" && b.uniform_bucket_level_access])
    error_message = "A bucket could be made public."
  }

  assert {
    condition     = strcontains(google_firebaserules_ruleset.deny_all.source[0].files[0].content, "allow read, write: if false;") && length(regexall("allow", google_firebaserules_ruleset.deny_all.source[0].files[0].content)) == 1
    error_message = "The rules of Firestore allow something."
  }

  assert {
    condition     = [for r in google_firebaserules_release.deny_all : r.name] == ["cloud.firestore/sopor"]
    error_message = "The rules do not hold for the database."
  }

  assert {
    condition     = google_cloud_scheduler_job.housekeeping.http_target[0].oidc_token[0].service_account_email == google_service_account.scheduler.email
    error_message = "The scheduler calls without its identity."
  }

  assert {
    condition     = google_cloud_scheduler_job.housekeeping.http_target[0].uri == google_cloudfunctions2_function.this["housekeeping"].service_config[0].uri && google_cloud_scheduler_job.housekeeping.http_target[0].oidc_token[0].audience == google_cloud_scheduler_job.housekeeping.http_target[0].uri
    error_message = "The scheduler's token is for another address than it calls."
  }

  assert {
    condition = alltrue([
      for c in google_project_iam_audit_config.this : toset([for l in c.audit_log_config : l.log_type]) == toset(["ADMIN_READ", "DATA_READ", "DATA_WRITE"])
    ]) && toset(keys(google_project_iam_audit_config.this)) == toset(["storage.googleapis.com", "datastore.googleapis.com", "secretmanager.googleapis.com"])
    error_message = "Somebody could read or write packs, documents or the secret without a trace."
  }

  assert {
    condition = alltrue([
      for l in google_project_iam_audit_config.this["storage.googleapis.com"].audit_log_config :
      toset(l.exempted_members) == toset([for a in google_service_account.function : a.member])
    ])
    error_message = "Others than the functions are exempt from the audit log."
  }

  assert {
    condition     = alltrue([for l in google_project_iam_audit_config.this["secretmanager.googleapis.com"].audit_log_config : length(l.exempted_members) == 0])
    error_message = "Somebody is exempt from the secret's audit log."
  }
}

run "what_is_public_can_be_closed_and_logging_left_to_another_deployment" {
  command = plan

  variables {
    public     = false
    audit_logs = false
  }

  assert {
    condition     = length(google_project_iam_audit_config.this) == 0
    error_message = "Two deployments in one project would fight over its audit logs."
  }

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.public) == 0
    error_message = "Something is public although it must not be."
  }
}

run "both_can_stand_behind_a_load_balancer" {
  command = plan

  variables {
    behind_load_balancer = true
  }

  assert {
    condition     = alltrue([for name in ["api", "events"] : google_cloudfunctions2_function.this[name].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"])
    error_message = "A function can be reached around the load balancer."
  }

  assert {
    condition     = alltrue([for name in ["api", "events"] : google_cloudfunctions2_function.this[name].service_config[0].environment_variables["SOPOR_TRUSTED_PROXIES"] == "2"])
    error_message = "Logins would be throttled by the load balancer's address instead of the client's."
  }

  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.this["api"].service_config[0].environment_variables), "SOPOR_EVENTS_URL") && output.events_url == null
    error_message = "Clients are sent around the load balancer, where nobody lets them in."
  }
}
