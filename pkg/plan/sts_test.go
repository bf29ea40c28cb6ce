package plan_test

import (
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// TestSTS: the region of STS depends on the configuration, the node's region and
// the form of the registry's host.
func TestSTS(t *testing.T) {
	t.Parallel()
	hasFIPS := func(r registry.Region) bool {
		return slices.Contains([]string{"us-east-1", "us-east-2", "us-gov-west-1"}, r.String())
	}
	tests := []struct{ name, registry, fixed, node, want, wantErr string }{
		{"the node's", "eu-west-1", "", "eu-central-1", "eu-central-1", ""},
		{"unknown, so the registry's", "eu-west-1", "", "", "eu-west-1", ""},
		{"fixed", "eu-west-1", "us-west-2", "eu-central-1", "us-west-2", ""},
		{"the node in another partition", "eu-west-1", "", "cn-north-1", "", "STS would be called in cn-north-1 of partition aws-cn, but the registry is in partition aws;"},
		{"fixed in another partition", "cn-north-1", "eu-west-1", "cn-north-1", "", "STS would be called in eu-west-1 of partition aws, but the registry is in partition aws-cn;"},
		{"FIPS in the node's region", "us-east-2 fips", "", "us-east-1", "us-east-1", ""},
		{"no FIPS in the node's region", "us-east-2 fips", "", "eu-west-1", "us-east-2", ""},
		{"no FIPS in either", "ca-central-1 fips", "", "eu-west-1", "", "STS has none in ca-central-1; set sts.region to us-east-1,"},
		{"no FIPS in the fixed one", "us-east-1 fips", "eu-west-1", "us-east-1", "", "STS has none in eu-west-1; set sts.region to us-east-1,"},
		{"FIPS in GovCloud", "us-gov-west-1 fips", "", "us-gov-west-1", "us-gov-west-1", ""},
		{"FIPS in another partition", "us-iso-east-1 fips", "", "us-iso-east-1", "", "STS has none in us-iso-east-1; name an endpoint in endpoints.sts, or"},
		{"dual-stack changes nothing", "eu-west-1 dual-stack", "", "eu-north-1", "eu-north-1", ""},
		{"dual-stack and FIPS", "us-east-1 fips dual-stack", "", "us-west-2", "us-east-1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			name, form, _ := strings.Cut(test.registry, " ")
			api := registry.API{Region: region(t, name), FIPS: strings.Contains(form, "fips"), DualStack: strings.Contains(form, "dual-stack")}
			p := plan.Plan{API: api, STSRegion: region(t, test.fixed)}
			got, err := p.STS(region(t, test.node), hasFIPS)
			switch {
			case test.wantErr == "" && (err != nil || got.String() != test.want):
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			case test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)):
				t.Errorf("got %v; want %s", err, test.wantErr)
			case err != nil && !strings.HasPrefix(name, "us-") && !strings.HasPrefix(name, "ca-") && strings.Contains(err.Error(), "us-east-1"):
				t.Errorf("got a remedy for another partition: %v", err)
			}
		})
	}
}

func region(t *testing.T, name string) registry.Region {
	t.Helper()
	if name == "" {
		return registry.Region{}
	}
	r, err := registry.ParseRegion(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
