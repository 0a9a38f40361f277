# The bucket is made once by hand, because Terraform cannot keep its state in a bucket that it has yet to create. Bucket
# names are unique in the world: for another name run `terraform init -backend-config="bucket=NAME"` in every stage and
# set the variable state_bucket.
terraform {
  backend "s3" {
    bucket       = "tf-prod-smartcomp-tfstate"
    key          = "30_refresh/terraform.tfstate"
    region       = "us-east-1"
    encrypt      = true
    use_lockfile = true
  }
}
