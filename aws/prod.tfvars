# Values that all stages share. Settings of one stage only (subreddits, alarm_email, ...) belong into a file
# `settings.auto.tfvars` in that stage's folder, because the other stages do not declare them.

prefix      = "tf-"
name        = "smartphone-compitition"
owner       = "INFRA_TEAM"
environment = "prod"
region      = "us-east-1"
vpc_cidr    = "10.0.0.0/16"
ManagedBy   = "TERRAFORM"

# Replace with the ARN of your own secret; it ends with the six characters that Secrets Manager added to the name.
reddit_secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:reddit_api-XXXXXX"

# Where `make package` puts the ZIP, seen from a stage's folder. An absolute path does as well.
reddit_ingestion_lambda_package = "../../../build/reddit_ingestion_lambda/reddit_ingestion_lambda.zip"
