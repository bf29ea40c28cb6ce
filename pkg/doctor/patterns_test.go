package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// These are the two entries that install writes if some accounts need the pods' tokens.
const (
	nodesEntry = pluginName
	podsEntry  = pluginName + "-pods"
)

// withTwoEntries returns an examination of a kubelet with two of the plugin's entries. Its
// files are in root.
func withTwoEntries(t *testing.T, root string, node, pods []string) *examination {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n" +
		"- {accounts: [\"444455556666\"]}\n" +
		"- {accounts: [\"777788889999\"], source: ServiceAccount, serviceAccount: {allowedRoles: [\"arn:aws:iam::{account}:role/pull\"]}}\n" +
		"mirrors:\n- {host: docker.io, registry: 777788889999.dkr.ecr.eu-west-1.amazonaws.com/docker-hub}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &examination{config: c}
	e.kubelet.root = root
	e.kubelet.plugins = []providerconfig.Provider{
		{Name: nodesEntry, MatchImages: node},
		{Name: podsEntry, MatchImages: pods, TokenAttributes: &providerconfig.TokenAttributes{}},
	}
	e.kubelet.config.Providers, e.kubelet.entry = e.kubelet.plugins, &e.kubelet.plugins[0]
	return e
}

// TestPatternsOfTwoEntries: the kubelet must ask the entry that can serve the image. An
// entry without tokens cannot serve an account that needs the pods' tokens.
func TestPatternsOfTwoEntries(t *testing.T) {
	t.Parallel()
	const nodes, others = "444455556666.dkr.ecr.*.amazonaws.com", "777788889999.dkr.ecr.*.amazonaws.com"
	const nodesImage, podsImage = "444455556666.dkr.ecr.us-east-1.amazonaws.com/app", "777788889999.dkr.ecr.us-east-1.amazonaws.com/app"
	for name, test := range map[string]struct {
		node, pods []string
		image      string // none: all entries
		want       diagnosis.Result
		words      string
	}{
		"the node's image": {[]string{nodes}, []string{others}, nodesImage, diagnosis.OK, "the kubelet asks " + nodesEntry + ";"},
		"a pod's image":    {[]string{nodes}, []string{others}, podsImage, diagnosis.OK, "the kubelet asks " + podsEntry + ";"},
		"both, without the forms": {
			[]string{nodes},
			[]string{others},
			"", diagnosis.Warning,
			"; no pattern of provider " + podsEntry + " matches 777788889999.dkr.ecr-fips.us-east-1.amazonaws.com, ",
		},
		"the node's image by the pods' entry": {[]string{others}, []string{nodes}, nodesImage, diagnosis.OK, "the kubelet asks " + podsEntry + ";"},
		"the node's image, not matched":       {[]string{others}, []string{others}, nodesImage, diagnosis.Failed, "to matchImages of " + nodesEntry + ","},
		"a pod's image by the node's entry":   {[]string{nodes, others}, []string{nodes}, podsImage, diagnosis.Failed, "to matchImages of " + podsEntry + ","},
		"a pod's image by both":               {[]string{nodes, others}, []string{others}, podsImage, diagnosis.Warning, "gets no pod's token"},
		"all by the node's entry": {
			[]string{nodes, others},
			[]string{nodes},
			"", diagnosis.Failed,
			"no pattern of provider " + podsEntry + " matches 777788889999.dkr.ecr.us-east-1.amazonaws.com;",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := withTwoEntries(t, t.TempDir(), test.node, test.pods)
			f := e.patternsOfEntries()
			if test.image != "" {
				f = e.patternsFor(test.image)
			}
			if both := f.Detail + "; " + f.Hint; f.Result != test.want || !strings.Contains(both, test.words) {
				t.Errorf("got %s (%s), want %s with %q", f.Result, both, test.want, test.words)
			}
		})
	}
}

// TestMirrorOfPods: the entry for pods must match the mirror of an account that needs the
// pods' tokens.
func TestMirrorOfPods(t *testing.T) {
	t.Parallel()
	const endpoint = "https://777788889999.dkr.ecr.eu-west-1.amazonaws.com/v2/docker-hub"
	root := t.TempDir()
	directory := filepath.Join(root, "etc/containerd/certs.d/docker.io")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	hosts := "server = \"" + endpoint + "\"\noverride_path = true\n[host.\"" + endpoint + "\"]\n  override_path = true\n"
	if err := os.WriteFile(filepath.Join(directory, "hosts.toml"), []byte(hosts), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		node, pods []string
		want       diagnosis.Result
		hint       string
	}{
		{nil, []string{"docker.io"}, diagnosis.OK, ""},
		{[]string{"docker.io"}, nil, diagnosis.Failed, "add docker.io to matchImages of " + podsEntry + ", and restart the kubelet"},
	} {
		e := withTwoEntries(t, root, test.node, test.pods)
		if f := e.checkMirror(e.config.Mirrors[0]); f.Result != test.want || f.Hint != test.hint {
			t.Errorf("node %q, pods %q: got %s (%s; %s), want %s (%s)", test.node, test.pods, f.Result, f.Detail, f.Hint, test.want, test.hint)
		}
	}
}
