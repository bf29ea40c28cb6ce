#!/bin/sh
# For account 444455556666, by ecr-cross-account iam. It needs the AWS CLI 2 and may run any number of times.
# It changes only roles with the tag managed-by=ecr-cross-account. If another role would have to change, it prints the difference and
# stops.
set -eu

account=$(aws sts get-caller-identity --query Account --output text)
if [ "$account" != 444455556666 ]; then
  echo "the credentials are of account $account, and this script is for 444455556666" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ask FILE COMMAND... writes the output of an AWS command to the file. It fails if the resource does not exist.
ask() {
  file=$1
  shift
  if aws "$@" >"$file" 2>"$work/error"; then
    return 0
  fi
  if grep -q NoSuchEntity "$work/error"; then
    return 1
  fi
  cat "$work/error" >&2
  exit 1
}

# same FILE FILE reports whether two JSON documents differ at most in white space. If the first file is missing, they differ.
same() {
  [ -f "$1" ] && [ "$(tr -d ' \n\r\t' <"$1")" = "$(tr -d ' \n\r\t' <"$2")" ]
}

# refuse NAME FILE WANTED_FILE prints how a file differs from the wanted one, and stops.
refuse() {
  echo "$1 differs, and the role has no tag managed-by=ecr-cross-account:" >&2
  [ -f "$2" ] || : >"$2"
  diff -u "$2" "$3" >&2 || :
  exit 1
}

# managed NAME reports whether the script may change a role.
managed() {
  [ "$(aws iam list-role-tags --role-name "$1" --query "Tags[?Key=='managed-by'].Value" --output text)" = ecr-cross-account ]
}

# role NAME PATH SECONDS makes or updates a role. Its trust policy is in the file trust.
role() {
  if ! ask "$work/is" iam get-role --role-name "$1" --query Role.AssumeRolePolicyDocument --output json; then
    aws iam create-role --role-name "$1" --path "$2" --max-session-duration "$3" --assume-role-policy-document "file://$work/trust" \
      --tags Key=managed-by,Value=ecr-cross-account >/dev/null
    echo "created role $1"
    return
  fi
  existing=$(aws iam get-role --role-name "$1" --query Role.Path --output text)
  if [ "$existing" != "$2" ]; then
    echo "role $1 has the path $existing, not $2, and IAM cannot change a path; correct the ARN in the configuration, or delete the role" >&2
    exit 1
  fi
  seconds=$(aws iam get-role --role-name "$1" --query Role.MaxSessionDuration --output text)
  if same "$work/is" "$work/trust" && [ "$seconds" -ge "$3" ]; then
    echo "the trust policy of role $1 is up to date"
    return
  fi
  managed "$1" || refuse "the trust policy or the maximum session of role $1 ($seconds seconds; $3 are needed)" "$work/is" "$work/trust"
  aws iam update-assume-role-policy --role-name "$1" --policy-document "file://$work/trust"
  [ "$seconds" -ge "$3" ] || aws iam update-role --role-name "$1" --max-session-duration "$3"
  echo "updated the trust policy of role $1"
}

# policy ROLE NAME gives a role an inline policy. The policy is in the file policy.
policy() {
  ask "$work/is" iam get-role-policy --role-name "$1" --policy-name "$2" --query PolicyDocument --output json || rm -f "$work/is"
  if same "$work/is" "$work/policy"; then
    echo "policy $2 of role $1 is up to date"
    return
  fi
  if ! ask "$work/role" iam get-role --role-name "$1" --query Role.Path --output text; then
    echo "role $1 does not exist; create it, or run ecr-cross-account iam again with another --node-role" >&2
    exit 1
  fi
  if ! managed "$1"; then
    echo "to let this script give role $1 its policy, run: aws iam tag-role --role-name $1 --tags Key=managed-by,Value=ecr-cross-account" >&2
    refuse "policy $2 of role $1" "$work/is" "$work/policy"
  fi
  aws iam put-role-policy --role-name "$1" --policy-name "$2" --policy-document "file://$work/policy"
  echo "put policy $2 on role $1"
}

# provider ARN URL AUDIENCE makes an OIDC provider. An AWS CLI before 2.17 also wants the thumbprint of the issuer's certificate, in
# THUMBPRINT. An existing provider stays as it is, because others may depend on it.
provider() {
  if ! ask "$work/is" iam get-open-id-connect-provider --open-id-connect-provider-arn "$1" --query ClientIDList --output text; then
    set -- "$1" "$2" "$3" ${THUMBPRINT:+--thumbprint-list "$THUMBPRINT"}
    url=$2 audience=$3
    shift 3
    aws iam create-open-id-connect-provider --url "$url" --client-id-list "$audience" "$@" \
      --tags Key=managed-by,Value=ecr-cross-account >/dev/null
    echo "created the OIDC provider of $url"
    return
  fi
  if ! tr '\t' '\n' <"$work/is" | grep -qxF -e "$3"; then
    echo "$1 has no audience $3; to add it, run: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn $1 --client-id $3" >&2
    exit 1
  fi
  echo "the OIDC provider of $2 is up to date"
}

cat >"$work/trust" <<'EOF'
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
EOF
role ecr-pull / 3600

cat >"$work/policy" <<'EOF'
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
EOF
policy ecr-pull ecr-cross-account-pull
