package provider

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
)

// Outcome is what became of a request. The request log is made of it.
type Outcome struct {
	// Image is the image as the request names it, and Registry its registry's host;
	// empty if that is not Amazon ECR.
	Image, Registry string
	// Decision is what the configuration decides for the image.
	Decision plan.Decision
	// Lease is the token; zero if there is none.
	Lease cache.Lease
	// Response is what the kubelet gets, unless Err is set.
	Response kubelet.Response
	// Notes are what operators should know although there is a response.
	Notes []string
	// Anonymous is why a pull from ECR Public goes on without a token. That works, so
	// only the log mentions it. Nil otherwise.
	Anonymous error
	// Skew is by how much AWS's clock is ahead of the node's, as far as AWS's
	// answers tell; 0 if it is not known or does not matter.
	Skew time.Duration
	// Err is why there is no response.
	Err error
}

// ServiceAccount returns NAMESPACE/NAME of the service account that starts the
// plan; empty if the node does.
func (o Outcome) ServiceAccount() string {
	if start := o.Decision.Plan.ServiceAccount; start != nil {
		return start.Claims.Name()
	}
	return ""
}

// Identity returns who requested the token, or who would have.
func (o Outcome) Identity() string {
	switch {
	case o.Decision.Entry == nil, o.Decision.Plan.API.Region.IsZero(): // no plan
		return ""
	case o.Lease.Identity != "":
		return o.Lease.Identity
	}
	return o.Decision.Plan.Identity()
}
