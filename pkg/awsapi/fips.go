package awsapi

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// stsFIPS are the regions of partition aws in which STS has a FIPS endpoint; in
// GovCloud all have (the SDK's endpoints; AWS's page "FIPS").
var stsFIPS = []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2"}

// STSHasFIPS tells whether a FIPS registry's roles can be assumed in a region:
// STS has a FIPS endpoint there, or an endpoint is named, which stands as it is.
func (a *API) STSHasFIPS(region registry.Region) bool {
	if region.Partition() == registry.AWSUSGov || slices.Contains(stsFIPS, region.String()) {
		return true
	}
	client, err := a.STS(region, false, aws.Credentials{})
	return err == nil && client.Options().BaseEndpoint != nil
}
