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

locals {
  name_prefix   = "${var.prefix}${var.environment}-${var.short_name}"
  function_name = "${local.name_prefix}-lambda-reddit-ingestion"

  landing_bucket_name = data.terraform_remote_state.s3.outputs.s3_landing_zone_bucket_id
  landing_bucket_arn  = data.terraform_remote_state.s3.outputs.s3_landing_zone_bucket_arn
  reddit_prefix       = "reddit/"

  # The contract with everybody who reads the lake: these names do not depend on the environment, whose name stands in
  # the parameters' path, in the table's keys and in the metrics' dimensions.
  state_base_path   = "/reddit-ingest"
  runs_table_name   = "reddit-ingestion-runs"
  metrics_namespace = "RedditIngestion"

  # Small letters, as the function writes them into its metrics: alarms must wait for the same spelling.
  subreddits = [for name in coalescelist(var.subreddits, [var.default_subreddit]) : lower(name)]

  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.region
  partition  = data.aws_partition.current.partition

  # ARNs are made from names, so that a plan shows the whole text of every policy before anything exists.
  table_arn     = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.runs_table_name}"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group_name}"
  state_arn     = "arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter${local.state_base_path}/*"
  rule_arn      = "arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${local.rule_name}"
  queue_arn     = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.queue_name}"

  log_group_name = "/aws/lambda/${local.function_name}"
  rule_name      = "${local.name_prefix}-reddit-ingestion-schedule"
  queue_name     = "${local.name_prefix}-reddit-ingestion-dead-letters"
}

resource "aws_lambda_function" "reddit_ingestion" {
  function_name = local.function_name
  description   = "Lands an hour of Reddit in ${local.landing_bucket_name}/${local.reddit_prefix}"
  role          = aws_iam_role.reddit_ingestion_lambda.arn

  filename         = var.reddit_ingestion_lambda_package
  source_code_hash = filebase64sha256(var.reddit_ingestion_lambda_package)
  handler          = "handler.lambda_handler"
  runtime          = "python3.11"
  architectures    = ["x86_64"] # what the package is built for

  timeout     = var.timeout_seconds
  memory_size = var.memory_mb

  # Two runs never overlap: they would ask Reddit for the same hours and share one request limit.
  reserved_concurrent_executions = 1

  environment {
    variables = {
      LANDING_BUCKET_NAME        = local.landing_bucket_name
      LANDING_BUCKET_PREFIX      = local.reddit_prefix
      REDDIT_SECRET_ARN          = var.reddit_secret_arn
      DEFAULT_SUBREDDIT          = var.default_subreddit
      SUBREDDITS                 = join(",", local.subreddits)
      MAX_SUBMISSIONS            = var.max_submissions == null ? "" : tostring(var.max_submissions) # empty: no cap
      ENVIRONMENT                = var.environment
      STATE_BASE_PATH            = local.state_base_path
      RUNS_TABLE_NAME            = local.runs_table_name
      METRICS_NAMESPACE          = local.metrics_namespace
      MAX_HOURLY_WINDOWS_PER_RUN = tostring(var.max_hourly_windows_per_run)
      LOOK_BACK_HOURS            = tostring(var.look_back_hours)
    }
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = var.log_level
    log_group             = aws_cloudwatch_log_group.reddit_ingestion.name
  }

  # A schedule that is quicker than the permissions would make the first run fail.
  depends_on = [
    aws_iam_role_policy_attachment.reddit_ingestion_inline,
    aws_iam_role_policy_attachment.reddit_ingestion_dead_letters,
  ]

  lifecycle {
    precondition {
      condition     = fileexists(var.reddit_ingestion_lambda_package)
      error_message = "There is no ${var.reddit_ingestion_lambda_package}: build it with `make package` first."
    }
  }
}

# Lambda would make the group itself at the first run, and keep its lines for ever.
resource "aws_cloudwatch_log_group" "reddit_ingestion" {
  name              = local.log_group_name
  retention_in_days = var.log_retention_days
}

resource "aws_dynamodb_table" "reddit_ingestion_runs" {
  name                        = local.runs_table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.table_deletion_protection

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }
}
