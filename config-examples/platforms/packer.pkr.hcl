# An image of Amazon Linux 2023 for EKS with the plugin. Edit install.sh first: it runs on the machine from which Packer makes the image.
# Nodes of this image need nothing in their user data.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.0"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

source "amazon-ebs" "node" {
  region        = var.region
  instance_type = "m7i.large"
  ssh_username  = "ec2-user"
  ami_name      = "eks-node-1.34-{{timestamp}}"

  source_ami_filter {
    owners      = ["amazon"]
    most_recent = true
    filters     = { name = "amazon-eks-node-al2023-x86_64-standard-1.34-*" }
  }
}

build {
  sources = ["source.amazon-ebs.node"]

  provisioner "shell" {
    script          = "${path.root}/install.sh"
    execute_command = "sudo bash {{.Path}}"
  }
}
