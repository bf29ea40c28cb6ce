package fakeaws

import (
	"slices"
	"strings"
)

// partition is an AWS partition with its own names.
type partition struct {
	regions string // prefix of its regions
	name    string // in ARNs
	domain  string // of its hosts
}

// partitions are all partitions. The last one has all regions that match no other.
var partitions = []partition{
	{"cn-", "aws-cn", "amazonaws.com.cn"},
	{"us-gov-", "aws-us-gov", "amazonaws.com"},
	{"eusc-", "aws-eusc", "amazonaws.eu"},
	{"us-iso-", "aws-iso", "c2s.ic.gov"},
	{"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
	{"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
	{"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
	{"", "aws", "amazonaws.com"},
}

// partitionAt returns the partition of a region.
func partitionAt(region string) partition {
	return partitions[slices.IndexFunc(partitions, func(p partition) bool { return strings.HasPrefix(region, p.regions) })]
}
