package rule

import (
	"encoding/json"
	"fmt"
	"strings"
)

// PolicyKind is a kind of session policy. It limits a role to what pulls need.
type PolicyKind int

// The kinds of session policies.
const (
	NoPolicy PolicyKind = iota
	// PullOnly allows pulls of images that ECR has.
	PullOnly
	// PullThroughCache also allows ECR to fetch and store other images.
	PullThroughCache
)

// maxPolicy is the maximum number of characters of a session policy (STS API,
// AssumeRole).
const maxPolicy = 2048

// WithPolicy adds a session policy. It returns an error if the policy for the
// entry's repositories could be too long in some region.
func (r RoleTemplate) WithPolicy(kind PolicyKind, repositories []string) (RoleTemplate, error) {
	const longestPartition, longestRegion = "aws-us-gov", "us-gov-xxxxxxxxxxxxxxxxxxxx-99" // together as long as any pair that package registry accepts
	if n := len(kind.document(longestPartition, longestRegion, "000000000000", repositories)); n > maxPolicy {
		return r, fmt.Errorf("the session policy for the entry's repositories would have up to %d characters, and STS takes %d; name fewer or shorter repositories",
			n, maxPolicy)
	}
	r.policy = kind
	return r, nil
}

// HasPolicy reports whether the role is assumed with a session policy.
func (r RoleTemplate) HasPolicy() bool { return r.policy != NoPolicy }

// TokenAction is the action that requests a token. It cannot be limited to a
// resource (Service Authorization Reference, Amazon ECR).
const TokenAction = "ecr:GetAuthorizationToken" //nolint:gosec // an action, not a credential

const importAction = "ecr:BatchImportUpstreamImage"

// PullActions returns the actions on repositories that pulls need (Amazon ECR User
// Guide, "Amazon ECR managed policies", "IAM permissions for pull through cache").
func (k PolicyKind) PullActions() []string {
	actions := []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}
	if k == PullThroughCache {
		actions = append(actions, importAction, "ecr:CreateRepository")
	}
	return actions
}

// RepositoryARNs returns an ARN pattern for each prefix of repository names. Without
// prefixes, it returns one for all repositories. Region and account may be patterns.
func RepositoryARNs(partition, region, account string, repositories []string) []string {
	if len(repositories) == 0 {
		repositories = []string{""}
	}
	arns := make([]string, len(repositories))
	for i, prefix := range repositories {
		arns[i] = fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s*", partition, region, account, prefix)
	}
	return arns
}

// document returns the policy in JSON. It allows pulls from the repositories, and
// requests for a token.
func (k PolicyKind) document(partition, region, account string, repositories []string) string {
	if k == NoPolicy {
		return ""
	}
	document, _ := json.Marshal(policyDocument{"2012-10-17", []statement{ // cannot fail: it encodes only strings
		{"Allow", []string{TokenAction}, []string{"*"}},
		{"Allow", k.PullActions(), RepositoryARNs(partition, region, account, repositories)},
	}})
	return string(document)
}

// PolicyKind returns the kind of the role's session policy.
func (r Role) PolicyKind() PolicyKind {
	switch {
	case r.Policy == "":
		return NoPolicy
	case strings.Contains(r.Policy, importAction):
		return PullThroughCache
	}
	return PullOnly
}

type policyDocument struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect           string
	Action, Resource []string
}
