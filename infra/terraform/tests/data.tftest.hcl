# Promise: what is lost can be brought back for as many days as restore_days says.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id     = "my-project"
  region         = "europe-west3"
  source_archive = "tests/fixtures/archive"
}

run "everything_is_kept_for_a_week" {
  command = plan

  assert {
    condition     = keys(google_firestore_database.this) == ["sopor"] && google_firestore_database.this["sopor"].type == "FIRESTORE_NATIVE" && google_firestore_database.this["sopor"].location_id == "europe-west3"
    error_message = "The database is not the named, native one in the region."
  }

  assert {
    condition     = google_firestore_database.this["sopor"].delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.this["sopor"].deletion_policy == "PREVENT"
    error_message = "The database can be deleted."
  }

  assert {
    condition     = google_firestore_database.this["sopor"].point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "The last 7 days cannot be restored to the minute."
  }

  assert {
    condition     = google_firestore_backup_schedule.daily["sopor"].retention == "604800s" && length(google_firestore_backup_schedule.daily["sopor"].daily_recurrence) == 1
    error_message = "There is no daily backup, or it is not kept for 7 days."
  }

  assert {
    condition     = google_storage_bucket.packs.soft_delete_policy[0].retention_duration_seconds == 8 * 86400
    error_message = "A pack deleted now cannot be brought back for 7 days."
  }
}

run "what_expires_is_deleted_and_what_is_not_asked_for_is_not_indexed" {
  command = plan

  assert {
    condition     = [for name, f in google_firestore_field.this : name if length(f.ttl_config) > 0] == ["sopor/challenges/expires", "sopor/live/expires"]
    error_message = "Something else expires, or answered challenges or notes of presence stay for good."
  }

  assert {
    condition = {
      for name, f in google_firestore_field.this : name => [for i in f.index_config[0].indexes : coalesce(i.order, i.array_config)]
      if length(f.index_config[0].indexes) > 0
      } == {
      "sopor/devices/live"         = ["ASCENDING"]
      "sopor/pack_groups/packs"    = ["CONTAINS"]
      "sopor/projects/org"         = ["ASCENDING"]
      "sopor/projects/to_erase"    = ["ASCENDING"]
      "sopor/push_entries/commits" = ["CONTAINS"]
      "sopor/push_entries/packs"   = ["CONTAINS"]
    }
    error_message = "The indexes are others than the server's queries need."
  }

  assert {
    condition     = toset([for f in google_firestore_field.this : f.collection if f.field == "*"]) == toset(local.firestore_collections)
    error_message = "A collection indexes every field."
  }
}

run "packs_outlive_every_backup" {
  command = plan

  variables {
    restore_days = 30
  }

  assert {
    condition     = google_firestore_backup_schedule.daily["sopor"].retention == "2592000s"
    error_message = "Backups are not kept for restore_days."
  }

  assert {
    condition     = google_storage_bucket.packs.soft_delete_policy[0].retention_duration_seconds == 31 * 86400
    error_message = "A backup could name packs that are gone for good."
  }

  assert {
    condition     = google_storage_bucket.packs.force_destroy == false && google_storage_bucket.packs.deletion_policy == "PREVENT"
    error_message = "The packs can be deleted with their bucket."
  }

  assert {
    condition     = [for r in google_storage_bucket.packs.lifecycle_rule : [for a in r.action : a.type]] == [["AbortIncompleteMultipartUpload"]]
    error_message = "A rule of the bucket deletes more than the rests of broken uploads."
  }
}

run "data_can_be_in_two_places" {
  command = plan

  variables {
    firestore_location = "eur3"
    bucket_location    = "eu"
  }

  assert {
    condition     = google_firestore_database.this["sopor"].location_id == "eur3" && google_storage_bucket.packs.location == "EU"
    error_message = "The data is not where it was asked for."
  }

  assert {
    condition     = google_storage_bucket.source.location == "EUROPE-WEST3"
    error_message = "The source must be where the functions are."
  }
}

run "a_restored_database_is_used_and_the_old_one_kept" {
  command = plan

  variables {
    databases = ["sopor", "sopor-restored"]
  }

  assert {
    condition     = toset(keys(google_firestore_database.this)) == toset(["sopor", "sopor-restored"])
    error_message = "A database is missing."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.this : f.service_config[0].environment_variables["SOPOR_DATABASE"] == "sopor-restored"])
    error_message = "A function does not use the last database."
  }

  assert {
    condition     = alltrue([for m in google_project_iam_member.documents : m.condition[0].expression == "resource.name == \"projects/my-project/databases/sopor-restored\""])
    error_message = "The right to use documents did not move to the last database."
  }

  assert {
    condition     = toset(keys(google_firestore_backup_schedule.daily)) == toset(["sopor", "sopor-restored"]) && length(google_firestore_field.this) == 2 * length(local.firestore_fields)
    error_message = "The restored database lacks backups or fields."
  }
}

run "protection_can_be_lifted_to_take_all_down" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = google_firestore_database.this["sopor"].delete_protection_state == "DELETE_PROTECTION_DISABLED" && google_storage_bucket.packs.deletion_policy == "DELETE" && google_secret_manager_secret.server.deletion_policy == "DELETE"
    error_message = "Something is protected still."
  }
}
