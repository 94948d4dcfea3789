# -------------------------------------------------------------------------------------- place

variable "project_id" {
  description = "Id of the Google Cloud project; a project of its own for Sopor is best."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be a project's id (6 to 30 lower-case letters, digits and hyphens), not its name or number; `gcloud projects list` shows it in the column PROJECT_ID."
  }
}

variable "region" {
  description = "Region of functions, scheduler and images, and of all data unless told otherwise."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "region must be one region such as europe-west3, not a zone (europe-west3-a) and not a multi-region (EU); `gcloud functions regions list` shows them."
  }
}

variable "firestore_location" {
  description = "Where Firestore keeps the metadata: a region, or nam5, nam7 or eur3; the region by default. It can never be changed."
  type        = string
  default     = null

  validation {
    condition     = var.firestore_location == null || can(regex("^([a-z]+-[a-z]+[0-9]{1,2}|nam5|nam7|eur3)$", var.firestore_location))
    error_message = "firestore_location must be a region such as europe-west3 or one of the multi-regions nam5, nam7, eur3; `gcloud firestore locations list` shows them. Choose well: a database cannot be moved."
  }
}

variable "bucket_location" {
  description = "Where Cloud Storage keeps the packs: a region, a dual-region (EUR4, NAM4, ...) or EU, US or ASIA; the region by default. It can never be changed."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_location == null || can(regex("^([A-Za-z]+-[A-Za-z]+[0-9]{1,2}|(?i:EU|US|ASIA|ASIA1|EUR4|EUR5|EUR7|EUR8|NAM4))$", var.bucket_location))
    error_message = "bucket_location must be a region such as europe-west3, a dual-region such as EUR4, or one of EU, US, ASIA."
  }
}

variable "name" {
  description = "Prefix of everything that this module creates; two deployments in one project need two names."
  type        = string
  default     = "sopor"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,14}[a-z0-9]$", var.name))
    error_message = "name must have 4 to 16 lower-case letters, digits and hyphens, and begin with a letter: it is part of the names of service accounts, which end at 30."
  }
}

variable "labels" {
  description = "Labels for everything that can bear them."
  type        = map(string)
  default     = {}
}

# --------------------------------------------------------------------------------------- code

variable "source_archive" {
  description = "The archive to deploy, as scripts/build_source.py makes it; the one in the module's folder by default."
  type        = string
  default     = null

  validation {
    condition     = fileexists(coalesce(var.source_archive, "${path.module}/build/functions.zip"))
    error_message = "There is no archive to deploy; run `python3 infra/terraform/scripts/build_source.py`, or give source_archive its path."
  }
}

# ------------------------------------------------------------------------------------- access

variable "public" {
  description = "May anybody on the internet reach the functions `api` and `events`? Without it, a caller needs the role run.invoker, which clients do not have."
  type        = bool
  default     = true
}

variable "behind_load_balancer" {
  description = "Take requests to `api` and `events` from an external Application Load Balancer of yours only, for an own domain or Cloud Armor."
  type        = bool
  default     = false
}

# ------------------------------------------------------------------------------------- limits

variable "max_instances" {
  description = "Most instances of `api` at once: the ceiling of what a flood can cost."
  type        = number
  default     = 10

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances must be a whole number from 1 to 100. Each instance works on 16 requests at once, so 10 serve some hundred pushes a second."
  }
}

variable "events" {
  description = <<-EOT
    Streams of events: max_instances of the function `events` (each holds up to 960 streams), quiet after how many seconds without news a stream ends and
    its client polls (0: never, which lets an instance run as long as anybody listens), url the address at which clients reach it, if not Cloud Run's own: behind a load balancer yours, which must
    send `/v1/events` there.
  EOT
  type = object({
    max_instances = optional(number, 5)
    quiet         = optional(number, 120)
    url           = optional(string)
  })
  default = {}

  validation {
    condition     = var.events.max_instances >= 1 && var.events.max_instances <= 100 && floor(var.events.max_instances) == var.events.max_instances
    error_message = "events.max_instances must be a whole number from 1 to 100; each holds up to 960 streams."
  }

  validation {
    condition     = var.events.quiet >= 0 && floor(var.events.quiet) == var.events.quiet
    error_message = "events.quiet must be whole seconds, or 0 for streams that never end for silence."
  }

  validation {
    condition     = var.events.url == null ? true : can(regex("^https://[^\\s/?#@]+$", var.events.url))
    error_message = "events.url must be an https:// address without a path, such as https://sopor.example.com; clients ask it for /v1/events."
  }
}

variable "server" {
  description = <<-EOT
    Settings of the server: quota_bytes, quota_seats and quota_projects are the most that one organization may have (0: no
    limit), license_key the public key of licenses that give an organization other limits (the README tells), registration `open` or `closed`, login_rate the requests to log in or register from one address in a minute, trusted_proxies how many proxies append to
    X-Forwarded-For (1: Google's own; 2 with a load balancer), log `info`, `warning` or `off`.
  EOT
  type = object({
    quota_bytes     = optional(number, 10737418240)
    quota_seats     = optional(number, 0)
    quota_projects  = optional(number, 0)
    license_key     = optional(string, "")
    registration    = optional(string, "open")
    login_rate      = optional(number, 600)
    trusted_proxies = optional(number)
    log             = optional(string, "info")
  })
  default = {}

  validation {
    condition     = var.server.quota_bytes >= 0 && floor(var.server.quota_bytes) == var.server.quota_bytes
    error_message = "server.quota_bytes must be a whole number of bytes, or 0 for no limit."
  }

  validation {
    condition     = alltrue([for limit in [var.server.quota_seats, var.server.quota_projects] : limit >= 0 && floor(limit) == limit])
    error_message = "server.quota_seats and server.quota_projects must be whole numbers, or 0 for no limit."
  }

  validation {
    condition     = var.server.license_key == "" || can(regex("^[A-Za-z0-9_-]{43}$", var.server.license_key))
    error_message = "server.license_key must be the 43 characters after SOPOR_LICENSE_KEY= that `sopor-server license new-key` prints."
  }

  validation {
    condition     = contains(["open", "closed"], var.server.registration)
    error_message = "server.registration must be open (anybody may register) or closed; register your own accounts first, then close it."
  }

  validation {
    condition     = var.server.login_rate >= 1 && floor(var.server.login_rate) == var.server.login_rate
    error_message = "server.login_rate must be a whole number of requests a minute, at least 1."
  }

  validation {
    condition     = var.server.trusted_proxies == null ? true : contains([0, 1, 2, 3], var.server.trusted_proxies)
    error_message = "server.trusted_proxies must be 0 to 3; leave it out unless further proxies of yours stand in front."
  }

  validation {
    condition     = contains(["info", "warning", "off"], var.server.log)
    error_message = "server.log must be info, warning (failures only) or off. The alerts on refusals need info."
  }
}

variable "sign_on" {
  description = <<-EOT
    Single sign-on at an OpenID issuer; none by default. mode is `required` (everybody) or `optional` (who has once), issuer the address as the
    issuer names itself, client_id a public client for desktop programs with the redirect http://127.0.0.1/callback on any port, domains those of the
    e-mail addresses that may sign on, or ["*"]. client_secret is for issuers that ask desktop programs for one (Google): every client is told it, so it is no secret.
    port is for issuers that want to know the redirect's port, max_age how many seconds old an ID token may be.
  EOT
  type = object({
    mode          = string
    issuer        = string
    client_id     = string
    domains       = list(string)
    client_secret = optional(string)
    port          = optional(number, 0)
    max_age       = optional(number, 300)
  })
  default = null

  validation {
    condition     = var.sign_on == null ? true : contains(["optional", "required"], var.sign_on.mode)
    error_message = "sign_on.mode must be optional or required; leave sign_on out for none."
  }

  validation {
    condition     = var.sign_on == null ? true : can(regex("^https://[^\\s?#@]+$", var.sign_on.issuer)) && length(var.sign_on.client_id) > 0
    error_message = "sign_on.issuer must be the issuer's https:// address as its discovery document names it, with client_id the client registered there."
  }

  validation {
    condition     = var.sign_on == null ? true : length(var.sign_on.domains) > 0 && alltrue([for domain in var.sign_on.domains : can(regex("^([a-z0-9-]+\\.)+[a-z0-9-]+$", domain)) || var.sign_on.domains == tolist(["*"])])
    error_message = "sign_on.domains must be domains in lower case, such as [\"example.com\"], or [\"*\"] for everybody whom the issuer knows; at a public issuer that is the whole world."
  }

  validation {
    condition     = var.sign_on == null ? true : var.sign_on.port >= 0 && var.sign_on.port <= 65535 && floor(var.sign_on.port) == var.sign_on.port && var.sign_on.max_age >= 1 && floor(var.sign_on.max_age) == var.sign_on.max_age
    error_message = "sign_on.port must be a port or 0 for any, sign_on.max_age whole seconds, at least 1."
  }
}

# -------------------------------------------------------------------------------------- safety

variable "databases" {
  description = "Ids of the Firestore databases, the last one in use; one that has the module's name by default. A restore appends to this list."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.databases : can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", id))]) && length(distinct(var.databases)) == length(var.databases)
    error_message = "databases must be different ids of 4 to 63 lower-case letters, digits and hyphens, each beginning with a letter, the one to use last."
  }
}

variable "restore_days" {
  description = "For how many days back everything can be restored: retention of backups, and of deleted packs. Point-in-time recovery covers the last 7."
  type        = number
  default     = 7

  validation {
    condition     = var.restore_days >= 7 && var.restore_days <= 89 && floor(var.restore_days) == var.restore_days
    error_message = "restore_days must be a whole number from 7 (what the housekeeping relies on) to 89 (Cloud Storage keeps deleted objects for 90 days at most)."
  }
}

variable "audit_logs" {
  description = "Log who reads or writes packs, documents and the secret. The setting is the project's: of two deployments in one project, one sets it."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Keep Terraform from deleting database, bucket and secret; false only to take everything down."
  type        = bool
  default     = true
}

variable "server_id" {
  description = "The id that devices pin (base64url of 16 bytes): give the old one to move a server here, else one is made and kept in the state."
  type        = string
  default     = null

  validation {
    condition     = var.server_id == null || can(regex("^[A-Za-z0-9_-]{21}[AQgw]$", var.server_id))
    error_message = "server_id must be 16 bytes as base64url without padding (22 characters), as `server.json` of a single machine and the output server_id show it."
  }
}

variable "secret_version" {
  description = "Raise it to give the server a new secret: sessions go on, access tokens of the last 15 minutes are renewed."
  type        = number
  default     = 1

  validation {
    condition     = var.secret_version >= 1 && floor(var.secret_version) == var.secret_version
    error_message = "secret_version must be a whole number from 1 on; raise it by one for a new secret."
  }
}

variable "kms_key_name" {
  description = "Cloud KMS key that encrypts database, packs, secret, source and images; Google's own keys by default."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_name == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key_name))
    error_message = "kms_key_name must be projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY; `gcloud kms keys list --location REGION --keyring RING` shows it."
  }

  validation {
    condition     = var.kms_key_name == null ? true : try(split("/", var.kms_key_name)[3], "") == var.region
    error_message = "kms_key_name must be a key in the region of the deployment: functions and images take no other. Create one there with `gcloud kms keys create`."
  }

  validation {
    condition = var.kms_key_name == null ? true : alltrue([
      for location in [var.firestore_location, var.bucket_location] : lower(coalesce(location, var.region)) == var.region
    ])
    error_message = "With kms_key_name all data must be in one region, where the key is; leave out firestore_location and bucket_location."
  }
}

# ------------------------------------------------------------------------------------- watching

variable "alert_emails" {
  description = "Who is told when something is wrong. Without anybody there are no alert policies, as each costs a little every month."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alert_emails must be mail addresses, such as [\"ops@example.com\"]."
  }
}

variable "budget" {
  description = "Monthly budget of the project, for which alert_emails and the billing administrators are told at 50, 90 and 100 %; none by default, as it needs a right on the billing account."
  type = object({
    billing_account = string
    amount          = number
    currency        = optional(string)
  })
  default = null

  validation {
    condition     = var.budget == null ? true : can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account must look like 012345-6789AB-CDEF01; `gcloud billing accounts list` shows it in the column ACCOUNT_ID."
  }

  validation {
    condition     = var.budget == null ? true : var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount
    error_message = "budget.amount must be a whole number of currency units, at least 1."
  }
}
