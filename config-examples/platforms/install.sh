#!/bin/bash
# Installs the plugin before the kubelet starts. Run it as user data of a node, while an image is built, or by hand as root.
# A second run updates the node. Edit url, sha256 and the configuration. The script passes its arguments to install.
# If a step fails, the node stays as it was.
set -euo pipefail
trap 'echo "image credential provider not installed: line $LINENO failed: $BASH_COMMAND" >&2' ERR
work=$(mktemp -d -p "${ROOT:-/root}") # /tmp may be mounted with noexec
trap 'rm -rf "$work"' EXIT
cd "$work"

url=https://example.com/ecr-cross-account-credential-provider-v0.1.0-linux-amd64.tar.gz # for the nodes' architecture
sha256=0000000000000000000000000000000000000000000000000000000000000000

cat >config.yaml <<'EOF'
apiVersion: ecr-cross-account-credential-provider/v1alpha1
kind: CrossAccountConfig
registries:
- accounts: ["444455556666"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/ecr-pull
    externalID: images-for-111122223333    # if the role's trust policy requires one
EOF

# From a bucket: aws s3 cp --only-show-errors "$url" archive.tar.gz
curl --fail --silent --show-error --location --proto =https --retry 5 --retry-connrefused --max-time 60 --output archive.tar.gz "$url"
sha256sum --check --quiet <<<"$sha256  archive.tar.gz"
tar -xzf archive.tar.gz --strip-components=1
./ecr-cross-account install --config config.yaml --root "${ROOT:-/}" "$@"
