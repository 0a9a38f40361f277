data "aws_iam_policy_document" "lambda_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    # For functions of this account only. "IfExists", because a call without the key would otherwise be refused, and
    # whether Lambda always sends it is not documented.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "reddit_refresh_lambda" {
  name               = "${local.function_name}-role"
  description        = "What the refresh function may do: read the landing zone, land, erase, report"
  assume_role_policy = data.aws_iam_policy_document.lambda_trust.json
}

data "aws_iam_policy_document" "reddit_refresh_inline" {
  statement {
    sid       = "WriteOwnLog"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [local.log_group_arn, "${local.log_group_arn}:*"]
  }

  statement {
    sid       = "ListObjects"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = [local.landing_bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.reddit_prefix}*"]
    }
  }

  # Broken uploads may hold what has to be erased. This action knows no condition on the prefix.
  statement {
    sid       = "ListBrokenUploads"
    actions   = ["s3:ListBucketMultipartUploads"]
    resources = [local.landing_bucket_arn]
  }

  statement {
    sid       = "ReadAndLandObjects"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.landing_bucket_arn}/${local.reddit_prefix}*"]
  }

  # By version only: a plain delete would hide an object and keep what it says.
  statement {
    sid       = "EraseObjects"
    actions   = ["s3:DeleteObjectVersion"]
    resources = ["${local.landing_bucket_arn}/${local.reddit_prefix}*"]
  }

  statement {
    sid       = "ReadRedditKey"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.reddit_secret_arn]
  }

  statement {
    sid       = "RecordRuns"
    actions   = ["dynamodb:PutItem"]
    resources = [local.table_arn]
  }

  statement {
    sid       = "PublishMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # metrics have no ARNs; the condition takes their place

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.ingestion.reading_environment.METRICS_NAMESPACE]
    }
  }

  # S3 encrypts with the key in the caller's name. Decrypt is what S3 demands to put the pieces of a multipart upload
  # together; without s3:GetObject it opens no object.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "EncryptObjects"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${local.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_policy" "reddit_refresh_inline" {
  name        = "${local.function_name}-inline"
  description = "The calls that the refresh function makes, and no others"
  policy      = data.aws_iam_policy_document.reddit_refresh_inline.json
}

resource "aws_iam_role_policy_attachment" "reddit_refresh_inline" {
  role       = aws_iam_role.reddit_refresh_lambda.name
  policy_arn = aws_iam_policy.reddit_refresh_inline.arn
}

# A policy of its own, because the function's code never makes this call: the Lambda service does, in the function's
# name, when it gives an event up.
data "aws_iam_policy_document" "reddit_refresh_dead_letters" {
  statement {
    sid       = "KeepLostEvents"
    actions   = ["sqs:SendMessage"]
    resources = [local.ingestion.dead_letter_queue_arn]
  }
}

resource "aws_iam_policy" "reddit_refresh_dead_letters" {
  name        = "${local.function_name}-dead-letters"
  description = "Lets the Lambda service keep events that the refresh function could not serve"
  policy      = data.aws_iam_policy_document.reddit_refresh_dead_letters.json
}

resource "aws_iam_role_policy_attachment" "reddit_refresh_dead_letters" {
  role       = aws_iam_role.reddit_refresh_lambda.name
  policy_arn = aws_iam_policy.reddit_refresh_dead_letters.arn
}
