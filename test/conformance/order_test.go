package conformance

import (
	"strings"
	"testing"
)

// If the plugin runs beside the stock provider, both answer for another account's
// image, and a kubelet tries both. Here the plugin without a configuration takes the
// place of the stock provider, because it behaves the same.
const (
	stock    = "ecr-credential-provider"
	awsNamed = "aws-" + name
)

var (
	oursFirst  = []string{asFirst, asNode}
	stockFirst = []string{asNode, asFirst}
)

// TestOrder: the order of the providers' credentials depends on the release, as
// documented.
func TestOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		entries  []string
		config   string   // of the plugin
		byConfig []string // if the order of the configuration counts
		byName   []string // if the order of the names counts
	}{
		{"ours listed first", []string{name, stock}, oneRole, oursFirst, stockFirst},
		{"ours listed last", []string{stock, name}, oneRole, stockFirst, stockFirst},
		{"ours named aws-, listed first", []string{awsNamed, stock}, oneRole, oursFirst, oursFirst},
		{"ours named aws-, listed last", []string{stock, awsNamed}, oneRole, stockFirst, oursFirst},
		{"an answer for one repository, listed last", []string{stock, name}, byRepository, oursFirst, oursFirst},
	}
	for _, r := range releases {
		for _, test := range tests {
			t.Run(r.version+" "+test.name, func(t *testing.T) {
				t.Parallel()
				node := install(t, test.entries...)
				config := map[string]string{name: test.config, awsNamed: test.config}
				var entries []string
				for _, name := range test.entries {
					entries = append(entries, entry(t, name, "v1", config[name]))
				}
				want := test.byConfig
				if r.byName {
					want = test.byName
				}
				r.check(t, node, startAWS(t), kubelet{
					Config:  node.configure(t, "providers.yaml", entries...),
					BinDir:  node.dir,
					Lookups: []pod{{Image: first + "/team-a/app"}},
				}, outcome{as: [][]string{want}, runs: 2})
			})
		}
	}
}

// TestDirectory: on Amazon EKS both flags may name one directory with the plugins,
// their configurations and other files. The files' names determine the order.
func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, r := range releases {
		t.Run(r.version, func(t *testing.T) {
			t.Parallel()
			node := install(t, stock, name)
			node.configure(t, "config.yaml", entry(t, stock, "v1", ""))
			node.configure(t, "10-ecr-cross-account.yaml", entry(t, name, "v1", oneRole))
			k := kubelet{Config: node.dir, BinDir: node.dir, Lookups: []pod{{Image: first + "/team-a/app"}}}
			if r.directories {
				r.check(t, node, startAWS(t), k, outcome{as: [][]string{oursFirst}, runs: 2})
				return
			}
			if _, log, err := r.run(t, k, nil); err == nil || !strings.Contains(log, "is a directory") {
				t.Errorf("a directory of configurations: got %v, %s; want an error", err, log)
			}
		})
	}
}
