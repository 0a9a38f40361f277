# One screen for the question "is it collecting?". From top to bottom: what arrived, what is missing, the function.

locals {
  per_subreddit = {
    for title, metric in { "New submissions" = "NewSubmissions", "New comments" = "NewComments" } : title => [
      for name in local.subreddits :
      [local.metrics_namespace, metric, "Environment", var.environment, "Subreddit", name, { label = name }]
    ]
  }

  windows_seen = [
    for name in local.subreddits :
    [local.metrics_namespace, "WindowsSeen", "Environment", var.environment, "Subreddit", name, { label = "seen: ${name}" }]
  ]
  windows_not_seen = [
    for label, metric in { "with gaps" = "WindowsWithGaps", "blocked" = "WindowsBlocked", "failed" = "WindowsFailed" } :
    [local.metrics_namespace, metric, "Environment", var.environment, { label = label }]
  ]

  graphs = [
    { title = "New submissions an hour", period = 3600, metrics = local.per_subreddit["New submissions"] },
    { title = "New comments an hour", period = 3600, metrics = local.per_subreddit["New comments"] },
    { title = "Windows an hour", period = 3600, metrics = concat(local.windows_seen, local.windows_not_seen) },
    {
      title   = "Requests to Reddit an hour"
      period  = 3600
      metrics = [[local.metrics_namespace, "RedditRequests", "Environment", var.environment, { label = "requests" }]]
    },
    {
      title   = "Duration of a run (ms; it is stopped after ${var.timeout_seconds * 1000})"
      period  = 300
      metrics = [["AWS/Lambda", "Duration", "FunctionName", local.function_name, { label = "longest", stat = "Maximum" }]]
    },
    {
      title  = "Errors, throttles, dead letters"
      period = 300
      metrics = [
        ["AWS/Lambda", "Errors", "FunctionName", local.function_name, { label = "errors" }],
        ["AWS/Lambda", "Throttles", "FunctionName", local.function_name, { label = "throttles" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.queue_name, { label = "dead letters", stat = "Maximum" }],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "reddit_ingestion" {
  dashboard_name = "${local.name_prefix}-reddit-ingestion"

  dashboard_body = jsonencode({
    start = "-P3D"
    widgets = concat(
      [
        for place, graph in local.graphs : {
          type   = "metric"
          x      = place % 2 * 12
          y      = floor(place / 2) * 6
          width  = 12
          height = 6
          properties = {
            title   = graph.title
            region  = local.region
            stat    = "Sum"
            period  = graph.period
            view    = "timeSeries"
            metrics = graph.metrics
            yAxis   = { left = { min = 0 } }
          }
        }
      ],
      [
        {
          type   = "log"
          x      = 0
          y      = ceil(length(local.graphs) / 2) * 6
          width  = 24
          height = 8
          properties = {
            title  = "Warnings and errors"
            region = local.region
            view   = "table"
            query = join(" | ", [
              "SOURCE '${local.log_group_name}'",
              "fields @timestamp, level, message",
              "filter level in ['WARN', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL']",
              "sort @timestamp desc",
              "limit 100",
            ])
          }
        },
      ],
    )
  })
}
