package awsapi

import (
	"fmt"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// STSRegion returns the region of Options, or the zero Region.
func (a *API) STSRegion() registry.Region { return a.options.STSRegion }

// NamedRegion returns the region that the environment or the profile names for the
// node, or the zero Region if neither does. A name that is not a region's is an
// error.
func (a *API) NamedRegion() (registry.Region, error) {
	if a.cfg.Region == "" {
		return registry.Region{}, nil
	}
	region, err := registry.ParseRegion(a.cfg.Region)
	if err != nil {
		return registry.Region{}, fmt.Errorf("the node's region from AWS_REGION or the profile: %w", err)
	}
	return region, nil
}
