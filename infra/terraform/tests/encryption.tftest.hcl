# Promise: with kms_key_name, everything that is stored is under that key.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  # Known while planning, and another value for each.
  mock_resource "google_artifact_registry_repository" {}
}

variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}

run "one_key_for_all" {
  command = plan

  variables {
    kms_key_name = "projects/keys/locations/europe-west3/keyRings/ring/cryptoKeys/sopor"
  }

  assert {
    condition     = google_firestore_database.this["sopor"].cmek_config[0].kms_key_name == var.kms_key_name
    error_message = "The database is not under the key."
  }

  assert {
    condition     = alltrue([for b in [google_storage_bucket.packs, google_storage_bucket.source] : b.encryption[0].default_kms_key_name == var.kms_key_name])
    error_message = "A bucket is not under the key."
  }

  assert {
    condition     = google_secret_manager_secret.server.replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == var.kms_key_name
    error_message = "The secret is not under the key."
  }

  assert {
    condition     = google_artifact_registry_repository.images.kms_key_name == var.kms_key_name && alltrue([for f in google_cloudfunctions2_function.this : f.kms_key_name == var.kms_key_name])
    error_message = "Functions or images are not under the key."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.this : f.build_config[0].docker_repository == google_artifact_registry_repository.images.id])
    error_message = "Images go to a repository that is not under the key."
  }

  assert {
    condition = toset([for m in google_kms_crypto_key_iam_member.service_agent : m.member]) == toset([
      for agent in ["gcf-admin-robot", "gcp-sa-artifactregistry", "gcp-sa-firestore", "gcp-sa-secretmanager", "gs-project-accounts", "serverless-robot-prod"] :
      "serviceAccount:service-123456789012@${agent}.iam.gserviceaccount.com"
    ]) && alltrue([for m in google_kms_crypto_key_iam_member.service_agent : m.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter" && m.crypto_key_id == var.kms_key_name])
    error_message = "The key is used by others than the services that need it."
  }

  assert {
    condition     = contains(keys(google_project_service.this), "cloudkms.googleapis.com")
    error_message = "The interface of Cloud KMS is not enabled."
  }
}

run "google_s_own_keys_else" {
  command = plan

  assert {
    condition     = length(google_kms_crypto_key_iam_member.service_agent) == 0 && length(google_firestore_database.this["sopor"].cmek_config) == 0 && length(google_storage_bucket.packs.encryption) == 0
    error_message = "Something asks for a key that there is not."
  }
}
