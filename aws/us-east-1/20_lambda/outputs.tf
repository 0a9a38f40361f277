output "function_name" {
  description = "Name of the ingestion function, for `aws lambda invoke` and `market-opinion backfill --function`."
  value       = aws_lambda_function.reddit_ingestion.function_name
}

output "function_arn" {
  description = "ARN of the ingestion function."
  value       = aws_lambda_function.reddit_ingestion.arn
}

output "runs_table_name" {
  description = "Name of the table that holds the history of runs."
  value       = aws_dynamodb_table.reddit_ingestion_runs.name
}

output "schedule_rule_name" {
  description = "Name of the rule that runs the function; disable it to pause."
  value       = aws_cloudwatch_event_rule.reddit_ingestion_schedule.name
}

output "dead_letter_queue_url" {
  description = "URL of the queue that keeps events given up after all retries."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letter_queue_arn" {
  description = "ARN of that queue, for the stages whose events end there too."
  value       = local.queue_arn
}

output "alarm_topic_arns" {
  description = "ARN of the topic that alarms write to, in a list; empty without alarm_email."
  value       = local.alarm_actions
}

output "subreddits" {
  description = "Subreddits that are read, in small letters."
  value       = local.subreddits
}

output "log_group_name" {
  description = "Name of the function's log group, for `aws logs tail`."
  value       = aws_cloudwatch_log_group.reddit_ingestion.name
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.reddit_ingestion.dashboard_name
}

output "reading_environment" {
  description = "Environment variables with which `market-opinion --aws` reads this lake from another machine."
  value = {
    LANDING_BUCKET_NAME   = local.landing_bucket_name
    LANDING_BUCKET_PREFIX = local.reddit_prefix
    ENVIRONMENT           = var.environment
    STATE_BASE_PATH       = local.state_base_path
    RUNS_TABLE_NAME       = local.runs_table_name
    METRICS_NAMESPACE     = local.metrics_namespace
    AWS_DEFAULT_REGION    = local.region
  }
}
