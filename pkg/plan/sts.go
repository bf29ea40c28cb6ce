package plan

import (
	"fmt"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// STS returns the region in which the plan's roles are assumed: STSRegion, else the
// node's region, else the region of the registry. The node's region comes first,
// because the node can often reach only the STS of its own region.
//
// A FIPS registry needs an STS with a FIPS endpoint. hasFIPS reports whether a
// region has one. If STSRegion is zero and the node's region has none, STS returns
// the registry's region.
func (p Plan) STS(node registry.Region, hasFIPS func(registry.Region) bool) (registry.Region, error) {
	region := p.STSRegion
	if region.IsZero() {
		region = node
		wrongPlace := p.API.FIPS && !region.IsZero() && region.Partition() == p.API.Region.Partition() && !hasFIPS(region)
		if region.IsZero() || wrongPlace {
			region = p.API.Region
		}
	}
	switch {
	case region.Partition() != p.API.Region.Partition():
		return region, fmt.Errorf("STS would be called in %s of partition %s, but the registry is in partition %s; roles are assumed within one partition only",
			region, region.Partition(), p.API.Region.Partition())
	case p.API.FIPS && !hasFIPS(region):
		return region, fmt.Errorf("the registry's host asks for FIPS endpoints, but STS has none in %s; %s, or use the host without -fips",
			region, fipsRemedy(region.Partition()))
	}
	return region, nil
}

// fipsRemedy says how to choose an STS with a FIPS endpoint.
func fipsRemedy(p registry.Partition) string {
	if p != registry.AWS {
		return "name an endpoint in endpoints.sts"
	}
	return "set sts.region to us-east-1, us-east-2, us-west-1 or us-west-2, name an endpoint in endpoints.sts"
}
