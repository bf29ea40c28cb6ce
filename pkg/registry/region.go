package registry

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Region is an AWS region and the partition it belongs to. The package recognizes
// regions by their form, PREFIX-WORD-N, and so also accepts future regions. The
// zero value is not a region.
type Region struct {
	name      string
	partition *partition
}

// ParseRegion parses a region's name, such as eu-west-1 or us-gov-east-1.
func ParseRegion(s string) (Region, error) {
	if p, rest := longestPrefix(s); p != nil && isWordAndNumber(rest) {
		return Region{s, p}, nil
	}
	return Region{}, fmt.Errorf("%q is not a region; want a name such as eu-west-1", printable.Short(s))
}

// AnyRegion returns a region of the partition, for uses where only the partition
// matters. The region need not exist.
func AnyRegion(p Partition) Region {
	i := slices.IndexFunc(partitions, func(other partition) bool { return other.Partition == p })
	return Region{partitions[i].regionPrefixes[0] + "-east-1", &partitions[i]}
}

// String returns the region's name.
func (r Region) String() string { return r.name }

// IsZero reports whether r is the zero value.
func (r Region) IsZero() bool { return r.name == "" }

// Partition returns the partition that the region belongs to.
func (r Region) Partition() Partition {
	if r.partition == nil {
		return Partition{}
	}
	return r.partition.Partition
}

// longestPrefix finds the partition with the longest region prefix of s (us-gov
// before us). It also returns the text after the prefix.
func longestPrefix(s string) (*partition, string) {
	var found *partition
	var length int
	for i := range partitions {
		for _, prefix := range partitions[i].regionPrefixes {
			if len(prefix) >= length && strings.HasPrefix(s, prefix+"-") {
				found, length = &partitions[i], len(prefix)
			}
		}
	}
	if found == nil {
		return nil, ""
	}
	return found, s[length+1:]
}

// isWordAndNumber reports whether s matches [a-z]{1,20}-[1-9][0-9]?, the end of a
// region's name.
func isWordAndNumber(s string) bool {
	word, number, ok := strings.Cut(s, "-")
	if !ok || word == "" || len(word) > 20 || number == "" || len(number) > 2 || number[0] == '0' {
		return false
	}
	for i := range len(word) {
		if !isLower(word[i]) {
			return false
		}
	}
	for i := range len(number) {
		if !isDigit(number[i]) {
			return false
		}
	}
	return true
}
