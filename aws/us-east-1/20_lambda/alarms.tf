# Alarms always exist; they write to somebody when alarm_email is set.

locals {
  alarm_prefix  = "${local.name_prefix}-reddit-ingestion"
  alarm_actions = aws_sns_topic.alarms[*].arn
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.alarm_prefix}-errors"
  alarm_description   = "A run of the ingestion function failed; see docs/operations.md#alarm-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.reddit_ingestion.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

# No figures are as bad as zeros: a function that does not run publishes none. So this one is on from the deployment
# until the first window.
resource "aws_cloudwatch_metric_alarm" "no_window" {
  for_each = toset(local.subreddits)

  alarm_name          = "${local.alarm_prefix}-no-window-${each.key}"
  alarm_description   = "No hour of r/${each.key} was read as a whole for 3 hours; see docs/operations.md#alarm-no-window"
  namespace           = local.metrics_namespace
  metric_name         = "WindowsSeen"
  dimensions          = { Environment = var.environment, Subreddit = each.key }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "gaps" {
  alarm_name          = "${local.alarm_prefix}-gaps"
  alarm_description   = "An hour was read in part and the source will never show the rest; see docs/operations.md#alarm-gaps"
  namespace           = local.metrics_namespace
  metric_name         = "WindowsWithGaps"
  dimensions          = { Environment = var.environment }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "blocked" {
  alarm_name          = "${local.alarm_prefix}-blocked"
  alarm_description   = "A subreddit is private, banned, quarantined or gone; see docs/operations.md#alarm-blocked"
  namespace           = local.metrics_namespace
  metric_name         = "WindowsBlocked"
  dimensions          = { Environment = var.environment }
  statistic           = "Sum"
  period              = 3600 # as often as the function runs: the alarm stays on while the trouble lasts
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${local.alarm_prefix}-dead-letters"
  alarm_description   = "An event was given up after all its retries; see docs/operations.md#alarm-dead-letters"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

# Not encrypted at rest: CloudWatch cannot publish to a topic with the AWS-managed key, and an alarm tells no secret.
resource "aws_sns_topic" "alarms" {
  count = var.alarm_email == null ? 0 : 1

  name = "${local.alarm_prefix}-alarms"
}

data "aws_iam_policy_document" "alarms_topic" {
  count = length(aws_sns_topic.alarms)

  statement {
    sid       = "AllowAlarms"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${local.alarm_prefix}-*"]
    }
  }

  statement {
    sid       = "DenyPlainHttp"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  count = length(aws_sns_topic.alarms)

  arn    = aws_sns_topic.alarms[0].arn
  policy = data.aws_iam_policy_document.alarms_topic[0].json
}

resource "aws_sns_topic_subscription" "alarms" {
  count = length(aws_sns_topic.alarms)

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
