# What is deployed: one archive, named by its hash, and the images that are built from it. Another
# hash is another object, which is how the functions learn that there is something new to deploy;
# the same sources always give the same archive, so that nothing is deployed for nothing.

locals {
  source_archive = coalesce(var.source_archive, "${path.module}/build/functions.zip")
}

resource "google_storage_bucket" "source" {
  # checkov:skip=CKV_GCP_62:Access is in the Cloud Audit Logs (audit.tf), which need no second bucket
  # checkov:skip=CKV_GCP_78:Objects are named by their hash and never overwritten; soft delete keeps removed ones
  project  = var.project_id
  name     = "${var.project_id}-${var.name}-source"
  location = upper(var.region)
  labels   = local.labels

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  soft_delete_policy {
    retention_duration_seconds = 7 * 86400
  }

  dynamic "encryption" {
    for_each = var.kms_key_name[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.service_agent]
}

resource "google_storage_bucket_object" "source" {
  bucket       = google_storage_bucket.source.name
  name         = "functions-${filesha256(local.source_archive)}.zip"
  source       = local.source_archive
  content_type = "application/zip"
}

resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84:A key of one's own is a choice (kms_key_name); images hold public code and no data
  project       = var.project_id
  location      = var.region
  repository_id = var.name
  description   = "Images that Cloud Build makes of Sopor's functions."
  format        = "DOCKER"
  kms_key_name  = var.kms_key_name
  labels        = local.labels

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 3
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "${30 * 86400}s"
    }
  }

  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.service_agent]
}
