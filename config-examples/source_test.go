package examples_test

import (
	"net/url"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// TestHybridNodes: the file works unchanged. It also works if its commented-out source
// replaces the other one.
func TestHybridNodes(t *testing.T) {
	t.Parallel()
	rolesAnywhere := read(t, "hybrid-nodes.yaml")
	start, rest, _ := strings.Cut(rolesAnywhere, "\nnode:")
	_, ssm, found := strings.Cut(rest, "\n# node:")
	if !found {
		t.Fatalf("hybrid-nodes.yaml: want two sources, got %s", rolesAnywhere)
	}
	for content, want := range map[string]config.NodeSource{
		rolesAnywhere:           {Profile: "hybrid", ConfigFile: "/etc/aws/hybrid/config"},
		start + "\nnode:" + ssm: {Profile: "default", ConfigFile: "/root/.aws/credentials"},
	} {
		c := load(t, content)
		if c.Node != want || c.STSRegion.Fixed != region(t, "eu-west-1") {
			t.Errorf("got node %v, STS %v; want %v, and STS in eu-west-1", c.Node, c.STSRegion, want)
		}
	}
}

// TestPrivateLink: the URLs have the hosts of interface endpoints of ECR's API and STS.
// The configuration calls STS in a region that has an endpoint.
func TestPrivateLink(t *testing.T) {
	t.Parallel()
	c := load(t, read(t, "privatelink.yaml"))
	for service, endpoints := range map[string]map[registry.Region]string{"api.ecr": c.Endpoints.ECR, "sts": c.Endpoints.STS} {
		for r, endpoint := range endpoints {
			u, err := url.Parse(endpoint)
			if err != nil {
				t.Fatal(err)
			}
			id, name, _ := strings.Cut(u.Host, ".")
			if want := service + "." + r.String() + ".vpce.amazonaws.com"; name != want || !strings.HasPrefix(id, "vpce-") || u.Path != "" {
				t.Errorf("%s in %s: got %s; want https://vpce-ID.%s", service, r, endpoint, want)
			}
		}
		if _, ok := endpoints[c.STSRegion.Fixed]; !ok || len(endpoints) != 1 {
			t.Errorf("%s: got the endpoints %v; want only one in %s", service, endpoints, c.STSRegion.Fixed)
		}
	}
}

func region(t *testing.T, name string) registry.Region {
	t.Helper()
	r, err := registry.ParseRegion(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
