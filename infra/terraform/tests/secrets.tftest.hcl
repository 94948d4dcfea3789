# Promise: the server's secret is in Secret Manager and nowhere else; its id stays what it is.

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

run "no_secret_in_the_plan" {
  command = plan

  assert {
    condition     = google_secret_manager_secret_version.server.secret_data == null
    error_message = "The secret goes through plan and state."
  }

  assert {
    condition     = google_secret_manager_secret_version.server.secret_data_wo_version == "1"
    error_message = "The secret is drawn anew although nobody asked for it."
  }
}

run "a_new_secret_when_asked_for" {
  command = plan

  variables {
    secret_version = 2
  }

  assert {
    condition     = google_secret_manager_secret_version.server.secret_data_wo_version == "2"
    error_message = "The secret stays although a new one is asked for."
  }
}

run "a_moved_server_keeps_its_id" {
  command = plan

  variables {
    server_id = "AAECAwQFBgcICQoLDA0ODw"
  }

  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["SOPOR_SERVER_ID"] == "AAECAwQFBgcICQoLDA0ODw"
    error_message = "Devices would refuse the server, as they pin its id."
  }

  assert {
    condition     = output.server_id == "AAECAwQFBgcICQoLDA0ODw"
    error_message = "The output tells another id than the server has."
  }
}
