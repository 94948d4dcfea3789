resource "google_cloud_scheduler_job" "housekeeping" {
  project     = var.project_id
  region      = var.region
  name        = "${var.name}-housekeeping"
  description = "Lets Sopor's housekeeping run once a day."
  schedule    = "17 3 * * *"
  time_zone   = "Etc/UTC"

  # As long as the function may run.
  attempt_deadline = "1800s"

  retry_config {
    retry_count          = 3
    min_backoff_duration = "60s"
    max_backoff_duration = "600s"
  }

  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.this["housekeeping"].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = google_cloudfunctions2_function.this["housekeeping"].service_config[0].uri
    }
  }

  depends_on = [google_project_service.this]
}
