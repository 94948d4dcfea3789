locals {
  of_database = "monitored_resource=\"firestore.googleapis.com/Database\",database_id=\"${local.database}\""
  of_bucket   = "monitored_resource=\"gcs_bucket\",bucket_name=\"${google_storage_bucket.packs.name}\""

  charts = [
    {
      title = "Requests a second, by class of answer"
      query = "sum by (response_code_class) (rate(${local.requests}{${local.of_both}}[5m]))"
    },
    {
      title = "Milliseconds within which 95 % are answered"
      query = "histogram_quantile(0.95, sum by (le) (rate(${local.latencies}{${local.of_api}}[5m])))"
    },
    {
      title = "Instances, by function and state"
      query = "sum by (service_name, state) (${local.instances}{${local.of_both}})"
    },
    {
      title = "Streams and polls at once on an instance of events, at most"
      query = "histogram_quantile(0.99, sum by (le) (rate(run_googleapis_com:container_max_request_concurrencies_bucket{${local.of_events}}[5m])))"
    },
    {
      title = "Refused requests, by problem"
      query = "sum by (problem) (increase(${local.refusals}{${local.of_both}}[5m]))"
    },
    {
      title = "Documents read a second"
      query = "sum(rate(firestore_googleapis_com:document_read_ops_count{${local.of_database}}[5m]))"
    },
    {
      title = "Documents written a second"
      query = "sum(rate(firestore_googleapis_com:document_write_ops_count{${local.of_database}}[5m]))"
    },
    {
      title = "Bytes of packs, deleted ones by type"
      query = "sum by (type) (storage_googleapis_com:storage_v2_total_bytes{${local.of_bucket}})"
    },
    {
      title = "Calls of Cloud Storage a second, by method"
      query = "sum by (method) (rate(storage_googleapis_com:api_request_count{${local.of_bucket}}[5m]))"
    },
  ]
}

resource "google_monitoring_dashboard" "this" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Sopor (${var.name})"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in local.charts : {
          xPos   = index % 2 * 24
          yPos   = floor(index / 2) * 16
          width  = 24
          height = 16
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                targetAxis      = "Y1"
                timeSeriesQuery = { prometheusQuery = chart.query }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_project_service.this]
}
