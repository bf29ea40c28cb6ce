package registry

import (
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Partition is one of AWS's separate groups of accounts, regions and host names. A
// role of one partition can't be assumed from another. The partition is the second
// part of an ARN. The zero value is not a partition.
type Partition struct{ name string }

// These are the partitions that this package knows.
var (
	AWS      = Partition{"aws"}
	AWSCN    = Partition{"aws-cn"}
	AWSUSGov = Partition{"aws-us-gov"}
	AWSEUSC  = Partition{"aws-eusc"}
	AWSISO   = Partition{"aws-iso"}
	AWSISOB  = Partition{"aws-iso-b"}
	AWSISOE  = Partition{"aws-iso-e"}
	AWSISOF  = Partition{"aws-iso-f"}
)

// ParsePartition parses a partition's name as ARNs spell it.
func ParsePartition(s string) (Partition, error) {
	for _, p := range partitions {
		if p.name == s {
			return p.Partition, nil
		}
	}
	return Partition{}, fmt.Errorf("%q is not a partition; want one of %s", printable.Short(s), partitionNames())
}

// String returns the partition's name as ARNs spell it.
func (p Partition) String() string { return p.name }

// partition describes the form of a partition's regions and registry hosts. Sources:
// the SDK's endpoint partitions (partitions.json), and Amazon ECR's and Bottlerocket's
// lists of registry hosts.
type partition struct {
	Partition
	regionPrefixes []string // a region is PREFIX-WORD-N
	suffix         string   // of ACCOUNT.dkr.ecr.REGION.SUFFIX
	fips           bool     // ACCOUNT.dkr.ecr-fips.REGION.SUFFIX is a registry
	dualSuffix     string   // of ACCOUNT.dkr-ecr.REGION.SUFFIX; "" if there is none
}

var partitions = []partition{
	{AWS, []string{"us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"}, "amazonaws.com", true, "on.aws"},
	{AWSUSGov, []string{"us-gov"}, "amazonaws.com", true, "on.aws"},
	{AWSCN, []string{"cn"}, "amazonaws.com.cn", false, "on.amazonwebservices.com.cn"},
	{AWSEUSC, []string{"eusc-de"}, "amazonaws.eu", true, ""},
	{AWSISO, []string{"us-iso"}, "c2s.ic.gov", true, ""},
	{AWSISOB, []string{"us-isob"}, "sc2s.sgov.gov", true, ""},
	{AWSISOE, []string{"eu-isoe"}, "cloud.adc-e.uk", true, ""},
	{AWSISOF, []string{"us-isof"}, "csp.hci.ic.gov", true, ""},
}

func partitionNames() string {
	names := make([]string, len(partitions))
	for i, p := range partitions {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}
