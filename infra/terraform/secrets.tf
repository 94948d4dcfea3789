# The server's secret authenticates tokens and challenges; it opens no content. Its value is drawn
# while applying (three times 122 bits from the system's random source, hashed to 256) and goes to
# Secret Manager as a write-only argument, so that neither a plan nor the state ever holds it.

resource "google_secret_manager_secret" "server" {
  project         = var.project_id
  secret_id       = "${var.name}-server"
  labels          = local.labels
  deletion_policy = local.deletion_policy

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key_name[*]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.service_agent]
}

resource "google_secret_manager_secret_version" "server" {
  secret = google_secret_manager_secret.server.id

  # A write-only value is not compared, so the new one that every run draws changes nothing until
  # the version does.
  secret_data_wo         = trimsuffix(replace(replace(base64sha256("${uuid()}${uuid()}${uuid()}"), "+", "-"), "/", "_"), "=")
  secret_data_wo_version = tostring(var.secret_version)

  lifecycle {
    create_before_destroy = true
  }
}

# The server's id is no secret, but devices pin it: it is drawn once and never again.
resource "terraform_data" "server_id" {
  # 21 characters are 126 random bits; the last one ends the 16 bytes with zero bits.
  input = "${substr(replace(replace(base64sha256(uuid()), "+", "-"), "/", "_"), 0, 21)}A"

  lifecycle {
    ignore_changes = [input]
  }
}

locals {
  server_id = coalesce(var.server_id, terraform_data.server_id.output)
}
