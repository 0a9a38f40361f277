resource "aws_cloudwatch_event_rule" "reddit_ingestion_schedule" {
  name                = local.rule_name
  description         = "Runs ${local.function_name}"
  schedule_expression = var.schedule_expression
}

resource "aws_cloudwatch_event_target" "reddit_ingestion_target" {
  rule      = aws_cloudwatch_event_rule.reddit_ingestion_schedule.name
  target_id = "reddit-ingestion"
  arn       = aws_lambda_function.reddit_ingestion.arn
  input     = jsonencode({}) # an incremental run; the schedule's own envelope says nothing that the function needs

  # After an hour the next run reads what this one would have.
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 10
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  # The first tick finds both doors open.
  depends_on = [
    aws_lambda_permission.allow_events_to_invoke_reddit_ingestion,
    aws_sqs_queue_policy.dead_letters,
  ]
}

resource "aws_lambda_permission" "allow_events_to_invoke_reddit_ingestion" {
  statement_id  = "AllowScheduleToInvoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.reddit_ingestion.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.reddit_ingestion_schedule.arn
}
