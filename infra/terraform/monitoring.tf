# What is counted, who is told, and when. README.md has a heading for each alert that says what to do.
#
# Alert policies cost a little each, so there are none while nobody would be told (alert_emails).
# Metrics, objectives and the dashboard are free and always there.

locals {
  api_name = google_cloudfunctions2_function.this["api"].name

  events_name = google_cloudfunctions2_function.this["events"].name

  # Of Cloud Run's metrics and of the log metric below, those of `api`, of `events`, and of both. How
  # long requests of `events` take says nothing: a stream lasts as long as its client listens.
  of_api    = "monitored_resource=\"cloud_run_revision\",service_name=\"${local.api_name}\""
  of_events = "monitored_resource=\"cloud_run_revision\",service_name=\"${local.events_name}\""
  of_both   = "monitored_resource=\"cloud_run_revision\",service_name=~\"${local.api_name}|${local.events_name}\""

  # The same of lines of the log.
  logs_of_both = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${local.api_name}\" OR \"${local.events_name}\")"

  requests  = "run_googleapis_com:request_count"
  latencies = "run_googleapis_com:request_latencies_bucket"
  instances = "run_googleapis_com:container_instance_count"
  refusals  = "logging_googleapis_com:user_${replace(google_logging_metric.refusals.name, "-", "_")}"

  # Alerts on metrics: a PromQL query that has a result while something is wrong.
  metric_alerts = {
    error-rate = {
      title    = "Requests fail"
      severity = "ERROR"
      query    = <<-EOT
        sum(rate(${local.requests}{${local.of_both},response_code_class="5xx"}[10m]))
          / sum(rate(${local.requests}{${local.of_both}}[10m])) > 0.05
        and sum(increase(${local.requests}{${local.of_both},response_code_class="5xx"}[10m])) >= 5
      EOT
    }
    latency = {
      title    = "Requests are slow"
      severity = "WARNING"
      query    = <<-EOT
        histogram_quantile(0.95, sum by (le) (rate(${local.latencies}{${local.of_api}}[15m]))) > 3000
        and sum(increase(${local.requests}{${local.of_api}}[15m])) >= 20
      EOT
    }
    saturation = {
      title    = "All instances are busy"
      severity = "WARNING"
      query    = <<-EOT
        sum(max_over_time(${local.instances}{${local.of_api},state="active"}[5m])) >= ${var.max_instances}
        or sum(max_over_time(${local.instances}{${local.of_events},state="active"}[5m])) >= ${var.events.max_instances}
      EOT
    }
    refusals = {
      title    = "What clients send does not verify"
      severity = "WARNING"
      query    = <<-EOT
        sum(increase(${local.refusals}{${local.of_both},problem=~"entry-refused|pack-mismatch"}[15m])) >= 10
      EOT
    }
    logins = {
      title    = "Many logins fail"
      severity = "WARNING"
      query    = <<-EOT
        sum(increase(${local.refusals}{${local.of_both},problem=~"login-failed|rate-limited"}[15m])) >= 100
      EOT
    }
  }

  # Alerts on a single line of the log.
  log_alerts = {
    history = {
      title    = "Clients know more than the server"
      severity = "CRITICAL"
      filter   = "${local.logs_of_both} AND jsonPayload.problem=(\"log-shorter\" OR \"log-diverged\")"
    }
    setup = {
      title    = "The server is not set up"
      severity = "CRITICAL"
      filter   = "${local.logs_of_both} AND severity=CRITICAL"
    }
    housekeeping = {
      title    = "The housekeeping fails"
      severity = "WARNING"
      filter   = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"${google_cloud_scheduler_job.housekeeping.name}\" AND severity>=ERROR"
    }
  }

  alerted  = length(var.alert_emails) > 0
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  # Where a message sends its reader.
  runbook = "What to do stands in infra/terraform/README.md under the heading"
}

resource "google_logging_metric" "refusals" {
  project     = var.project_id
  name        = "${var.name}-refusals"
  description = "Requests that the server refused, by the code of the problem."
  filter      = "${local.logs_of_both} AND jsonPayload.message=\"request\" AND jsonPayload.problem:*"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "problem"
      value_type  = "STRING"
      description = "Code of the problem document."
    }
  }

  label_extractors = { problem = "EXTRACT(jsonPayload.problem)" }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  project      = var.project_id
  display_name = "Sopor (${var.name}): ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  user_labels  = local.labels

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "metric" {
  for_each = local.alerted ? local.metric_alerts : {}

  project               = var.project_id
  display_name          = "Sopor (${var.name}): ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = trimspace(each.value.query)
      duration            = "0s"
      evaluation_interval = "60s"
      # The metrics come into being with the first request.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${local.runbook} \"${each.value.title}\"."
  }
}

resource "google_monitoring_alert_policy" "log" {
  for_each = local.alerted ? local.log_alerts : {}

  project               = var.project_id
  display_name          = "Sopor (${var.name}): ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = each.value.filter
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${local.runbook} \"${each.value.title}\"."
  }
}
