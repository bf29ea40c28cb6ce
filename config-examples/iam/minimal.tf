# For account 444455556666, by ecr-cross-account iam.

variable "ecr_pull_role_name" {
  type        = string
  description = "The name of the role. The nodes' configuration has it, too."
  default     = "ecr-pull"
}

resource "aws_iam_role" "ecr_pull" {
  name                 = var.ecr_pull_role_name
  path                 = "/"
  max_session_duration = 3600
  assume_role_policy = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "TrustCaller",
          "Effect": "Allow",
          "Principal": {
            "AWS": "arn:aws:iam::111122223333:role/node"
          },
          "Action": "sts:AssumeRole",
          "Condition": {
            "StringEquals": {
              "sts:ExternalId": "images-for-111122223333"
            }
          }
        }
      ]
    }
  EOT
  tags = {
    managed-by = "ecr-cross-account"
  }
}

resource "aws_iam_role_policy" "ecr_pull" {
  name = "ecr-cross-account-pull"
  role = aws_iam_role.ecr_pull.name
  policy = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Token",
          "Effect": "Allow",
          "Action": "ecr:GetAuthorizationToken",
          "Resource": "*"
        },
        {
          "Sid": "Pull",
          "Effect": "Allow",
          "Action": [
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchCheckLayerAvailability"
          ],
          "Resource": "arn:aws:ecr:*:444455556666:repository/*"
        }
      ]
    }
  EOT
}
