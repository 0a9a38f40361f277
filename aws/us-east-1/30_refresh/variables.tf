# Shared by all stages (prod.tfvars)

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
  description = "Name of the environment, part of all names and of the paths of the state."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", var.environment))
    error_message = "The environment is 1 to 32 letters, digits, dashes and underscores, for example prod."
  }
}

variable "region" {
  description = "Region of the function and all around it."
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

variable "vpc_cidr" {
  description = "Address range of the network, for stages that need one; this one does not. Declared because the shared file prod.tfvars names it."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_cidr == null || can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is an address range such as 10.0.0.0/16."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the buckets, as given to 10_s3; the function is then allowed to use it. null for keys that S3 manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key (not of an alias): arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "state_bucket" {
  description = "Bucket of the stages' states, the same as in backend.tf (or as given to `terraform init`). The outputs of 10_s3 and 20_lambda are read from it."
  type        = string
  default     = "tf-prod-smartcomp-tfstate"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "A bucket's name is 3 to 63 lower-case letters, digits, dots and dashes."
  }
}

# The function

variable "reddit_secret_arn" {
  description = "Full ARN of the secret with the key to Reddit's API: a JSON document with REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET and REDDIT_USER_AGENT."
  type        = string

  validation {
    # Without the six characters at its end the function would be allowed to read another secret than the one it asks for.
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$", var.reddit_secret_arn))
    error_message = "reddit_secret_arn is the full ARN, with the six characters at the end: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-XXXXXX."
  }
}

variable "reddit_ingestion_lambda_package" {
  description = "Path of the functions' ZIP, which `make package` builds; absolute, or seen from this folder."
  type        = string

  validation {
    condition     = endswith(var.reddit_ingestion_lambda_package, ".zip")
    error_message = "reddit_ingestion_lambda_package is the path of a .zip file."
  }
}

variable "refresh_ladder_hours" {
  description = "Ages in hours at which known items are looked at again."
  type        = list(number)
  default     = [2, 36, 168]
  nullable    = false

  validation {
    condition     = length(var.refresh_ladder_hours) >= 1 && length(var.refresh_ladder_hours) <= 10 && alltrue([for hours in var.refresh_ladder_hours : can(regex("^[1-9][0-9]{0,3}$", tostring(hours)))])
    error_message = "refresh_ladder_hours is a list of 1 to 10 whole numbers from 1 to 9999, for example [2, 36, 168]."
  }
}

variable "refresh_requests" {
  description = "Most requests to Reddit that one run spends; 100 items a request. What is left over is looked at by the next run. Reddit allows some 1,000 in ten minutes, the ingestion's among them."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]{0,3}$", tostring(var.refresh_requests)))
    error_message = "refresh_requests is a whole number from 1 to 9999."
  }
}

variable "schedule_expression" {
  description = "When the function runs. `cron(36 * * * ? *)` is better than the default, which counts from the moment of deployment: it keeps out of the way of an ingestion at six minutes past the hour, and of the start of Reddit's ten-minute quota."
  type        = string
  default     = "rate(1 hour)"
  nullable    = false

  validation {
    # EventBridge takes "1 hour" and "2 hours", never "1 hours" or "2 hour".
    condition     = can(regex("^(rate\\(1 (minute|hour|day)\\)|rate\\(([2-9]|[1-9][0-9]+) (minutes|hours|days)\\)|cron\\(([^ ]+ ){5}[^ ]+\\))$", var.schedule_expression))
    error_message = "The schedule is rate(1 hour), rate(2 hours) (the plural from 2 on), or cron() with six fields, for example cron(36 * * * ? *)."
  }
}

variable "timeout_seconds" {
  description = "Most seconds of one run. The function stops by itself before they are over and keeps what it has seen."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds is a whole number from 60 to 900, the most that Lambda gives."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB; its share of a processor grows with it. It reads two weeks of every subreddit."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = var.memory_mb >= 256 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb is a whole number from 256 to 10240."
  }
}

variable "log_level" {
  description = "Least level of the function's log lines that are kept."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level is TRACE, DEBUG, INFO, WARN, ERROR or FATAL."
  }
}

variable "log_retention_days" {
  description = "Days for which the function's log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    # 0, which CloudWatch reads as "for ever", is left out on purpose: nobody reads old logs, and they cost every month.
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the numbers that CloudWatch allows, for example 14, 30, 90 or 365."
  }
}
