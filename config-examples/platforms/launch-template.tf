# A managed node group of EKS with the plugin. Edit eks-user-data.mime first; EKS adds the cluster's data to it.
# The nodes' role needs the policy that ecr-cross-account iam prints for it.
variable "cluster" {
  type = string
}

variable "node_role" {
  type        = string
  description = "The ARN of the nodes' role."
}

variable "subnets" {
  type = list(string)
}

resource "aws_launch_template" "node" {
  name_prefix = "node-"
  user_data   = filebase64("${path.module}/eks-user-data.mime")

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_eks_node_group" "node" {
  cluster_name    = var.cluster
  node_group_name = "node"
  node_role_arn   = var.node_role
  subnet_ids      = var.subnets
  ami_type        = "AL2023_x86_64_STANDARD"

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  scaling_config {
    desired_size = 2
    min_size     = 2
    max_size     = 4
  }
}
