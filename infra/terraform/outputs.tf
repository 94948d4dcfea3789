output "url" {
  description = "Address of the server, for `sopor register --server`."
  value       = google_cloudfunctions2_function.this["api"].service_config[0].uri
}

output "events_url" {
  description = "Where `api` tells clients that streams of events are; null where there are only polls."
  value       = local.events_url
}

output "server_id" {
  description = "The id that devices pin. Note it: with it a server can be set up anew under the same identity."
  value       = local.server_id
}

output "database" {
  description = "The Firestore database in use."
  value       = local.database
}

output "bucket" {
  description = "The bucket of the packs."
  value       = google_storage_bucket.packs.name
}

output "source_object" {
  description = "The archive that is deployed, named by its SHA-256."
  value       = google_storage_bucket_object.source.name
}

output "service_accounts" {
  description = "The accounts that the functions run as."
  value       = { for name, account in google_service_account.function : name => account.email }
}
