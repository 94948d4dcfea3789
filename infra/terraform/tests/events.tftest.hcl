# Promise: api tells clients where events streams, and events can do nothing but tell.

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

run "clients_learn_where_streams_are" {
  command = plan

  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["SOPOR_EVENTS_URL"] == "https://sopor-events-123456789012.europe-west3.run.app" && output.events_url == "https://sopor-events-123456789012.europe-west3.run.app"
    error_message = "Clients look for streams elsewhere than at the function."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["events"].name == "sopor-events" && google_cloudfunctions2_function.this["events"].location == "europe-west3"
    error_message = "The address that clients are told is of another function."
  }
}

run "streams_last_and_share_an_instance" {
  command = plan

  variables {
    server_id = "AAECAwQFBgcICQoLDA0ODw"
  }

  assert {
    condition     = google_cloudfunctions2_function.this["events"].service_config[0].timeout_seconds == 3600 && google_cloudfunctions2_function.this["events"].service_config[0].max_instance_request_concurrency == 1000
    error_message = "Streams are cut early, or spread over more instances than they need."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["events"].build_config[0].entry_point == "events" && google_cloudfunctions2_function.this["events"].service_config[0].environment_variables["FUNCTION_USE_ASGI"] == "true"
    error_message = "Streams would each hold a thread."
  }

  assert {
    condition     = [for name, f in google_cloudfunctions2_function.this : name if contains(keys(f.service_config[0].environment_variables), "FUNCTION_USE_ASGI")] == ["events"]
    error_message = "Another function is served in a way that it is not made for."
  }

  assert {
    condition     = tonumber(google_cloudfunctions2_function.this["events"].service_config[0].environment_variables["SOPOR_EVENTS_STREAMS"]) < google_cloudfunctions2_function.this["events"].service_config[0].max_instance_request_concurrency
    error_message = "Streams take all requests that an instance may have, so that nobody is told to poll."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["events"].service_config[0].environment_variables["SOPOR_SERVER_ID"] == google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["SOPOR_SERVER_ID"]
    error_message = "Tokens of api do not count for events."
  }
}

run "an_address_of_ones_own" {
  command = plan

  variables {
    behind_load_balancer = true
    events = {
      url   = "https://sopor.example.com"
      quiet = 0
    }
  }

  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["SOPOR_EVENTS_URL"] == "https://sopor.example.com" && output.events_url == "https://sopor.example.com"
    error_message = "Clients are not told the address of the load balancer."
  }

  assert {
    condition     = alltrue([for name in ["api", "events"] : google_cloudfunctions2_function.this[name].service_config[0].environment_variables["SOPOR_EVENTS_QUIET"] == "0"])
    error_message = "The functions do not agree on how long streams may be silent."
  }
}
