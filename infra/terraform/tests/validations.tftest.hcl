# Promise: a wrong setting is refused before anything is made. tests/deploy reads the messages.

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

run "the_place" {
  command = plan

  variables {
    project_id         = "My Project"
    region             = "europe-west3-a"
    firestore_location = "Frankfurt"
    bucket_location    = "mars"
    name               = "Sopor!"
  }

  expect_failures = [var.project_id, var.region, var.firestore_location, var.bucket_location, var.name]
}

run "the_code" {
  command = plan

  variables {
    source_archive = "nowhere.zip"
  }

  expect_failures = [var.source_archive]
}

run "the_limits" {
  command = plan

  variables {
    max_instances = 0
    server = {
      quota_bytes     = -1
      registration    = "perhaps"
      login_rate      = 0
      trusted_proxies = 9
      log             = "loud"
    }
  }

  expect_failures = [var.max_instances, var.server]
}

run "the_safety" {
  command = plan

  variables {
    databases      = ["sopor", "sopor"]
    restore_days   = 3
    server_id      = "short"
    secret_version = 0
    kms_key_name   = "my-key"
  }

  expect_failures = [var.databases, var.restore_days, var.server_id, var.secret_version, var.kms_key_name]
}

run "a_key_elsewhere" {
  command = plan

  variables {
    kms_key_name = "projects/keys/locations/us-east1/keyRings/ring/cryptoKeys/sopor"
  }

  expect_failures = [var.kms_key_name]
}

run "a_key_for_data_in_two_places" {
  command = plan

  variables {
    kms_key_name       = "projects/keys/locations/europe-west3/keyRings/ring/cryptoKeys/sopor"
    firestore_location = "eur3"
  }

  expect_failures = [var.kms_key_name]
}

run "the_watching" {
  command = plan

  variables {
    alert_emails = ["ada"]
    budget = {
      billing_account = "mine"
      amount          = 0.5
    }
  }

  expect_failures = [var.alert_emails, var.budget]
}
