package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefuses: before any change, install refuses what cannot work.
func TestRefuses(t *testing.T) {
	t.Parallel()
	release := func(id string) map[string]string {
		return map[string]string{"/etc/os-release": "NAME=x\nID=" + id + "\n"}
	}
	with := func(files map[string]string, path, content string) map[string]string {
		files[path] = content
		return files
	}
	al2 := func() map[string]string { return eks("v1.32.0", "/etc/eks/bootstrap.sh") }
	al2023 := func() map[string]string { return eks("v1.34.0", "/usr/bin/nodeadm") }
	for name, test := range map[string]struct {
		files  map[string]string
		change func(*testNode)
		want   string
	}{
		"Bottlerocket":       {release("bottlerocket"), nil, "install does not work on bottlerocket: Bottlerocket takes no other provider"},
		"Talos":              {release(`"talos"`), nil, "install does not work on talos"},
		"kOps":               {map[string]string{"/opt/kops/bin/nodeup": ""}, nil, "install does not work on kops: kOps writes these files itself"},
		"Auto Mode":          {nil, func(n *testNode) { n.options.Platform = "eks-auto" }, "AWS manages these nodes and takes no plugin; use pull Secrets"},
		"an unknown name":    {nil, func(n *testNode) { n.options.Platform = "eks" }, `"eks" is not a platform; want one of auto, rke2, k3s, `},
		"no kubelet":         {nil, nil, "the kubelet's version is not known: no kubelet at /usr/bin/kubelet, /usr/local/bin/kubelet, /opt/bin/kubelet below "},
		"no version":         {with(al2(), "/usr/bin/kubelet", "?"), nil, `no version of Kubernetes such as v1.34.4 in "?"; name it with --kubelet-version`},
		"no paths":           {map[string]string{"/usr/bin/kubelet": "v1.34.0"}, nil, "the kubelet's flags are not known here; name its paths with --bin-dir DIR --provider-config PATH"},
		"no configuration":   {al2(), func(n *testNode) { n.options.Config = "" }, "no configuration; name it with --config FILE"},
		"a bad one":          {al2(), func(n *testNode) { n.writeFile(n.options.Config, head+"registry: []\n", 0o600) }, "registry: unknown field; did you mean registries?"},
		"a missing one":      {al2(), func(n *testNode) { n.options.Config += "x" }, "not found"},
		"no plugin":          {al2(), func(n *testNode) { n.options.Plugin += "x" }, "name it with --plugin FILE"},
		"pods, an old one":   {al2(), func(n *testNode) { n.writeFile(n.options.Config, head+"registries:\n"+ofPods, 0o600) }, "need kubelet 1.34 or later, and this kubelet is 1.32"},
		"another machine's":  {al2023(), func(n *testNode) { n.writeFile(n.options.Plugin, "another architecture", 0o755) }, "the plugin does not run in " + eksDir + ": exec format error; is it for this architecture"},
		"another program":    {al2023(), func(n *testNode) { n.writeFile(n.options.Plugin, "another program", 0o755) }, `the plugin's file is another program: it prints "another v1" as its version; name the plugin with --plugin FILE`},
		"an ancient kubelet": {with(al2023(), "/usr/bin/kubelet", "Kubernetes v1.28.9"), nil, "the kubelet is 1.28, and the plugin needs 1.29 or later"},
		"no version at all":  {al2023(), func(n *testNode) { n.options.KubeletVersion = "new" }, `--kubelet-version "new" is not a version such as v1.34`},
		"no root":            {al2023(), func(n *testNode) { n.Root += "/etc/os-release" }, "etc/os-release is not a directory"},
		"a broken file":      {with(al2(), eksDir+"/config.json", `{"providers":`), nil, "config.json: yaml: line 1"},
		"another's mistake":  {with(al2(), eksDir+"/config.json", strings.Replace(stockJSONv1, "matchImages", "matchImage", 1)), nil, "the kubelet would not start, so nothing was changed: "},
		"another's file":     {with(al2023(), eksDir+"/20.yaml", stockYAML), nil, "is a duplicate of one in"},
		"no binary":          {without(al2(), eksDir+"/ecr-credential-provider"), nil, "ecr-credential-provider, the binary of provider ecr-credential-provider, is missing or not executable"},
		"not executable": {al2(), func(n *testNode) {
			n.writeFile(n.root+eksDir+"/ecr-credential-provider", "", 0o644)
		}, "ecr-credential-provider, the binary of provider ecr-credential-provider, is missing or not executable"},
		"a restart":          {al2(), func(n *testNode) { n.options.Restart = true }, "--restart needs systemd on this machine"},
		"an old directory":   {map[string]string{"/usr/bin/kubelet": "v1.33.0", "/etc/providers/x.yaml": ""}, named("/etc/providers"), "/etc/providers is a directory, which needs kubelet 1.34 or later, and this kubelet is 1.33"},
		"instead, directory": {map[string]string{"/usr/bin/kubelet": "v1.34.0", "/etc/providers/x.yaml": ""}, func(n *testNode) { named("/etc/providers")(n); instead(&n.options) }, "--instead-of-stock rewrites one file"},
		"a symbolic link": {al2(), func(n *testNode) {
			n.write("/etc/real", stockJSONv1)
			link(n, n.root+"/etc/real", eksDir+"/config.json")
		}, "is a symbolic link to"},
		"a directory in the way": {al2(), func(n *testNode) { n.write(eksDir+"/"+olderName+"/x", "") }, olderName + " is not a regular file; move it away"},
		"damaged state":          {al2(), func(n *testNode) { n.write(stateFile, "{") }, "reading what was installed before"},
		"hostile state": {al2(), func(n *testNode) {
			n.write(stateFile, `{"files":[{"path":"/etc/x","former":{"mode":420,"fingerprint":"x"},"ours":[]}]}`)
		}, `the record of "/etc/x" is damaged`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, test.files)
			if test.change != nil {
				test.change(n)
			}
			n.refused(test.want)
		})
	}
}

func named(path string) func(*testNode) {
	return func(n *testNode) { n.options.BinDir, n.options.ProviderConfig = "/opt/providers", path }
}

func link(n *testNode, target, path string) {
	n.Helper()
	n.remove(path)
	if err := os.Symlink(target, filepath.Join(n.root, path)); err != nil {
		n.Fatal(err)
	}
}

// TestLock: only one run at a time can work on a node. A plan needs no lock.
func TestLock(t *testing.T) {
	t.Parallel()
	n := disks["AL2"].node(t)
	unlock, err := n.lock()
	if err != nil {
		t.Fatal(err)
	}
	n.refused("another install or uninstall is working on this node")
	n.options.PlanOnly = true
	n.install()
	unlock()
	n.options.PlanOnly = false
	n.install()
}
