# Promise: who runs this is told when something is wrong, and what to do.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  # Known while planning, and another value for each.
  mock_resource "google_monitoring_notification_channel" {}
}

variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}

run "alerts_go_to_everybody_named" {
  command = plan

  variables {
    alert_emails = ["ada@example.com", "grace@example.com"]
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.metric)) == toset(["error-rate", "latency", "saturation", "refusals", "logins"])
    error_message = "An alert on metrics is missing."
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.log)) == toset(["history", "setup", "housekeeping"])
    error_message = "An alert on the log is missing."
  }

  assert {
    condition = alltrue([
      for p in concat(values(google_monitoring_alert_policy.metric), values(google_monitoring_alert_policy.log), google_monitoring_alert_policy.burn) :
      toset(p.notification_channels) == toset([for c in google_monitoring_notification_channel.email : c.id]) && strcontains(p.documentation[0].content, "infra/terraform/README.md")
    ]) && length(google_monitoring_alert_policy.burn) == 1
    error_message = "An alert reaches not everybody, or does not say what to do."
  }

  assert {
    condition     = toset([for c in google_monitoring_notification_channel.email : c.labels["email_address"]]) == toset(["ada@example.com", "grace@example.com"])
    error_message = "Somebody is not told."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.metric["saturation"].conditions[0].condition_prometheus_query_language[0].query, ">= 10") && strcontains(google_monitoring_alert_policy.metric["saturation"].conditions[0].condition_prometheus_query_language[0].query, ">= 5")
    error_message = "The alert on busy instances does not know how many there may be."
  }
}

run "objectives_and_dashboard_watch_api" {
  command = plan

  assert {
    condition     = google_monitoring_slo.availability.goal == 0.995 && google_monitoring_slo.latency.goal == 0.95
    error_message = "The objectives are others than README.md says."
  }

  assert {
    condition     = alltrue([for f in [google_monitoring_slo.availability.request_based_sli[0].good_total_ratio[0].total_service_filter, google_monitoring_slo.latency.request_based_sli[0].distribution_cut[0].distribution_filter] : strcontains(f, "service_name=\"sopor-api\"")])
    error_message = "An objective is measured on something else than api."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles) == length(local.charts)
    error_message = "The dashboard lacks a chart."
  }

  assert {
    condition     = length(google_billing_budget.this) == 0
    error_message = "There is a budget that nobody gave."
  }
}

run "a_budget_when_there_is_one" {
  command = plan

  variables {
    alert_emails = ["ada@example.com"]
    budget = {
      billing_account = "012345-6789AB-CDEF01"
      amount          = 50
      currency        = "EUR"
    }
  }

  assert {
    condition     = google_billing_budget.this[0].amount[0].specified_amount[0].units == "50" && google_billing_budget.this[0].amount[0].specified_amount[0].currency_code == "EUR"
    error_message = "The budget is another one than was given."
  }

  assert {
    condition     = google_billing_budget.this[0].budget_filter[0].projects == toset(["projects/123456789012"])
    error_message = "The budget counts other projects."
  }

  assert {
    condition     = [for r in google_billing_budget.this[0].threshold_rules : "${r.threshold_percent} ${coalesce(r.spend_basis, "CURRENT_SPEND")}"] == ["0.5 CURRENT_SPEND", "0.9 CURRENT_SPEND", "1 CURRENT_SPEND", "1 FORECASTED_SPEND"]
    error_message = "The budget tells too late."
  }

  assert {
    condition     = contains(keys(google_project_service.this), "billingbudgets.googleapis.com")
    error_message = "The interface for budgets is not enabled."
  }
}
