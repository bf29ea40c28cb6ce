package registry

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostPatterns(t *testing.T) {
	t.Parallel()
	for p, want := range map[Partition][]string{
		AWS: {
			"444455556666.dkr.ecr.*.amazonaws.com", "444455556666.dkr.ecr-fips.*.amazonaws.com",
			"444455556666.dkr-ecr.*.on.aws", "444455556666.dkr-ecr-fips.*.on.aws",
		},
		AWSCN:  {"444455556666.dkr.ecr.*.amazonaws.com.cn", "444455556666.dkr-ecr.*.on.amazonwebservices.com.cn"},
		AWSISO: {"444455556666.dkr.ecr.*.c2s.ic.gov", "444455556666.dkr.ecr-fips.*.c2s.ic.gov"},
		{}:     nil,
	} {
		if diff := cmp.Diff(want, HostPatterns("444455556666", p)); diff != "" {
			t.Errorf("%s: %s", p, diff)
		}
	}
}

// TestPatternsMatch replaces the stars of each pattern with an account and a region.
// Parse accepts each of these hosts, in the pattern's partition.
func TestPatternsMatch(t *testing.T) {
	t.Parallel()
	for _, p := range Partitions() {
		region := AnyRegion(p)
		for _, pattern := range HostPatterns("*", p) {
			host := strings.Replace(pattern, "*", "444455556666", 1)
			host = strings.Replace(host, "*", region.String(), 1)
			if ok, err := path.Match(pattern, host); !ok || err != nil {
				t.Errorf("%s does not match %s: %v", pattern, host, err)
			}
			image, ok := Parse(host + "/app")
			if !ok || image.Registry().Partition() != p {
				t.Errorf("%s is not in partition %s: %v", host, p, WhyNotECR(host+"/app"))
			}
		}
	}
	for _, host := range PublicHosts() {
		if image, ok := Parse(host + "/a/b"); !ok || !image.Registry().Public() {
			t.Errorf("%s is not ECR Public", host)
		}
	}
}
