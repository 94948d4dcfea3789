# The packs. Each is an immutable object under the hash of its bytes, so there is nothing to version;
# what the housekeeping deletes can be brought back for as long as a backup may ask for it.

resource "google_storage_bucket" "packs" {
  # checkov:skip=CKV_GCP_62:Access is in the Cloud Audit Logs (audit.tf), which need no second bucket
  # checkov:skip=CKV_GCP_78:Objects are created once and never overwritten; soft delete keeps deleted ones longer than any backup
  project  = var.project_id
  name     = "${var.project_id}-${var.name}-packs"
  location = local.bucket_location
  labels   = local.labels

  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  deletion_policy             = local.deletion_policy

  # One day longer than the backups: the oldest of them may name a pack deleted just after it was made.
  soft_delete_policy {
    retention_duration_seconds = (var.restore_days + 1) * 86400
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key_name[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.service_agent]
}
