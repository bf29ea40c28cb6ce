#!/bin/sh
# Does the work of ecr-pull-secrets with other tools. It gets a token with each account's
# role, and kubectl writes the tokens into each namespace. The environment has ACCOUNTS,
# TEAM, STS and ECR.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for account in $ACCOUNTS; do
  session=$(aws sts assume-role --endpoint-url "$STS" --role-session-name cronjob --role-arn "arn:aws:iam::$account:role/ecr-pull" \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
  # shellcheck disable=SC2086 # three words
  set -- $session
  password=$(AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3 aws ecr get-login-password --endpoint-url "$ECR")
  kubectl create secret docker-registry "ecr-$account" --docker-server="$account.dkr.ecr.eu-west-1.amazonaws.com" \
    --docker-username=AWS --docker-password="$password" --dry-run=client -o yaml >"$work/$account.yaml"
done
for namespace in $(kubectl get namespaces -l team="$TEAM" -o name); do
  kubectl apply -n "${namespace#namespace/}" -f "$work"
done
