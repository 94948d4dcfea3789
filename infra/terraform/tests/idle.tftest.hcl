# Promise: nobody there, nothing to pay.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}

run "nothing_runs_while_nobody_is_there" {
  command = plan

  assert {
    condition     = toset(keys(google_cloudfunctions2_function.this)) == toset(["api", "events", "housekeeping"])
    error_message = "The functions are others than api, events and housekeeping."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.this : f.service_config[0].min_instance_count == 0])
    error_message = "A function keeps instances while nobody uses it."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.this : f.service_config[0].vpc_connector == null])
    error_message = "A function has a VPC connector, which costs by the hour."
  }

  assert {
    condition     = google_cloud_scheduler_job.housekeeping.schedule == "17 3 * * *"
    error_message = "The housekeeping runs more often than once a day."
  }

  assert {
    condition     = length(google_monitoring_alert_policy.metric) + length(google_monitoring_alert_policy.log) + length(google_monitoring_alert_policy.burn) == 0
    error_message = "An alert policy costs and tells nobody."
  }
}

run "streams_let_instances_sleep" {
  command = plan

  assert {
    condition     = alltrue([for name in ["api", "events"] : google_cloudfunctions2_function.this[name].service_config[0].environment_variables["SOPOR_EVENTS_QUIET"] == "120"])
    error_message = "Silent streams do not end, and their instance never sleeps."
  }
}

run "a_flood_has_a_ceiling" {
  command = plan

  variables {
    max_instances = 7
    events        = { max_instances = 3 }
  }

  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].max_instance_count == 7
    error_message = "max_instances is not what api may have at most."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["events"].service_config[0].max_instance_count == 3
    error_message = "events.max_instances is not what events may have at most."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["housekeeping"].service_config[0].max_instance_count == 1 && google_cloudfunctions2_function.this["housekeeping"].service_config[0].max_instance_request_concurrency == 1
    error_message = "Two runs of the housekeeping may overlap."
  }

  assert {
    condition = alltrue([
      for name, f in google_cloudfunctions2_function.this :
      f.service_config[0].environment_variables["THREADS"] == tostring(f.service_config[0].max_instance_request_concurrency) if name != "events"
    ])
    error_message = "A function takes more requests at once than it has threads."
  }
}
