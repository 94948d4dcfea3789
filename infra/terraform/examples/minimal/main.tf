# The smallest deployment: everything in one region, nobody is told of anything. It costs cents.
#
#   terraform init
#   terraform apply -var project_id=my-project

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 8.7.0, < 9.0.0"
    }
  }
}

variable "project_id" {
  description = "Id of an empty Google Cloud project with billing."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "europe-west3"
}

provider "google" {
  project = var.project_id
  region  = var.region
}

module "sopor" {
  source = "../.."

  project_id = var.project_id
  region     = var.region
}

output "url" {
  description = "Address of the server, for `sopor register --server`."
  value       = module.sopor.url
}

output "server_id" {
  description = "The id that devices pin; note it."
  value       = module.sopor.server_id
}
