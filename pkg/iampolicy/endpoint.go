package iampolicy

import (
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// The statements below belong to the policies of the VPC endpoints that the nodes
// use. Statements that name callers do it by a condition, which every endpoint accepts.
// A gateway's policy accepts no role as a principal.

// PassAssumeRole lets a caller assume the role through the endpoint of STS. The caller
// is a role's ARN, or a pattern of it.
func PassAssumeRole(caller string, role rule.Role) Statement {
	return passing("AssumePullRole", caller, assuming(role)...).on(role.ARN)
}

// PassServiceAccount lets service accounts assume the role through the endpoint of
// STS. They need their own statement. Before the role is assumed, the caller has no
// principal, so no condition on the principal can be true.
func PassServiceAccount(role rule.Role) Statement {
	return allow("AssumeRoleOfServiceAccount", assumeWithWebIdentity).by("AWS", "*").on(role.ARN)
}

// PassCallerIdentity lets a caller ask STS for its own account.
func PassCallerIdentity(caller string) Statement {
	return passing("OwnAccount", caller, callerIdentity).on("*")
}

// PassToken lets a role request a token through the endpoint of ECR's API
// (ecr.api). The role is the last one of a plan, or the node's. It often belongs to
// another account.
func PassToken(role string) Statement { return passing("Token", role, rule.TokenAction).on("*") }

// PassPull lets a role pull from repositories through the endpoint of ECR's
// registries (ecr.dkr).
func PassPull(role string, kind rule.PolicyKind, repositories ...string) Statement {
	return passing("Pull", role, kind.PullActions()...).on(repositories...)
}

// PassLayers lets everybody fetch the layers of images through the gateway of S3.
// ECR signs their URLs.
func PassLayers(region registry.Region) Statement {
	return allow("Layers", "s3:GetObject").by("AWS", "*").
		on("arn:" + region.Partition().String() + ":s3:::prod-" + region.String() + "-starport-layer-bucket/*")
}

func passing(sid, caller string, actions ...string) Statement {
	return allow(sid, actions...).by("AWS", "*").when("ArnLike", "aws:PrincipalArn", caller)
}
