# Looks at known items again, and erases what was deleted: the only function that reads the landing zone and the only one
# that may delete from it.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

data "terraform_remote_state" "s3" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "10_s3/terraform.tfstate"
    region = "us-east-1" # where backend.tf keeps the states, whatever region the stages work in
  }
}

data "terraform_remote_state" "lambda" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "20_lambda/terraform.tfstate"
    region = "us-east-1"
  }
}

locals {
  name_prefix   = "${var.prefix}${var.environment}-${var.short_name}"
  function_name = "${local.name_prefix}-lambda-reddit-refresh"

  landing_bucket_name = data.terraform_remote_state.s3.outputs.s3_landing_zone_bucket_id
  landing_bucket_arn  = data.terraform_remote_state.s3.outputs.s3_landing_zone_bucket_arn
  reddit_prefix       = local.ingestion.reading_environment.LANDING_BUCKET_PREFIX

  # What the ingestion lands, where it records, and where its trouble goes.
  ingestion = data.terraform_remote_state.lambda.outputs

  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.region
  partition  = data.aws_partition.current.partition

  # ARNs are made from names, so that a plan shows the whole text of every policy before anything exists.
  table_arn     = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.ingestion.runs_table_name}"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group_name}"

  log_group_name = "/aws/lambda/${local.function_name}"
}

resource "aws_lambda_function" "reddit_refresh" {
  function_name = local.function_name
  description   = "Looks again at what ${local.landing_bucket_name} knows, and erases what was deleted"
  role          = aws_iam_role.reddit_refresh_lambda.arn

  filename         = var.reddit_ingestion_lambda_package
  source_code_hash = filebase64sha256(var.reddit_ingestion_lambda_package)
  handler          = "refresh_handler.lambda_handler"
  runtime          = "python3.11"
  architectures    = ["x86_64"] # what the package is built for

  timeout     = var.timeout_seconds
  memory_size = var.memory_mb

  # Two runs never overlap: they would ask for the same items and rewrite the same objects.
  reserved_concurrent_executions = 1

  environment {
    variables = {
      LANDING_BUCKET_NAME   = local.landing_bucket_name
      LANDING_BUCKET_PREFIX = local.reddit_prefix
      REDDIT_SECRET_ARN     = var.reddit_secret_arn
      SUBREDDITS            = join(",", local.ingestion.subreddits)
      ENVIRONMENT           = var.environment
      RUNS_TABLE_NAME       = local.ingestion.runs_table_name
      METRICS_NAMESPACE     = local.ingestion.reading_environment.METRICS_NAMESPACE
      REFRESH_LADDER_HOURS  = join(",", var.refresh_ladder_hours)
      REFRESH_REQUESTS      = tostring(var.refresh_requests)
    }
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = var.log_level
    log_group             = aws_cloudwatch_log_group.reddit_refresh.name
  }

  # A schedule that is quicker than the permissions would make the first run fail.
  depends_on = [aws_iam_role_policy_attachment.reddit_refresh_inline, aws_iam_role_policy_attachment.reddit_refresh_dead_letters]

  lifecycle {
    precondition {
      condition     = fileexists(var.reddit_ingestion_lambda_package)
      error_message = "There is no ${var.reddit_ingestion_lambda_package}: build it with `make package` first."
    }
  }
}

# Lambda would make the group itself at the first run, and keep its lines for ever.
resource "aws_cloudwatch_log_group" "reddit_refresh" {
  name              = local.log_group_name
  retention_in_days = var.log_retention_days
}

# An event that fails three times goes to the queue of the ingestion's dead letters.
resource "aws_lambda_function_event_invoke_config" "reddit_refresh" {
  function_name                = aws_lambda_function.reddit_refresh.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = local.ingestion.dead_letter_queue_arn
    }
  }
}
