package iampolicy

import (
	"strings"

	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// These are actions of STS.
const (
	assumeRole            = "sts:AssumeRole"
	assumeWithWebIdentity = "sts:AssumeRoleWithWebIdentity"
	tagSession            = "sts:TagSession"
	callerIdentity        = "sts:GetCallerIdentity"
)

// AssumeRole allows its holder to assume the role. It belongs to the policy of the
// caller: the node's role, or the role before this one in a chain.
func AssumeRole(role rule.Role) Statement {
	return allow("AssumePullRole", assuming(role)...).on(role.ARN)
}

// AssumeRoleOfOrganization allows its holder to assume a role in the accounts of an
// organization, except the given ones. The role's ARN has a pattern in place of its
// account.
func AssumeRoleOfOrganization(role rule.Role, organization string, except []string) Statement {
	s := allow("AssumePullRoleOfOrganization", assuming(role)...).on(role.ARN).when("StringEquals", "aws:ResourceOrgID", organization)
	if len(except) > 0 {
		s = s.when("StringNotEquals", "aws:ResourceAccount", except...)
	}
	return s
}

// TrustRole lets a caller, a role's ARN, assume the role. It belongs to the trust
// policy of the role.
func TrustRole(caller string, role rule.Role) Statement {
	return externalID(role, allow("TrustCaller", assuming(role)...).by("AWS", caller))
}

// TrustOrganization lets callers of an organization assume the role, if the ARN of the
// caller's role matches the pattern. It belongs to the trust policy of the role. The
// organization alone would admit every identity in its accounts. The pattern alone
// would admit roles in every account of AWS.
func TrustOrganization(organization, callers string, role rule.Role) Statement {
	return externalID(role, allow("TrustOrganization", assuming(role)...).by("AWS", "*").
		when("StringEquals", "aws:PrincipalOrgID", organization).
		when("ArnLike", "aws:PrincipalArn", callers))
}

// TrustServiceAccount lets the pods of a service account assume the role. The
// claims are those of their tokens: issuer, subject and audience. The statement
// belongs to the trust policy of the role. The role's account needs an OIDC
// provider for the issuer.
func TrustServiceAccount(claims plan.Claims, role rule.Role) Statement {
	issuer := issuerName(claims.Issuer)
	return allow("TrustServiceAccount", assumeWithWebIdentity).by("Federated", ProviderARN(claims.Issuer, role.ARN)).
		when("StringEquals", issuer+":sub", claims.Subject).
		when("StringEquals", issuer+":aud", claims.Audience...)
}

// ProviderARN returns the ARN of the issuer's OIDC provider in a role's account.
func ProviderARN(issuer, roleARN string) string {
	parts := strings.SplitN(roleARN+":::::", ":", 6)
	return "arn:" + parts[1] + ":iam::" + parts[4] + ":oidc-provider/" + issuerName(issuer)
}

// issuerName returns the issuer's URL as IAM names it.
func issuerName(issuer string) string { return strings.TrimPrefix(issuer, "https://") }

// assuming returns the actions for assuming the role. Session tags need one more
// action, on both sides.
func assuming(role rule.Role) []string {
	if len(role.Tags) > 0 {
		return []string{assumeRole, tagSession}
	}
	return []string{assumeRole}
}

func externalID(role rule.Role, s Statement) Statement {
	if role.ExternalID == "" {
		return s
	}
	return s.when("StringEquals", "sts:ExternalId", role.ExternalID)
}
