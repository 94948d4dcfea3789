# Promise: single sign-on is off unless asked for, and the function is told all of it.

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

run "none_by_default" {
  command = plan

  assert {
    condition     = length([for name in keys(google_cloudfunctions2_function.this["api"].service_config[0].environment_variables) : name if startswith(name, "SOPOR_SSO")]) == 0
    error_message = "The function is told of an issuer that nobody named."
  }
}

run "an_issuer" {
  command = plan

  variables {
    sign_on = {
      mode      = "required"
      issuer    = "https://login.example.com"
      client_id = "sopor-desktop"
      domains   = ["example.com", "example.org"]
    }
  }

  assert {
    condition = jsonencode({
      for name, value in google_cloudfunctions2_function.this["api"].service_config[0].environment_variables : name => value if startswith(name, "SOPOR_SSO")
      }) == jsonencode({
      SOPOR_SSO           = "required"
      SOPOR_SSO_ISSUER    = "https://login.example.com"
      SOPOR_SSO_CLIENT_ID = "sopor-desktop"
      SOPOR_SSO_DOMAINS   = "example.com,example.org"
      SOPOR_SSO_PORT      = "0"
      SOPOR_SSO_MAX_AGE   = "300"
    })
    error_message = "The function is not told what was set."
  }

  assert {
    condition     = length([for name in keys(google_cloudfunctions2_function.this["housekeeping"].service_config[0].environment_variables) : name if startswith(name, "SOPOR_SSO")]) == 0
    error_message = "The housekeeping, which serves nobody, is told of the issuer."
  }
}

run "everybody_of_the_issuer" {
  command = plan

  variables {
    sign_on = {
      mode          = "optional"
      issuer        = "https://accounts.google.com"
      client_id     = "1234.apps.googleusercontent.com"
      client_secret = "known-to-every-client"
      domains       = ["*"]
      port          = 8400
    }
  }

  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["SOPOR_SSO_DOMAINS"] == "*"
    error_message = "The function is not told that everybody may sign on."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["SOPOR_SSO_CLIENT_SECRET"] == "known-to-every-client"
    error_message = "The function is not told the client's secret."
  }
}

run "wrong_mode_and_issuer" {
  command = plan

  variables {
    sign_on = {
      mode      = "maybe"
      issuer    = "http://login.example.com"
      client_id = "sopor-desktop"
      domains   = ["example.com"]
    }
  }

  expect_failures = [var.sign_on]
}

run "domains_that_are_none" {
  command = plan

  variables {
    sign_on = {
      mode      = "required"
      issuer    = "https://login.example.com"
      client_id = "sopor-desktop"
      domains   = ["example.com", "*"]
    }
  }

  expect_failures = [var.sign_on]
}
