output "function_name" {
  description = "Name of the refresh function, for `aws lambda invoke`."
  value       = aws_lambda_function.reddit_refresh.function_name
}

output "schedule_rule_name" {
  description = "Name of the rule that runs the function; disable it to pause."
  value       = aws_cloudwatch_event_rule.reddit_refresh_schedule.name
}

output "log_group_name" {
  description = "Name of the function's log group, for `aws logs tail`."
  value       = aws_cloudwatch_log_group.reddit_refresh.name
}
