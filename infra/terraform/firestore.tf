# The metadata: accounts, devices, organizations, projects and their logs. A restore makes a new
# database beside the old one; append its id to `databases` and import it, as README.md tells.

locals {
  # Firestore would index every field of every document. The server asks for documents by name and by
  # the fields below; the rest is signed or encrypted bytes, whose index entries would cost
  # storage and slow every push. A test compares this with what the server's adapter asks.
  firestore_collections = [
    "accounts",
    "branch_pages",
    "challenges",
    "devices",
    "entry_parts",
    "live",
    "logins",
    "membership_entries",
    "organizations",
    "pack_groups",
    "projects",
    "push_entries",
    "subjects",
  ]

  firestore_fields = concat(
    [for collection in local.firestore_collections : { collection = collection, name = "*" }],
    [
      { collection = "devices", name = "live", order = "ASCENDING" },
      { collection = "pack_groups", name = "packs", array = "CONTAINS" },
      { collection = "projects", name = "org", order = "ASCENDING" },
      { collection = "projects", name = "to_erase", order = "ASCENDING" },
      { collection = "push_entries", name = "commits", array = "CONTAINS" },
      { collection = "push_entries", name = "packs", array = "CONTAINS" },
      # Firestore deletes the note of an answered challenge within a day after it expires.
      { collection = "challenges", name = "expires", ttl = true },
      # So it does with who was present in a project, once nobody has been for some minutes.
      { collection = "live", name = "expires", ttl = true },
    ],
  )

  firestore_fields_of_databases = merge([
    for database in local.databases : {
      for field in local.firestore_fields :
      "${database}/${field.collection}/${field.name}" => merge(field, { database = database })
    }
  ]...)
}

resource "google_firestore_database" "this" {
  for_each = toset(local.databases)

  project     = var.project_id
  name        = each.key
  location_id = local.firestore_location
  type        = "FIRESTORE_NATIVE"

  # Every append is one commit with preconditions; it needs no lock that an idle reader could hold.
  concurrency_mode                  = "OPTIMISTIC"
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = local.deletion_policy

  dynamic "cmek_config" {
    for_each = var.kms_key_name[*]
    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.service_agent]
}

resource "google_firestore_backup_schedule" "daily" {
  for_each = google_firestore_database.this

  project   = var.project_id
  database  = each.value.name
  retention = "${var.restore_days * 86400}s"

  daily_recurrence {}
}

resource "google_firestore_field" "this" {
  for_each = local.firestore_fields_of_databases

  project    = var.project_id
  database   = google_firestore_database.this[each.value.database].name
  collection = each.value.collection
  field      = each.value.name

  # Without a block for an index this means: none.
  index_config {
    dynamic "indexes" {
      for_each = [for index in [each.value] : index if can(index.order) || can(index.array)]
      content {
        query_scope  = "COLLECTION"
        order        = try(indexes.value.order, null)
        array_config = try(indexes.value.array, null)
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []
    content {}
  }
}

# The server comes through IAM, which rules do not concern. Whoever comes through the interface for
# web and mobile apps gets nothing.
resource "google_firebaserules_ruleset" "deny_all" {
  project = var.project_id

  source {
    files {
      name    = "firestore.rules"
      content = file("${path.module}/firestore.rules")
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_firebaserules_release" "deny_all" {
  for_each = google_firestore_database.this

  project      = var.project_id
  name         = "cloud.firestore/${each.value.name}"
  ruleset_name = google_firebaserules_ruleset.deny_all.name
}
