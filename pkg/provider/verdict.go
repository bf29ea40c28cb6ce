package provider

import (
	"context"
	"errors"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/identity"
)

// Verdict tells the cache what an error means for others who want the same.
func Verdict(err error) cache.Verdict {
	class, ok := awsapi.ClassOf(err)
	var refused identity.RefusedError
	switch {
	case errors.As(err, &refused):
		return cache.Remember // whatever else went wrong with what stood in for the role
	case !ok, errors.Is(err, context.Canceled):
		return cache.Forget // AWS has not been asked, or this process was told to stop
	case class == awsapi.Refused, class == awsapi.Misconfigured:
		return cache.Remember
	case class == awsapi.CallersToken:
		return cache.Forget
	}
	return cache.Transient
}
