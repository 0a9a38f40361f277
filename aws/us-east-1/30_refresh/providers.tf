provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = var.name
      Owner       = var.owner
      Environment = var.environment
      ManagedBy   = var.ManagedBy
    }
  }
}
