# Whoever touches packs, documents or the secret and is not one of the functions stands in the Cloud
# Audit Logs. The functions are exempt: their requests are in their own logs, and twice would cost.
# These settings hold for the whole project.

resource "google_project_iam_audit_config" "this" {
  for_each = !var.audit_logs ? {} : {
    "storage.googleapis.com"       = [for account in google_service_account.function : account.member]
    "datastore.googleapis.com"     = [for account in google_service_account.function : account.member]
    "secretmanager.googleapis.com" = []
  }

  project = var.project_id
  service = each.key

  dynamic "audit_log_config" {
    for_each = toset(["ADMIN_READ", "DATA_READ", "DATA_WRITE"])
    content {
      log_type         = audit_log_config.value
      exempted_members = each.value
    }
  }
}
