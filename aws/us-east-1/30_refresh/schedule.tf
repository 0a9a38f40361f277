resource "aws_cloudwatch_event_rule" "reddit_refresh_schedule" {
  name                = "${local.name_prefix}-reddit-refresh-schedule"
  description         = "Runs ${local.function_name}"
  schedule_expression = var.schedule_expression
}

resource "aws_cloudwatch_event_target" "reddit_refresh_target" {
  rule      = aws_cloudwatch_event_rule.reddit_refresh_schedule.name
  target_id = "reddit-refresh"
  arn       = aws_lambda_function.reddit_refresh.arn
  input     = jsonencode({})

  # What one run misses the next one finds: nothing is kept of an event that cannot be handed over in an hour.
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 10
  }

  depends_on = [aws_lambda_permission.allow_events_to_invoke_reddit_refresh]
}

resource "aws_lambda_permission" "allow_events_to_invoke_reddit_refresh" {
  statement_id  = "AllowScheduleToInvoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.reddit_refresh.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.reddit_refresh_schedule.arn
}
