# Alarms always exist; they write to the topic of 20_lambda where alarm_email is set.

locals {
  alarm_prefix  = "${local.name_prefix}-reddit-refresh"
  alarm_actions = local.ingestion.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "refresh_errors" {
  alarm_name          = "${local.alarm_prefix}-errors"
  alarm_description   = "A run of the refresh function failed; see docs/operations.md#alarm-refresh-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.reddit_refresh.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

# Every run that finishes publishes the figure, so a day without any is as bad as a day with deletions left undone.
resource "aws_cloudwatch_metric_alarm" "deletions_due" {
  for_each = toset(local.ingestion.subreddits)

  alarm_name          = "${local.alarm_prefix}-deletions-due-${each.key}"
  alarm_description   = "What was deleted in r/${each.key} is not known to be erased after 24 h; see docs/operations.md#alarm-deletions-due"
  namespace           = local.ingestion.reading_environment.METRICS_NAMESPACE
  metric_name         = "DeletionsDue"
  dimensions          = { Environment = var.environment, Subreddit = each.key }
  statistic           = "Minimum"
  period              = 3600
  evaluation_periods  = 24
  datapoints_to_alarm = 24
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}
