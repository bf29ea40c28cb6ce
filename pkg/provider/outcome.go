package provider

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
)

// Outcome is the result of a request. The request log derives from it.
type Outcome struct {
	// Image is the image as the request names it. Registry is the host of the ECR
	// registry that serves the image. It is empty if there is none.
	Image, Registry string
	// Decision is what the configuration decides for the image.
	Decision plan.Decision
	// Lease is the token, or zero if there is none.
	Lease cache.Lease
	// Response is what the kubelet gets, unless Err is set.
	Response kubelet.Response
	// Notes are warnings for operators. They accompany a response or an error.
	Notes []string
	// Anonymous says why a pull from ECR Public continues without a token. Such a pull
	// works, so only the log mentions the reason.
	Anonymous error
	// Skew is how far AWS's clock is ahead of the node's, according to AWS's answers.
	// It is 0 if it is unknown or does not matter.
	Skew time.Duration
	// Err is the reason why there is no response.
	Err error
}

// ServiceAccount returns NAMESPACE/NAME of the service account that starts the
// plan. It returns "" if the node does.
func (o Outcome) ServiceAccount() string {
	if start := o.Decision.Plan.ServiceAccount; start != nil {
		return start.Claims.Name()
	}
	return ""
}

// Identity returns who requested the token, or who would have requested it.
func (o Outcome) Identity() string {
	switch {
	case o.Decision.Entry == nil, o.Decision.Plan.API.Region.IsZero(): // no plan
		return ""
	case o.Lease.Identity != "":
		return o.Lease.Identity
	}
	return o.Decision.Plan.Identity()
}
