# Promise: another archive is another deployment, the same one is none.

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

run "functions_are_built_from_the_archive" {
  command = plan

  assert {
    condition     = google_storage_bucket_object.source.name == "functions-${filesha256("tests/fixtures/archive")}.zip"
    error_message = "The object is not named by the SHA-256 of the archive."
  }

  assert {
    condition = alltrue([
      for f in google_cloudfunctions2_function.this :
      f.build_config[0].source[0].storage_source[0].object == google_storage_bucket_object.source.name && f.build_config[0].source[0].storage_source[0].bucket == "my-project-sopor-source"
    ])
    error_message = "A function is built from something else than the archive."
  }

  assert {
    condition     = alltrue([for name, f in google_cloudfunctions2_function.this : f.build_config[0].entry_point == name])
    error_message = "A function has another entry point than its name."
  }
}
