# Plans only, and needs no AWS account. What the module's outputs do not show (public access, encryption, ownership,
# lifecycle) is checked on the finished plan by tests/terraform.

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  prefix      = "tf-"
  name        = "smartphone-compitition"
  owner       = "INFRA_TEAM"
  environment = "prod"
  region      = "us-east-1"
  ManagedBy   = "TERRAFORM"
}

# Known in the plan, so that the policies of the buckets are too.
override_resource {
  target          = module.zone["landing"].aws_s3_bucket.this[0]
  override_during = plan
  values          = { arn = "arn:aws:s3:::tf-prod-smartcomp-lz", id = "tf-prod-smartcomp-lz" }
}

override_resource {
  target          = module.zone["augmented"].aws_s3_bucket.this[0]
  override_during = plan
  values          = { arn = "arn:aws:s3:::tf-prod-smartcomp-augmented", id = "tf-prod-smartcomp-augmented" }
}

run "two_buckets_with_the_agreed_names" {
  command = plan

  assert {
    condition     = local.zones.landing == "tf-prod-smartcomp-lz" && local.zones.augmented == "tf-prod-smartcomp-augmented"
    error_message = "The zones are ${jsonencode(local.zones)}."
  }

  assert {
    condition     = output.s3_landing_zone_bucket_arn == "arn:aws:s3:::tf-prod-smartcomp-lz"
    error_message = "The landing zone's ARN is ${output.s3_landing_zone_bucket_arn}."
  }

  assert {
    condition     = output.s3_augmented_zone_bucket_arn == "arn:aws:s3:::tf-prod-smartcomp-augmented"
    error_message = "The augmented zone's ARN is ${output.s3_augmented_zone_bucket_arn}."
  }
}

run "plain_http_is_denied_and_old_versions_are_kept" {
  command = plan

  assert {
    condition = alltrue([for zone in module.zone : anytrue([
      for statement in try(jsondecode(zone.s3_bucket_policy).Statement, []) :
      statement.Effect == "Deny" && statement.Action == "s3:*" && length(statement.Resource) == 2
      && try(tostring(statement.Condition.Bool["aws:SecureTransport"]) == "false", false)
    ])])
    error_message = "A bucket takes requests over plain HTTP."
  }

  assert {
    condition = alltrue([for zone in module.zone : anytrue([
      for statement in try(jsondecode(zone.s3_bucket_policy).Statement, []) :
      statement.Effect == "Deny" && try(tonumber(statement.Condition.NumericLessThan["s3:TlsVersion"]) == 1.2, false)
    ])])
    error_message = "A bucket takes requests over an old TLS."
  }

  assert {
    condition     = alltrue([for zone in module.zone : zone.aws_s3_bucket_versioning_status == "Enabled"])
    error_message = "A bucket has no versioning."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix                  = "TF_"
    name                    = "#"
    owner                   = ""
    environment             = "prod/eu"
    region                  = "Virginia"
    ManagedBy               = "?"
    vpc_cidr                = "10.0.0.0"
    kms_key_arn             = "alias/lake"
    noncurrent_version_days = 0
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
    var.noncurrent_version_days,
  ]
}

run "an_environment_that_no_bucket_can_be_named_after_is_refused" {
  command = plan

  variables {
    environment = "Prod"
  }

  expect_failures = [var.environment]
}

run "names_that_are_too_long_together_are_refused" {
  command = plan

  variables {
    prefix     = "smartphones-eu-"
    short_name = "competition-of-all"
  }

  expect_failures = [var.short_name]
}
