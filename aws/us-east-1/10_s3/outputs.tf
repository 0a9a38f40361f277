output "s3_landing_zone_bucket_id" {
  description = "Name of the landing zone's bucket."
  value       = module.zone["landing"].s3_bucket_id
}

output "s3_landing_zone_bucket_arn" {
  description = "ARN of the landing zone's bucket."
  value       = module.zone["landing"].s3_bucket_arn
}

output "s3_augmented_zone_bucket_id" {
  description = "Name of the augmented zone's bucket."
  value       = module.zone["augmented"].s3_bucket_id
}

output "s3_augmented_zone_bucket_arn" {
  description = "ARN of the augmented zone's bucket."
  value       = module.zone["augmented"].s3_bucket_arn
}
