package registry

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Region is an AWS region and the partition it belongs to. Regions are known
// by their shape, PREFIX-WORD-N, so that one opened tomorrow is understood
// today. The zero value is no region.
type Region struct {
	name      string
	partition *partition
}

// ParseRegion takes a region's name, such as eu-west-1 or us-gov-east-1.
func ParseRegion(s string) (Region, error) {
	if p, rest := longestPrefix(s); p != nil && isWordAndNumber(rest) {
		return Region{s, p}, nil
	}
	return Region{}, fmt.Errorf("%q is not a region; want a name such as eu-west-1", printable.Short(s))
}

// AnyRegion returns a region of the partition. It stands for all of them where only
// the partition matters, and need not exist.
func AnyRegion(p Partition) Region {
	i := slices.IndexFunc(partitions, func(other partition) bool { return other.Partition == p })
	return Region{partitions[i].regionPrefixes[0] + "-east-1", &partitions[i]}
}

// String is the region's name.
func (r Region) String() string { return r.name }

// IsZero reports whether r is no region.
func (r Region) IsZero() bool { return r.name == "" }

// Partition is the partition that the region belongs to.
func (r Region) Partition() Partition {
	if r.partition == nil {
		return Partition{}
	}
	return r.partition.Partition
}

// longestPrefix finds the partition whose region prefix is the longest that s
// starts with (us-gov before us), and what follows the prefix.
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

// isWordAndNumber matches [a-z]{1,20}-[1-9][0-9]?, the end of a region's name.
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
