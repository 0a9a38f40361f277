# Plans only, and needs neither an AWS account nor the state of 10_s3 and 20_lambda. The functions' ZIP must exist: give its path with
# -var reddit_ingestion_lambda_package=PATH or by prod.tfvars.

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  prefix            = "tf-"
  name              = "smartphone-compitition"
  owner             = "INFRA_TEAM"
  environment       = "prod"
  region            = "us-east-1"
  ManagedBy         = "TERRAFORM"
  reddit_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit_api-AbCdEf"
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = data.terraform_remote_state.s3
  values = {
    outputs = {
      s3_landing_zone_bucket_id  = "tf-prod-smartcomp-lz"
      s3_landing_zone_bucket_arn = "arn:aws:s3:::tf-prod-smartcomp-lz"
    }
  }
}

override_data {
  target = data.terraform_remote_state.lambda
  values = {
    outputs = {
      runs_table_name       = "reddit-ingestion-runs"
      dead_letter_queue_arn = "arn:aws:sqs:us-east-1:123456789012:tf-prod-smartcomp-reddit-ingestion-dead-letters"
      alarm_topic_arns      = ["arn:aws:sns:us-east-1:123456789012:alarms"]
      subreddits            = ["android", "iphone"]
      reading_environment = {
        LANDING_BUCKET_PREFIX = "reddit/"
        METRICS_NAMESPACE     = "RedditIngestion"
      }
    }
  }
}

# Known in the plan, so that what refers to it is too.
override_resource {
  target          = aws_cloudwatch_event_rule.reddit_refresh_schedule
  override_during = plan
  values          = { arn = "arn:aws:events:us-east-1:123456789012:rule/tf-prod-smartcomp-reddit-refresh-schedule" }
}

run "function" {
  command = plan

  assert {
    condition     = aws_lambda_function.reddit_refresh.function_name == "tf-prod-smartcomp-lambda-reddit-refresh"
    error_message = "The function is named ${aws_lambda_function.reddit_refresh.function_name}."
  }

  assert {
    condition     = aws_lambda_function.reddit_refresh.handler == "refresh_handler.lambda_handler" && aws_lambda_function.reddit_refresh.runtime == "python3.11"
    error_message = "The handler is ${aws_lambda_function.reddit_refresh.handler}."
  }

  assert {
    condition     = aws_lambda_function.reddit_refresh.reserved_concurrent_executions == 1
    error_message = "Two refreshes may overlap."
  }

  assert {
    condition     = coalesce(aws_cloudwatch_log_group.reddit_refresh.retention_in_days, 0) == 30
    error_message = "The log is kept for ever."
  }

  assert {
    condition = jsonencode(aws_lambda_function.reddit_refresh.environment[0].variables) == jsonencode({
      LANDING_BUCKET_NAME   = "tf-prod-smartcomp-lz"
      LANDING_BUCKET_PREFIX = "reddit/"
      REDDIT_SECRET_ARN     = "arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit_api-AbCdEf"
      SUBREDDITS            = "android,iphone"
      ENVIRONMENT           = "prod"
      RUNS_TABLE_NAME       = "reddit-ingestion-runs"
      METRICS_NAMESPACE     = "RedditIngestion"
      REFRESH_LADDER_HOURS  = "2,36,168"
      REFRESH_REQUESTS      = "300"
    })
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.reddit_refresh.environment[0].variables)}."
  }

  assert {
    condition = (
      aws_lambda_permission.allow_events_to_invoke_reddit_refresh.source_arn == aws_cloudwatch_event_rule.reddit_refresh_schedule.arn
      && aws_cloudwatch_event_target.reddit_refresh_target.rule == aws_cloudwatch_event_rule.reddit_refresh_schedule.name
    )
    error_message = "The schedule may not invoke the function, or others may."
  }

  assert {
    condition     = try(aws_lambda_function_event_invoke_config.reddit_refresh.destination_config[0].on_failure[0].destination == "arn:aws:sqs:us-east-1:123456789012:tf-prod-smartcomp-reddit-ingestion-dead-letters", false)
    error_message = "Events that the function failed with are lost."
  }
}

run "permissions" {
  command = plan

  assert {
    condition = jsonencode({
      for statement in jsondecode(aws_iam_policy.reddit_refresh_inline.policy).Statement :
      statement.Sid => [sort(flatten([try(statement.Action, [])])), sort(flatten([statement.Resource]))] if statement.Effect == "Allow"
      }) == jsonencode({
      WriteOwnLog = [
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        [
          "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tf-prod-smartcomp-lambda-reddit-refresh",
          "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tf-prod-smartcomp-lambda-reddit-refresh:*",
        ],
      ]
      ListObjects        = [["s3:ListBucket", "s3:ListBucketVersions"], ["arn:aws:s3:::tf-prod-smartcomp-lz"]]
      ListBrokenUploads  = [["s3:ListBucketMultipartUploads"], ["arn:aws:s3:::tf-prod-smartcomp-lz"]]
      ReadAndLandObjects = [["s3:AbortMultipartUpload", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], ["arn:aws:s3:::tf-prod-smartcomp-lz/reddit/*"]]
      EraseObjects       = [["s3:DeleteObjectVersion"], ["arn:aws:s3:::tf-prod-smartcomp-lz/reddit/*"]]
      ReadRedditKey      = [["secretsmanager:GetSecretValue"], ["arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit_api-AbCdEf"]]
      RecordRuns         = [["dynamodb:PutItem"], ["arn:aws:dynamodb:us-east-1:123456789012:table/reddit-ingestion-runs"]]
      PublishMetrics     = [["cloudwatch:PutMetricData"], ["*"]]
    })
    error_message = "The function may do more or less than agreed: ${aws_iam_policy.reddit_refresh_inline.policy}"
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_iam_policy.reddit_refresh_inline.policy).Statement :
      statement.Condition if contains(["ListObjects", "PublishMetrics"], statement.Sid)
      ]) == jsonencode([
      { StringLike = { "s3:prefix" = "reddit/*" } },
      { StringEquals = { "cloudwatch:namespace" = "RedditIngestion" } },
    ])
    error_message = "The function may list or publish elsewhere."
  }
}

run "alarms" {
  command = plan

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.deletions_due) == ["android", "iphone"]
    error_message = "Not every subreddit has an alarm for deletions that are due."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.deletions_due), [aws_cloudwatch_metric_alarm.refresh_errors]) :
      tolist(alarm.alarm_actions) == tolist(["arn:aws:sns:us-east-1:123456789012:alarms"]) && strcontains(alarm.alarm_description, "see docs/operations.md#alarm-")
    ])
    error_message = "An alarm reaches nobody, or does not say where to read on."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.deletions_due :
      alarm.period * alarm.evaluation_periods == 24 * 3600 && alarm.treat_missing_data == "breaching" && alarm.statistic == "Minimum"
    ])
    error_message = "A day with deletions left undone, or without any run, does not raise the alarm."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    refresh_ladder_hours = [0]
    refresh_requests     = 0
    schedule_expression  = "rate(1 hours)"
    timeout_seconds      = 901
    memory_mb            = 128
    log_retention_days   = 31
  }

  expect_failures = [
    var.refresh_ladder_hours,
    var.refresh_requests,
    var.schedule_expression,
    var.timeout_seconds,
    var.memory_mb,
    var.log_retention_days,
  ]
}
