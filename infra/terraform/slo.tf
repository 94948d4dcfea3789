# What users may expect of `api`, measured on what Cloud Run saw, and an alert when the allowance of
# failures for 28 days would be gone within two.

resource "google_monitoring_custom_service" "api" {
  project      = var.project_id
  service_id   = "${var.name}-api"
  display_name = "Sopor (${var.name}): api"

  depends_on = [google_project_service.this]
}

locals {
  slo_requests = join(" AND ", [
    "metric.type=\"run.googleapis.com/request_count\"",
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=\"${local.api_name}\"",
  ])
  slo_latencies = replace(local.slo_requests, "request_count", "request_latencies")
}

resource "google_monitoring_slo" "availability" {
  project             = var.project_id
  service             = google_monitoring_custom_service.api.service_id
  slo_id              = "availability"
  display_name        = "99.5 % of the requests are answered, not failed"
  goal                = 0.995
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = local.slo_requests
      bad_service_filter   = "${local.slo_requests} AND metric.labels.response_code_class=\"5xx\""
    }
  }
}

resource "google_monitoring_slo" "latency" {
  project             = var.project_id
  service             = google_monitoring_custom_service.api.service_id
  slo_id              = "latency"
  display_name        = "95 % of the requests are answered within 2 seconds, cold starts included"
  goal                = 0.95
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = local.slo_latencies

      range {
        min = 0
        max = 2000
      }
    }
  }
}

resource "google_monitoring_alert_policy" "burn" {
  count = local.alerted ? 1 : 0

  project               = var.project_id
  display_name          = "Sopor (${var.name}): The allowance of failures runs out"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "The allowance of failures runs out"

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${google_monitoring_slo.availability.id}\", \"3600s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 14
      duration        = "0s"
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${local.runbook} \"The allowance of failures runs out\"."
  }
}
