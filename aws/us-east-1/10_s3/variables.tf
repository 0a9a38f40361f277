variable "prefix" {
  description = "First part of every name, with its dash."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9-]{0,15}-)?$", var.prefix))
    error_message = "The prefix is empty, or at most 17 lower-case letters, digits and dashes that end with a dash, for example tf-."
  }
}

variable "name" {
  description = "Name of the project, for the tag Project."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.name))
    error_message = "The name becomes a tag: 1 to 256 letters, digits, spaces and _.:/=+@-."
  }
}

variable "short_name" {
  description = "Short name of the project, the last part of the prefix that all names share."
  type        = string
  default     = "smartcomp"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.short_name))
    error_message = "The short name is 2 to 20 lower-case letters, digits and dashes, for example smartcomp."
  }

  validation {
    # The longest name made of it is the function's role, of which IAM takes 64 characters.
    condition     = length("${var.prefix}${var.environment}-${var.short_name}") <= 35
    error_message = "Prefix, environment and short name together are too long: at most 34 characters."
  }
}

variable "owner" {
  description = "Who answers for these resources, for the tag Owner."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.owner))
    error_message = "The owner becomes a tag: 1 to 256 letters, digits, spaces and _.:/=+@-."
  }
}

variable "environment" {
  description = "Name of the environment, part of the buckets' names."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", var.environment))
    error_message = "The environment is 1 to 32 letters, digits, dashes and underscores, for example prod."
  }

  validation {
    # S3 allows neither, although the rest of the platform would.
    condition     = can(regex("^[a-z0-9-]*$", var.environment))
    error_message = "The environment becomes part of bucket names, which hold no capital letters and no underscores."
  }
}

variable "region" {
  description = "Region of the buckets."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The region looks like us-east-1."
  }
}

variable "ManagedBy" {
  description = "What manages these resources, for the tag ManagedBy."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.ManagedBy))
    error_message = "ManagedBy becomes a tag: 1 to 256 letters, digits, spaces and _.:/=+@-."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts both buckets; null for keys that S3 manages. Set it for 20_lambda too, which must be allowed to use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key (not of an alias): arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "noncurrent_version_days" {
  description = "Days for which an overwritten or deleted object can still be restored. The platform itself overwrites and deletes nothing; these are the days to undo somebody's mistake."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "noncurrent_version_days is a whole number of at least 1."
  }
}

# The variables below belong to the shared file prod.tfvars and to other stages. They are declared because Terraform
# warns of values for variables that a stage does not know; nothing here reads them.

variable "vpc_cidr" {
  description = "Address range of the network, for stages that need one; this one does not."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_cidr == null || can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is an address range such as 10.0.0.0/16."
  }
}

variable "state_bucket" {
  description = "Bucket of the stages' states, read by the stages that look into another's outputs."
  type        = string
  default     = "tf-prod-smartcomp-tfstate"
}

variable "reddit_secret_arn" {
  description = "ARN of the secret with the key to Reddit's API, for 20_lambda."
  type        = string
  default     = null
}

variable "reddit_ingestion_lambda_package" {
  description = "Path of the ingestion function's ZIP, for 20_lambda."
  type        = string
  default     = null
}
