package registry

import "slices"

// Partitions returns all partitions that this package knows.
func Partitions() []Partition {
	all := make([]Partition, len(partitions))
	for i, p := range partitions {
		all[i] = p.Partition
	}
	return all
}

// PublicHosts returns the hosts of ECR Public.
func PublicHosts() []string { return slices.Clone(publicHosts) }

var publicHosts = []string{"public.ecr.aws", "ecr-public.aws.com"}

// HostPatterns returns patterns for a kubelet's matchImages. They match the hosts of an
// account's private registries in a partition, one pattern for each form of host. The
// account is 12 digits, or "*" for all accounts.
func HostPatterns(account string, p Partition) []string {
	var patterns []string
	for i := range partitions {
		if partitions[i].Partition != p {
			continue
		}
		for _, form := range hostForms {
			if suffix, ok := form.suffix(&partitions[i]); ok {
				patterns = append(patterns, account+"."+form.labels+"*."+suffix)
			}
		}
	}
	return patterns
}
