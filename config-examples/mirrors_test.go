package examples_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

const mirrorHosts = "mirrors/hosts.toml"

// TestHostsNameOneRegistry: in hosts.toml, both server and the one host are the
// registry of mirrors.yaml, with the prefix of its repositories. In test/node, a
// real containerd uses the same file.
func TestHostsNameOneRegistry(t *testing.T) {
	t.Parallel()
	mirror := load(t, read(t, "mirrors.yaml")).Mirrors[0]
	url := "https://" + mirror.Registry().Host() + "/v2/" + strings.TrimSuffix(mirror.Prefix(), "/")
	var hosts []string
	for line := range strings.Lines(read(t, mirrorHosts)) {
		if _, rest, ok := strings.Cut(line, `"https://`); ok && !strings.HasPrefix(line, "#") {
			hosts = append(hosts, "https://"+rest[:strings.IndexByte(rest, '"')])
		}
	}
	if len(hosts) != 2 || hosts[0] != url || hosts[1] != url {
		t.Errorf("hosts.toml: got the hosts %q; want %s two times", hosts, url)
	}
	if !strings.Contains(read(t, mirrorHosts), "/etc/containerd/certs.d/"+mirror.Host()+"/hosts.toml") {
		t.Errorf("hosts.toml: got no comment with its path for %s", mirror.Host())
	}
}

// TestMirrorsPage: the page's configuration is mirrors.yaml without its comments.
func TestMirrorsPage(t *testing.T) {
	t.Parallel()
	_, block, _ := strings.Cut(read(t, "mirrors/README.md"), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	page, file := load(t, block), load(t, read(t, "mirrors.yaml"))
	const nginx = "docker.io/library/nginx"
	image, err := page.Image(nginx)
	if err != nil {
		t.Fatal(err)
	}
	same, err := file.Image(nginx)
	if err != nil || image != same || image.Repository() != "docker-hub/library/nginx" {
		t.Errorf("%s: got %s on the page and %s in the file, error %v; want the same", nginx, image.Repository(), same.Repository(), err)
	}
	if page.Rules.Match(image, registry.Account{}).Entry.Roles[0].Template() != file.Rules.Match(same, registry.Account{}).Entry.Roles[0].Template() {
		t.Error("got different roles on the page and in the file; want the same")
	}
}
