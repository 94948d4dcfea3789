# The functions. All are built from the one archive and differ in entry point, account and limits; a
# further one is a further element of this map, and of `permissions` in iam.tf.

locals {
  functions = {
    api = {
      description = "Sopor's HTTP interface"
      ingress     = var.behind_load_balancer ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL"
      # A push of 8 MiB is in memory about three times over while it is checked: 16 at once fit.
      memory        = "1Gi"
      cpu           = "1"
      concurrency   = 16
      max_instances = var.max_instances
      # Long enough for 8 MiB over a slow line.
      timeout = 300
      environment = merge(local.storage_environment, local.sign_on_environment, local.events_environment, {
        # The framework starts as many threads as requests may come at once.
        THREADS               = "16"
        SOPOR_SERVER_ID       = local.server_id
        SOPOR_QUOTA_BYTES     = tostring(var.server.quota_bytes)
        SOPOR_QUOTA_SEATS     = tostring(var.server.quota_seats)
        SOPOR_QUOTA_PROJECTS  = tostring(var.server.quota_projects)
        SOPOR_LICENSE_KEY     = var.server.license_key
        SOPOR_REGISTRATION    = var.server.registration
        SOPOR_LOGIN_RATE      = tostring(var.server.login_rate)
        SOPOR_TRUSTED_PROXIES = local.trusted_proxies
      })
      secrets = { SOPOR_SERVER_SECRET = google_secret_manager_secret_version.server.version }
    }
    events = {
      description = "Tells clients what happens in their projects, as soon as it does"
      ingress     = var.behind_load_balancer ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL"
      # Streams are small; polls of 8 MiB are answered here as well, by few threads.
      memory = "1Gi"
      cpu    = "1"
      # As many as Cloud Run lets one instance have. Some are left for polls and refusals.
      concurrency   = 1000
      max_instances = var.events.max_instances
      # A stream may last as long as Cloud Run lets it; its access token ends it before.
      timeout = 3600
      environment = merge(local.storage_environment, local.events_environment, {
        FUNCTION_USE_ASGI     = "true"
        SOPOR_EVENTS_STREAMS  = "960"
        SOPOR_SERVER_ID       = local.server_id
        SOPOR_TRUSTED_PROXIES = local.trusted_proxies
      })
      secrets = { SOPOR_SERVER_SECRET = google_secret_manager_secret_version.server.version }
    }
    housekeeping = {
      description = "Removes what nothing needs any more"
      # The scheduler of the same project counts as internal.
      ingress = "ALLOW_INTERNAL_ONLY"
      memory  = "512Mi"
      cpu     = "1"
      # One run at a time.
      concurrency   = 1
      max_instances = 1
      timeout       = 1800
      environment   = merge(local.storage_environment, { THREADS = "1", SOPOR_RESTORE_DAYS = tostring(var.restore_days) })
      secrets       = {}
    }
  }

  storage_environment = {
    GOOGLE_CLOUD_PROJECT = var.project_id
    SOPOR_DATABASE       = local.database
    SOPOR_BUCKET         = google_storage_bucket.packs.name
    SOPOR_LOG            = var.server.log
  }

  trusted_proxies = tostring(coalesce(var.server.trusted_proxies, var.behind_load_balancer ? 2 : 1))

  # `api` tells clients where streams are. It could not ask `events`, which is made of the same map;
  # Cloud Run's address of a service follows from its name. Behind a load balancer nobody reaches
  # that one, so without an address of yours there are only polls, which `api` answers.
  events_address = var.behind_load_balancer ? null : "https://${var.name}-events-${data.google_project.this.number}.${var.region}.run.app"
  events_url     = var.events.url != null ? var.events.url : local.events_address
  events_environment = merge(
    { SOPOR_EVENTS_QUIET = tostring(var.events.quiet) },
    local.events_url == null ? {} : { SOPOR_EVENTS_URL = local.events_url },
  )
}

# The client secret of a desktop program is told to every client (RFC 8252, section 8.5), so it may
# stand here.
locals {
  sign_on_environment = var.sign_on == null ? {} : {
    for name, value in {
      SOPOR_SSO               = var.sign_on.mode
      SOPOR_SSO_ISSUER        = var.sign_on.issuer
      SOPOR_SSO_CLIENT_ID     = var.sign_on.client_id
      SOPOR_SSO_CLIENT_SECRET = var.sign_on.client_secret
      SOPOR_SSO_DOMAINS       = join(",", var.sign_on.domains)
      SOPOR_SSO_PORT          = tostring(var.sign_on.port)
      SOPOR_SSO_MAX_AGE       = tostring(var.sign_on.max_age)
    } : name => value if value != null
  }
}

resource "google_cloudfunctions2_function" "this" {
  # checkov:skip=CKV_GCP_124:`api` and `events` are for clients everywhere; what else there is takes internal traffic only
  for_each = local.functions

  project      = var.project_id
  location     = var.region
  name         = "${var.name}-${each.key}"
  description  = each.value.description
  kms_key_name = var.kms_key_name
  labels       = local.labels

  build_config {
    runtime           = "python313"
    entry_point       = each.key
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id

    source {
      storage_source {
        bucket     = google_storage_bucket_object.source.bucket
        object     = google_storage_bucket_object.source.name
        generation = google_storage_bucket_object.source.generation
      }
    }

    automatic_update_policy {}
  }

  service_config {
    # Nobody there, nothing to pay.
    min_instance_count               = 0
    max_instance_count               = each.value.max_instances
    max_instance_request_concurrency = each.value.concurrency
    available_memory                 = each.value.memory
    available_cpu                    = each.value.cpu
    timeout_seconds                  = each.value.timeout
    ingress_settings                 = each.value.ingress
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.function[each.key].email

    environment_variables = each.value.environment

    dynamic "secret_environment_variables" {
      for_each = each.value.secrets
      content {
        key        = secret_environment_variables.key
        project_id = var.project_id
        secret     = google_secret_manager_secret.server.secret_id
        version    = secret_environment_variables.value
      }
    }
  }

  # A deployment must find the rights that its build and its first start need.
  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_kms_crypto_key_iam_member.service_agent,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_source,
    google_project_service.this,
    google_secret_manager_secret_iam_member.function,
  ]
}
