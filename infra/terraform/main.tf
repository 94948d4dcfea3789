# Sopor's backend on Google Cloud: functions that sleep when nobody uses them, Firestore for the logs,
# Cloud Storage for the packs. Everything that it stores is ciphertext or signed, so nothing here is
# a key to contents. README.md tells how to use this module.

data "google_project" "this" {
  project_id = var.project_id
}

locals {
  labels = merge({ app = "sopor", deployment = var.name }, var.labels)

  firestore_location = coalesce(var.firestore_location, var.region)
  bucket_location    = upper(coalesce(var.bucket_location, var.region))

  databases = length(var.databases) > 0 ? var.databases : [var.name]
  database  = local.databases[length(local.databases) - 1]

  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"
}
