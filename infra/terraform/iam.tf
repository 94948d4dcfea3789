# Who may do what. Every function has an account of its own, and so have the build and the scheduler;
# none has a key, none a basic role, and the default accounts get nothing. Where Google's smallest
# role allows more than is used, the role is ours. A test holds this list to the letter.

locals {
  # What each function may do with the documents of its database and the objects of its bucket.
  permissions = {
    api = {
      documents = [
        "datastore.databases.get",
        "datastore.entities.create",
        "datastore.entities.delete",
        "datastore.entities.get",
        "datastore.entities.list",
        "datastore.entities.update",
      ]
      # It cannot delete packs, nor overwrite one.
      objects = [
        "storage.objects.create",
        "storage.objects.get",
        "storage.objects.list",
      ]
    }
    # It writes nothing, and serves no bytes but those of packs.
    events = {
      documents = [
        "datastore.databases.get",
        "datastore.entities.get",
        "datastore.entities.list",
      ]
      # Who may not list is told of a missing object that it is forbidden.
      objects = [
        "storage.objects.get",
        "storage.objects.list",
      ]
    }
    housekeeping = {
      # It notes groups of packs, and changes numbers in documents that there are; it deletes none.
      documents = [
        "datastore.databases.get",
        "datastore.entities.create",
        "datastore.entities.get",
        "datastore.entities.list",
        "datastore.entities.update",
      ]
      objects = [
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.get",
        "storage.objects.list",
      ]
    }
  }

  role_prefix = replace(var.name, "-", "_")
}

# ----------------------------------------------------------------------------------- accounts

resource "google_service_account" "function" {
  for_each = local.functions

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "Sopor's function ${each.key} (${var.name})"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "${var.name}-build"
  display_name = "Builds the images of Sopor's functions (${var.name})"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "scheduler" {
  project      = var.project_id
  account_id   = "${var.name}-scheduler"
  display_name = "Calls Sopor's housekeeping (${var.name})"

  depends_on = [google_project_service.this]
}

# ------------------------------------------------------------------------------------ Firestore

resource "google_project_iam_custom_role" "documents" {
  for_each = local.functions

  project     = var.project_id
  role_id     = "${local.role_prefix}_${each.key}_documents"
  title       = "Sopor ${each.key}: documents (${var.name})"
  description = "What the function ${each.key} does with the documents of its database."
  permissions = local.permissions[each.key].documents

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "documents" {
  for_each = local.functions

  project = var.project_id
  role    = google_project_iam_custom_role.documents[each.key].id
  member  = google_service_account.function[each.key].member

  condition {
    title       = "only-its-database"
    description = "Databases have no policies of their own, so the project's names the one."
    expression  = "resource.name == \"projects/${var.project_id}/databases/${local.database}\""
  }
}

# --------------------------------------------------------------------------------- Cloud Storage

resource "google_project_iam_custom_role" "objects" {
  for_each = local.functions

  project     = var.project_id
  role_id     = "${local.role_prefix}_${each.key}_objects"
  title       = "Sopor ${each.key}: objects (${var.name})"
  description = "What the function ${each.key} does with packs."
  permissions = local.permissions[each.key].objects

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_iam_member" "objects" {
  for_each = local.functions

  bucket = google_storage_bucket.packs.name
  role   = google_project_iam_custom_role.objects[each.key].id
  member = google_service_account.function[each.key].member
}

# Signed URLs without a key file: `api` asks Google to sign in its own name, and in no other.
resource "google_project_iam_custom_role" "sign" {
  project     = var.project_id
  role_id     = "${local.role_prefix}_sign"
  title       = "Sopor api: sign URLs (${var.name})"
  description = "Signs bytes as a service account, and does nothing else in its name."
  permissions = ["iam.serviceAccounts.signBlob"]

  depends_on = [google_project_service.this]
}

resource "google_service_account_iam_member" "sign" {
  service_account_id = google_service_account.function["api"].name
  role               = google_project_iam_custom_role.sign.id
  member             = google_service_account.function["api"].member
}

# ---------------------------------------------------------------------------------------- secret

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = toset(["api", "events"])

  project   = var.project_id
  secret_id = google_secret_manager_secret.server.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.key].member
}

moved {
  from = google_secret_manager_secret_iam_member.api
  to   = google_secret_manager_secret_iam_member.function["api"]
}

# --------------------------------------------------------------------------------------- callers

# All that is public here: whoever calls must still show the server a token of its own.
resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = toset(var.public ? ["api", "events"] : [])

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.this[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

moved {
  from = google_cloud_run_v2_service_iam_member.public[0]
  to   = google_cloud_run_v2_service_iam_member.public["api"]
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.this["housekeeping"].name
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

# ----------------------------------------------------------------------------------------- build

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# Cloud Functions copies the source into a bucket of its own, which exists only after the first
# deployment; hence the condition on the project instead of a binding on the bucket.
resource "google_project_iam_member" "build_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "only-sources"
    description = "The archive and the copy that Cloud Functions makes of it, never the packs."
    expression = join(" || ", [
      for bucket in [
        google_storage_bucket.source.name,
        "gcf-v2-sources-${data.google_project.this.number}-${var.region}",
      ] : "resource.name.startsWith(\"projects/_/buckets/${bucket}/\")"
    ])
  }
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}
