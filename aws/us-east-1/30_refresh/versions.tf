terraform {
  # 1.11 made the S3 backend's own lock file (backend.tf) generally available.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.42"
    }
  }
}
