# Plans only, and needs neither an AWS account nor the state of 10_s3. The function's ZIP must exist: give its path with
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

# Known in the plan, so that what refers to them is too.
override_resource {
  target          = aws_cloudwatch_event_rule.reddit_ingestion_schedule
  override_during = plan
  values          = { arn = "arn:aws:events:us-east-1:123456789012:rule/tf-prod-smartcomp-reddit-ingestion-schedule" }
}

override_resource {
  target          = aws_sqs_queue.dead_letters
  override_during = plan
  values          = { arn = "arn:aws:sqs:us-east-1:123456789012:tf-prod-smartcomp-reddit-ingestion-dead-letters" }
}

override_resource {
  target          = aws_sns_topic.alarms
  override_during = plan
  values          = { arn = "arn:aws:sns:us-east-1:123456789012:alarms" }
}

run "function" {
  command = plan

  assert {
    condition     = aws_lambda_function.reddit_ingestion.function_name == "tf-prod-smartcomp-lambda-reddit-ingestion"
    error_message = "The function is named ${aws_lambda_function.reddit_ingestion.function_name}."
  }

  assert {
    condition     = aws_lambda_function.reddit_ingestion.handler == "handler.lambda_handler"
    error_message = "The handler is ${aws_lambda_function.reddit_ingestion.handler}."
  }

  assert {
    condition     = aws_lambda_function.reddit_ingestion.runtime == "python3.11" && tolist(aws_lambda_function.reddit_ingestion.architectures) == tolist(["x86_64"])
    error_message = "The package is built for python3.11 on x86_64."
  }

  assert {
    condition     = aws_lambda_function.reddit_ingestion.reserved_concurrent_executions == 1
    error_message = "Two runs may overlap."
  }

  assert {
    condition     = aws_lambda_function.reddit_ingestion.timeout == 600 && aws_lambda_function.reddit_ingestion.memory_size == 512
    error_message = "Timeout or memory has another default than agreed."
  }

  assert {
    condition     = aws_lambda_function.reddit_ingestion.source_code_hash == filebase64sha256(var.reddit_ingestion_lambda_package)
    error_message = "A new package would not be deployed."
  }

  assert {
    condition = (
      aws_lambda_function.reddit_ingestion.logging_config[0].log_format == "JSON"
      && aws_lambda_function.reddit_ingestion.logging_config[0].application_log_level == "INFO"
      && aws_lambda_function.reddit_ingestion.logging_config[0].log_group == aws_cloudwatch_log_group.reddit_ingestion.name
    )
    error_message = "The function does not log JSON from INFO on into its own group."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.reddit_ingestion.name == "/aws/lambda/tf-prod-smartcomp-lambda-reddit-ingestion"
      && coalesce(aws_cloudwatch_log_group.reddit_ingestion.retention_in_days, 0) == 30
    )
    error_message = "The log is kept elsewhere or for ever."
  }

  assert {
    condition = jsonencode(aws_lambda_function.reddit_ingestion.environment[0].variables) == jsonencode({
      LANDING_BUCKET_NAME        = "tf-prod-smartcomp-lz"
      LANDING_BUCKET_PREFIX      = "reddit/"
      REDDIT_SECRET_ARN          = "arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit_api-AbCdEf"
      DEFAULT_SUBREDDIT          = "smartphones"
      SUBREDDITS                 = "smartphones"
      MAX_SUBMISSIONS            = ""
      ENVIRONMENT                = "prod"
      STATE_BASE_PATH            = "/reddit-ingest"
      RUNS_TABLE_NAME            = "reddit-ingestion-runs"
      METRICS_NAMESPACE          = "RedditIngestion"
      MAX_HOURLY_WINDOWS_PER_RUN = "1"
      LOOK_BACK_HOURS            = "2"
    })
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.reddit_ingestion.environment[0].variables)}."
  }

  assert {
    condition = (
      aws_dynamodb_table.reddit_ingestion_runs.name == "reddit-ingestion-runs"
      && aws_dynamodb_table.reddit_ingestion_runs.hash_key == "pk"
      && aws_dynamodb_table.reddit_ingestion_runs.range_key == "sk"
      && aws_dynamodb_table.reddit_ingestion_runs.billing_mode == "PAY_PER_REQUEST"
      && aws_dynamodb_table.reddit_ingestion_runs.point_in_time_recovery[0].enabled
      && aws_dynamodb_table.reddit_ingestion_runs.deletion_protection_enabled
    )
    error_message = "The table of runs is not the agreed one, or can be lost."
  }

  assert {
    condition = jsonencode(output.reading_environment) == jsonencode({
      LANDING_BUCKET_NAME   = "tf-prod-smartcomp-lz"
      LANDING_BUCKET_PREFIX = "reddit/"
      ENVIRONMENT           = "prod"
      STATE_BASE_PATH       = "/reddit-ingest"
      RUNS_TABLE_NAME       = "reddit-ingestion-runs"
      METRICS_NAMESPACE     = "RedditIngestion"
      AWS_DEFAULT_REGION    = "us-east-1"
    })
    error_message = "A reader is told ${jsonencode(output.reading_environment)}."
  }
}

run "schedule_and_dead_letters" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_rule.reddit_ingestion_schedule.schedule_expression == "rate(1 hour)"
    error_message = "The schedule is ${aws_cloudwatch_event_rule.reddit_ingestion_schedule.schedule_expression}."
  }

  assert {
    condition     = aws_cloudwatch_event_target.reddit_ingestion_target.rule == aws_cloudwatch_event_rule.reddit_ingestion_schedule.name
    error_message = "The function is not the target of its schedule."
  }

  assert {
    condition = (
      aws_lambda_permission.allow_events_to_invoke_reddit_ingestion.source_arn == aws_cloudwatch_event_rule.reddit_ingestion_schedule.arn
      && aws_lambda_permission.allow_events_to_invoke_reddit_ingestion.function_name == aws_lambda_function.reddit_ingestion.function_name
      && aws_lambda_permission.allow_events_to_invoke_reddit_ingestion.principal == "events.amazonaws.com"
      && aws_lambda_permission.allow_events_to_invoke_reddit_ingestion.action == "lambda:InvokeFunction"
    )
    error_message = "The schedule may not invoke the function, or others may."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.reddit_ingestion.function_name == aws_lambda_function.reddit_ingestion.function_name
      && aws_lambda_function_event_invoke_config.reddit_ingestion.maximum_retry_attempts == 2
      && aws_lambda_function_event_invoke_config.reddit_ingestion.maximum_event_age_in_seconds == 3600
    )
    error_message = "A failed run is not tried again as agreed."
  }

  assert {
    condition     = try(aws_lambda_function_event_invoke_config.reddit_ingestion.destination_config[0].on_failure[0].destination == aws_sqs_queue.dead_letters.arn, false)
    error_message = "Events that the function failed with are lost."
  }

  assert {
    condition     = try(aws_cloudwatch_event_target.reddit_ingestion_target.dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn, false)
    error_message = "Events that EventBridge cannot hand over are lost."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds == 14 * 24 * 3600 && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "Dead letters are not kept for 14 days, or not encrypted."
  }

  assert {
    condition = [for statement in jsondecode(aws_sqs_queue_policy.dead_letters.policy).Statement : statement.Effect if
      can(statement.Condition.Bool["aws:SecureTransport"]) && statement.Effect == "Deny" && statement.Principal == "*"
    ] == ["Deny"]
    error_message = "The queue takes requests over plain HTTP."
  }

  assert {
    condition = [for statement in jsondecode(aws_sqs_queue_policy.dead_letters.policy).Statement :
      [statement.Action, statement.Principal.Service, statement.Condition.ArnEquals["aws:SourceArn"]] if statement.Effect == "Allow"
    ] == [["sqs:SendMessage", "events.amazonaws.com", aws_cloudwatch_event_rule.reddit_ingestion_schedule.arn]]
    error_message = "Others than the schedule may write into the queue."
  }
}

run "permissions" {
  command = plan

  assert {
    condition = jsonencode({
      for statement in jsondecode(aws_iam_policy.reddit_ingestion_inline.policy).Statement :
      statement.Sid => sort(flatten([try(statement.Action, [])])) if statement.Effect == "Allow"
      }) == jsonencode({
      WriteOwnLog    = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      LandObjects    = ["s3:AbortMultipartUpload", "s3:PutObject"]
      ReadRedditKey  = ["secretsmanager:GetSecretValue"]
      MoveWatermarks = ["ssm:GetParameter", "ssm:PutParameter"]
      RecordRuns     = ["dynamodb:PutItem"]
      PublishMetrics = ["cloudwatch:PutMetricData"]
    })
    error_message = "The function may do more or less than agreed: ${jsonencode({
      for statement in jsondecode(aws_iam_policy.reddit_ingestion_inline.policy).Statement :
      statement.Sid => sort(flatten([try(statement.Action, [])]))
    })}"
  }

  assert {
    condition = jsonencode({
      for statement in jsondecode(aws_iam_policy.reddit_ingestion_inline.policy).Statement :
      statement.Sid => sort(flatten([statement.Resource]))
      }) == jsonencode({
      WriteOwnLog = [
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tf-prod-smartcomp-lambda-reddit-ingestion",
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tf-prod-smartcomp-lambda-reddit-ingestion:*",
      ]
      LandObjects    = ["arn:aws:s3:::tf-prod-smartcomp-lz/reddit/*"]
      ReadRedditKey  = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit_api-AbCdEf"]
      MoveWatermarks = ["arn:aws:ssm:us-east-1:123456789012:parameter/reddit-ingest/*"]
      RecordRuns     = ["arn:aws:dynamodb:us-east-1:123456789012:table/reddit-ingestion-runs"]
      PublishMetrics = ["*"]
    })
    error_message = "The function may reach other things than agreed: ${aws_iam_policy.reddit_ingestion_inline.policy}"
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_iam_policy.reddit_ingestion_inline.policy).Statement :
      statement.Condition if statement.Sid == "PublishMetrics"
    ]) == jsonencode([{ StringEquals = { "cloudwatch:namespace" = "RedditIngestion" } }])
    error_message = "The function may publish metrics in other namespaces than its own."
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_iam_policy.reddit_ingestion_dead_letters.policy).Statement : [try(statement.Action, ""), statement.Resource]
    ]) == jsonencode([["sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:tf-prod-smartcomp-reddit-ingestion-dead-letters"]])
    error_message = "Lambda may not keep lost events, or may do more: ${aws_iam_policy.reddit_ingestion_dead_letters.policy}"
  }

  assert {
    condition = alltrue([for attachment in [aws_iam_role_policy_attachment.reddit_ingestion_inline, aws_iam_role_policy_attachment.reddit_ingestion_dead_letters] :
      attachment.role == aws_iam_role.reddit_ingestion_lambda.name
    ])
    error_message = "A policy is attached to another role."
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_iam_role.reddit_ingestion_lambda.assume_role_policy).Statement :
      [statement.Principal, statement.Condition]
    ]) == jsonencode([[{ Service = "lambda.amazonaws.com" }, { StringEqualsIfExists = { "aws:SourceAccount" = "123456789012" } }]])
    error_message = "The role trusts ${aws_iam_role.reddit_ingestion_lambda.assume_role_policy}."
  }
}

run "alarms_without_an_address" {
  command = plan

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.no_window) == ["smartphones"] && length(aws_sns_topic.alarms) == 0
    error_message = "Without subreddits and address there is one alarm for the default subreddit, and no topic."
  }

  assert {
    condition = alltrue([
      for alarm in [
        aws_cloudwatch_metric_alarm.errors,
        aws_cloudwatch_metric_alarm.gaps,
        aws_cloudwatch_metric_alarm.blocked,
        aws_cloudwatch_metric_alarm.dead_letters,
      ] : alarm.treat_missing_data == "notBreaching" && alarm.threshold == 0 && alarm.comparison_operator == "GreaterThanThreshold"
    ])
    error_message = "An alarm about figures above zero is set otherwise."
  }
}

run "several_subreddits_an_address_and_a_key" {
  command = plan

  variables {
    subreddits      = ["Android", "iphone", "u_some-body"]
    max_submissions = 500
    alarm_email     = "on-call@example.com"
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition = (
      aws_lambda_function.reddit_ingestion.environment[0].variables["SUBREDDITS"] == "android,iphone,u_some-body"
      && aws_lambda_function.reddit_ingestion.environment[0].variables["MAX_SUBMISSIONS"] == "500"
    )
    error_message = "The function does not learn of its subreddits or its cap."
  }

  assert {
    condition = jsonencode([for alarm in aws_cloudwatch_metric_alarm.no_window : [alarm.metric_name, alarm.dimensions]]) == jsonencode([
      for name in ["android", "iphone", "u_some-body"] : ["WindowsSeen", { Environment = "prod", Subreddit = name }]
    ])
    error_message = "Not every subreddit has an alarm of its own."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.no_window :
      alarm.period == 3600 && alarm.evaluation_periods == 3 && alarm.datapoints_to_alarm == 3 && alarm.threshold == 1
      && alarm.comparison_operator == "LessThanThreshold" && alarm.treat_missing_data == "breaching" && alarm.statistic == "Sum"
    ])
    error_message = "Three hours without a window, or without any figures, do not raise the alarm."
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.no_window),
        [
          aws_cloudwatch_metric_alarm.errors,
          aws_cloudwatch_metric_alarm.gaps,
          aws_cloudwatch_metric_alarm.blocked,
          aws_cloudwatch_metric_alarm.dead_letters,
        ],
      ) : tolist(alarm.alarm_actions) == tolist(["arn:aws:sns:us-east-1:123456789012:alarms"]) && strcontains(alarm.alarm_description, "see docs/operations.md#alarm-")
    ])
    error_message = "An alarm reaches nobody, or does not say where to read on."
  }

  assert {
    condition     = aws_sns_topic_subscription.alarms[0].endpoint == "on-call@example.com" && aws_sns_topic_subscription.alarms[0].protocol == "email"
    error_message = "The address does not hear of the alarms."
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_iam_policy.reddit_ingestion_inline.policy).Statement :
      [sort(flatten([statement.Action])), statement.Resource] if statement.Sid == "EncryptObjects"
    ]) == jsonencode([[["kms:Decrypt", "kms:GenerateDataKey"], "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"]])
    error_message = "The function cannot land objects in an encrypted bucket, or may use other keys."
  }

  assert {
    condition = alltrue([
      for name in ["android", "iphone", "u_some-body"] : strcontains(aws_cloudwatch_dashboard.reddit_ingestion.dashboard_body, "seen: ${name}")
    ])
    error_message = "The dashboard leaves a subreddit out."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix                          = "TF_"
    name                            = "#"
    owner                           = ""
    environment                     = "prod/eu"
    region                          = "Virginia"
    ManagedBy                       = "?"
    vpc_cidr                        = "10.0.0.0"
    kms_key_arn                     = "alias/lake"
    state_bucket                    = "State"
    reddit_secret_arn               = "arn:aws:secretsmanager:us-east-1:ACCOUNT_ID:secret:reddit_api-XXXXXX"
    reddit_ingestion_lambda_package = "build/reddit_ingestion_lambda"
    default_subreddit               = "r/smartphones"
    subreddits                      = ["android", "Android"]
    max_submissions                 = 0
    max_hourly_windows_per_run      = 0
    look_back_hours                 = -1
    schedule_expression             = "rate(1 hours)"
    timeout_seconds                 = 901
    memory_mb                       = 128
    log_level                       = "info"
    log_retention_days              = 31
    alarm_email                     = "on-call"
  }

  expect_failures = [
    var.prefix,
    var.name,
    var.owner,
    var.environment,
    var.region,
    var.ManagedBy,
    var.vpc_cidr,
    var.kms_key_arn,
    var.state_bucket,
    var.reddit_secret_arn,
    var.reddit_ingestion_lambda_package,
    var.default_subreddit,
    var.subreddits,
    var.max_submissions,
    var.max_hourly_windows_per_run,
    var.look_back_hours,
    var.schedule_expression,
    var.timeout_seconds,
    var.memory_mb,
    var.log_level,
    var.log_retention_days,
    var.alarm_email,
  ]
}

run "other_wrong_values_are_refused" {
  command = plan

  variables {
    short_name                 = "-"
    reddit_secret_arn          = "arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit_api"
    default_subreddit          = "x"
    subreddits                 = ["pocket phones"]
    max_submissions            = 1.5
    max_hourly_windows_per_run = 2.5
    schedule_expression        = "rate(2 hour)"
    timeout_seconds            = 59
    log_retention_days         = 0
  }

  expect_failures = [
    var.short_name,
    var.reddit_secret_arn,
    var.default_subreddit,
    var.subreddits,
    var.max_submissions,
    var.max_hourly_windows_per_run,
    var.schedule_expression,
    var.timeout_seconds,
    var.log_retention_days,
  ]
}

run "a_better_schedule_is_accepted" {
  command = plan

  variables {
    schedule_expression = "cron(6 * * * ? *)"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.reddit_ingestion_schedule.schedule_expression == "cron(6 * * * ? *)"
    error_message = "The schedule is ${aws_cloudwatch_event_rule.reddit_ingestion_schedule.schedule_expression}."
  }
}
