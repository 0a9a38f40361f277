locals {
  name_prefix = "${var.prefix}${var.environment}-${var.short_name}"

  zones = {
    landing   = "${local.name_prefix}-lz"        # raw and append-only: what the sources showed
    augmented = "${local.name_prefix}-augmented" # derived from the landing zone, can be built again
  }
}

module "zone" {
  source  = "terraform-aws-modules/s3-bucket/aws"
  version = "5.12.0"

  for_each = local.zones

  bucket = each.value

  # Opinions are public, but who collected them, when, and what was deleted since are nobody's business.
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true

  # No object ever belongs to another account, and access is decided by policies alone.
  control_object_ownership = true
  object_ownership         = "BucketOwnerEnforced"

  attach_deny_insecure_transport_policy = true
  attach_require_latest_tls_policy      = true # nothing below TLS 1.2

  server_side_encryption_configuration = {
    rule = {
      # One data key for many objects: without it every small object costs a request to KMS.
      bucket_key_enabled = var.kms_key_arn != null

      apply_server_side_encryption_by_default = {
        sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
        kms_master_key_id = var.kms_key_arn
      }
    }
  }

  # The function never overwrites. This is for people and tools that do.
  versioning = {
    enabled = true
  }

  # Current objects are kept for ever: what Reddit showed in an hour cannot be asked for again.
  lifecycle_rule = [
    {
      id                                     = "tidy-up"
      enabled                                = true
      abort_incomplete_multipart_upload_days = 7 # pieces of a broken upload cost as much as objects, and are invisible

      noncurrent_version_expiration = {
        days = var.noncurrent_version_days
      }

      expiration = {
        expired_object_delete_marker = true
      }
    },
  ]
}
