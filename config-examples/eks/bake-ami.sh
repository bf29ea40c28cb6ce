#!/bin/bash
# Installs the provider while an AMI is built, as root, on Amazon Linux 2023 for EKS (Packer: a file provisioner for the three files,
# then a shell provisioner). The user data of the AMI's nodes must set the kubelet flag that the last line of the output names.
set -euo pipefail

fail() {
  echo "bake-ami.sh: $*" >&2
  exit 1
}

[[ $# -eq 3 ]] || fail "usage: bake-ami.sh BINARY CONFIGURATION PROVIDERS; PROVIDERS is one of kubelet/beside-the-stock-provider*.yaml"
for file in "$@"; do
  [[ -f $file && -r $file ]] || fail "$file: no such file, or not readable"
done
binary=$1 configuration=$2 providers=$3

bin=${ROOT:-}/etc/eks/image-credential-provider # ROOT: another root directory, for tests
etc=${ROOT:-}/etc/ecr-cross-account-credential-provider
stock=ecr-credential-provider
[[ -x $bin/$stock ]] || fail "$bin/$stock: not there; is this Amazon Linux 2023 for EKS?"

# From 1.34 the kubelet reads all files of a directory, before it one file, which then holds the stock provider too.
kubelet=$("${ROOT:-}/usr/bin/kubelet" --version)
[[ $kubelet =~ v1\.([0-9]+)\. ]] || fail "cannot tell the kubelet's version from \"$kubelet\""
if ((BASH_REMATCH[1] >= 34)); then
  name=ecr-cross-account-credential-provider
  target=$bin/10-ecr-cross-account.yaml
  flag=/etc/eks/image-credential-provider
else
  name=aws-ecr-cross-account-credential-provider
  target=$etc/credential-providers.yaml
  flag=/etc/ecr-cross-account-credential-provider/credential-providers.yaml
fi

# A provider whose binary is not there, or that is named twice, keeps the kubelet from starting.
names() { grep -Eq "^ *(- )?name: *[\"']?$1[\"']?( *#.*)?\$" "$providers"; }
names "$name" || fail "$providers: has no provider $name, as ${kubelet#Kubernetes } needs; take another of kubelet/beside-the-stock-provider*.yaml"
if [[ $target == "$bin"/* ]]; then
  names "$stock" && fail "$providers: has $stock, which $bin/config.json has too; take kubelet/beside-the-stock-provider.yaml"
else
  names "$stock" || fail "$providers: lacks $stock; take kubelet/beside-the-stock-provider-before-1.34.yaml"
fi

# Everything is checked in a directory of its own, then renamed. If a step fails, nothing changes.
stage=$(mktemp -d "$bin/.stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT
install -m 0755 "$binary" "$stage/$name"
install -m 0644 "$configuration" "$stage/config.yaml"
install -m 0644 "$providers" "$stage/providers.yaml"
"$stage/$name" version || fail "$binary: does not run here; is it for $(uname -sm)?"
"$stage/$name" validate "$stage/config.yaml" --kubelet-config "$stage/providers.yaml" --kubelet-version "$kubelet" ||
  fail "$configuration or $providers: not valid"
sync "$stage"/*

install -d -m 0755 "$etc"
mv -fT "$stage/$name" "$bin/$name"
mv -fT "$stage/config.yaml" "$etc/config.yaml"
mv -fT "$stage/providers.yaml" "$target"
echo "installed; in the nodes' user data, spec.kubelet.flags of the NodeConfig: --image-credential-provider-config=$flag"
