package registry

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// RegionPattern is a region's name in which "*" stands for any run of
// characters. The zero value matches nothing.
type RegionPattern struct{ glob string }

// maxPattern limits the time to compare two patterns. No region's name is longer.
const maxPattern = 64

// ParseRegionPattern parses a region's name (eu-west-1) or a pattern (us-*).
func ParseRegionPattern(s string) (RegionPattern, error) {
	if !strings.Contains(s, "*") {
		r, err := ParseRegion(s)
		return RegionPattern{r.name}, err
	}
	for i := range len(s) {
		if c := s[i]; c != '*' && c != '-' && !isLower(c) && !isDigit(c) {
			return RegionPattern{}, fmt.Errorf("%q is not a pattern of regions; want one such as us-*", printable.Short(s))
		}
	}
	if len(s) > maxPattern {
		return RegionPattern{}, fmt.Errorf("%q is longer than %d characters, the limit of a pattern", printable.Short(s), maxPattern)
	}
	p := RegionPattern{s}
	if len(p.Partitions()) == 0 {
		return RegionPattern{}, fmt.Errorf("%q matches the regions of no partition; want a pattern such as us-*", printable.Short(s))
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p RegionPattern) String() string { return p.glob }

// Exact reports whether the pattern is the name of one region.
func (p RegionPattern) Exact() bool { return !strings.Contains(p.glob, "*") }

// Match reports whether the pattern matches r. The zero Region matches no pattern.
func (p RegionPattern) Match(r Region) bool { return !r.IsZero() && overlap(p.glob, r.name) }

// Overlaps reports whether some name could match both patterns.
func (p RegionPattern) Overlaps(q RegionPattern) bool { return overlap(p.glob, q.glob) }

// Partitions returns the partitions of all regions that the pattern could match. It
// uses only the text before the first "*": us-gov-* belongs to aws-us-gov only,
// us-* to several.
func (p RegionPattern) Partitions() []Partition {
	start, _, _ := strings.Cut(p.glob, "*")
	if only, _ := longestPrefix(start); only != nil && !extendsTo(only, start) {
		return []Partition{only.Partition}
	}
	var found []Partition
	for i := range partitions {
		matches := slices.ContainsFunc(partitions[i].regionPrefixes, func(prefix string) bool {
			return strings.HasPrefix(prefix+"-", start) || strings.HasPrefix(start, prefix+"-")
		})
		if matches {
			found = append(found, partitions[i].Partition)
		}
	}
	return found
}

// extendsTo reports whether a region that starts with start may belong to a
// partition other than p. start already has p's prefix.
func extendsTo(p *partition, start string) bool {
	for i := range partitions {
		if partitions[i].Partition == p.Partition {
			continue
		}
		for _, prefix := range partitions[i].regionPrefixes {
			if strings.HasPrefix(prefix+"-", start) {
				return true
			}
		}
	}
	return false
}

// overlap reports whether some string matches both globs. It visits each pair of
// positions in a and b once, so no pattern makes it slow.
func overlap(a, b string) bool {
	after := make([]bool, len(b)+1) // whether a[i+1:] and b[j:] overlap
	for i := len(a); i >= 0; i-- {
		here := make([]bool, len(b)+1)
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				here[j] = true
			case i < len(a) && a[i] == '*':
				here[j] = after[j] || j < len(b) && here[j+1]
			case j < len(b) && b[j] == '*':
				here[j] = here[j+1] || i < len(a) && after[j]
			case i < len(a) && j < len(b):
				here[j] = a[i] == b[j] && after[j+1]
			}
		}
		after = here
	}
	return after[0]
}
