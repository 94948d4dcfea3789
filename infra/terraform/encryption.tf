# With a key of one's own, Google's services encrypt and decrypt with it in one's name. Each has a
# service agent; README.md tells how to make those exist before the first apply.

locals {
  service_agents = {
    artifact_registry = "gcp-sa-artifactregistry"
    cloud_functions   = "gcf-admin-robot"
    cloud_run         = "serverless-robot-prod"
    firestore         = "gcp-sa-firestore"
    secret_manager    = "gcp-sa-secretmanager"
    storage           = "gs-project-accounts"
  }
}

resource "google_kms_crypto_key_iam_member" "service_agent" {
  for_each = var.kms_key_name == null ? {} : local.service_agents

  crypto_key_id = var.kms_key_name
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${data.google_project.this.number}@${each.value}.iam.gserviceaccount.com"

  depends_on = [google_project_service.this]
}
