package iampolicy

import (
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Token allows its holder to request a token of ECR. It belongs to the policy of
// the identity that requests the token.
func Token() Statement { return allow("Token", rule.TokenAction).on("*") }

// PublicToken allows its holder to request a token of ECR Public. Derive leaves it
// out, because an anonymous pull also works.
func PublicToken() Statement {
	return allow("PublicToken", "ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken").on("*")
}

// Pull allows its holder to pull from repositories, given by ARNs. With
// rule.PullThroughCache ECR may also fetch and store images for the holder. It
// belongs to the policy of the identity that requests the token.
func Pull(kind rule.PolicyKind, repositories ...string) Statement {
	return allow("Pull", kind.PullActions()...).on(repositories...)
}

// PullBy allows a principal of another account, given by a role's ARN, to pull. It
// belongs to the policy of a repository. In the policy of a registry it also needs
// repositories, given by ARNs. A repository's policy cannot allow
// ecr:CreateRepository.
func PullBy(principal string, repositories ...string) Statement {
	return allow("PullByNodes", rule.PullOnly.PullActions()...).by("AWS", principal).on(repositories...)
}

// PullByOrganization is PullBy for callers of an organization; see
// TrustOrganization.
func PullByOrganization(organization, callers string, repositories ...string) Statement {
	return allow("PullByNodes", rule.PullOnly.PullActions()...).by("AWS", "*").on(repositories...).
		when("StringEquals", "aws:PrincipalOrgID", organization).
		when("ArnLike", "aws:PrincipalArn", callers)
}

// RepositoryARN returns the ARN of the image's repository.
func RepositoryARN(image registry.Image) string {
	r := image.Registry()
	return "arn:" + r.Partition().String() + ":ecr:" + r.Region().String() + ":" + r.Account().String() + ":repository/" + image.Repository()
}
