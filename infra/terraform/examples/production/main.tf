# A deployment for a team: data in two places, a month of backups, closed registration, alerts, a
# budget, and the state in a bucket of its own.
#
#   terraform init -backend-config=bucket=my-terraform-state
#   terraform apply -var-file=production.tfvars

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 8.7.0, < 9.0.0"
    }
  }

  # The state holds no secret, but whoever can write it can have Terraform delete things.
  backend "gcs" {
    prefix = "sopor"
  }
}

variable "project_id" {
  description = "Id of a Google Cloud project of its own, with billing."
  type        = string
}

variable "billing_account" {
  description = "The billing account that the budget is set on."
  type        = string
}

variable "alert_emails" {
  description = "Who is told when something is wrong."
  type        = list(string)
}

variable "databases" {
  description = "Firestore databases, the one in use last; a restore appends to them."
  type        = list(string)
  default     = ["sopor"]
}

provider "google" {
  project = var.project_id
  region  = "europe-west3"

  # The budget's interface counts its calls to a project; let it be this one.
  user_project_override = true
  billing_project       = var.project_id
}

module "sopor" {
  source = "../.."

  project_id         = var.project_id
  region             = "europe-west3"
  firestore_location = "eur3"
  bucket_location    = "EU"
  databases          = var.databases
  restore_days       = 30
  max_instances      = 20
  events             = { max_instances = 3 }

  server = {
    quota_bytes  = 107374182400
    registration = "closed"
  }

  alert_emails = var.alert_emails
  budget = {
    billing_account = var.billing_account
    amount          = 50
  }

  labels = { environment = "production" }
}

output "url" {
  description = "Address of the server, for `sopor register --server`."
  value       = module.sopor.url
}

output "server_id" {
  description = "The id that devices pin; note it."
  value       = module.sopor.server_id
}
