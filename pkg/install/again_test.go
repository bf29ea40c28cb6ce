package install

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// TestRemembered: a second run uses the paths of the first one.
func TestRemembered(t *testing.T) {
	t.Parallel()
	d := disks["generic"]
	n := d.node(t)
	n.install()
	n.options.BinDir, n.options.ProviderConfig = "", ""
	n.writeFile(n.options.Config, head+oneRole+mirror, 0o600)
	n.install()
	if got := n.kubelet(d.config, d.binDir, d.kubelet)[0].MatchImages; !slices.Contains(got, "docker.io") {
		t.Errorf("the kubelet asks for %q, want docker.io too", got)
	}
}

// TestLink: a shell finds the plugin, whatever its name in the kubelet's directory is.
func TestLink(t *testing.T) {
	t.Parallel()
	n := disks["AL2023, older"].node(t)
	n.install()
	if target, err := os.Readlink(n.root + pluginLink); err != nil || target != eksDir+"/"+olderName {
		t.Errorf("got a link to %s, error %v, want %s/%s", target, err, eksDir, olderName)
	}
	n = disks["generic"].node(t)
	n.options.BinDir = "/usr/local/bin"
	n.install()
	n.kubelet("/etc/providers.yaml", "/usr/local/bin", "v1.34.1")
}

// TestOtherVersion: the plan says so if the plugin has another version.
func TestOtherVersion(t *testing.T) {
	t.Parallel()
	n := disks["AL2023"].node(t)
	n.Version = "v2"
	n.install()
	if want := "to do: install both programs of one version: " + n.options.Plugin + " is v1, and this program is v2\n"; !strings.Contains(n.out.String(), want) {
		t.Errorf("got %s, want %q", n.out.String(), want)
	}
}

// TestReplaces: the plan says so if it replaces somebody's change.
func TestReplaces(t *testing.T) {
	t.Parallel()
	n := disks["AL2023"].node(t)
	n.install()
	n.write(ConfigPath, head+oneRole+"# edited\n")
	n.out.Reset()
	n.install()
	if !strings.Contains(n.out.String(), "somebody changed it since it was installed; install replaces it\n") {
		t.Errorf("got %s, want a line about the change", n.out.String())
	}
}

// upgrade installs another version of the plugin.
func (n *testNode) upgrade(version string) {
	n.Helper()
	n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin "+version+"\n", 0o755)
	n.install()
}

// setEnv adds an env to our entry, as an operator would. No other entry has args.
func (n *testNode) setEnv(path string) {
	n.Helper()
	n.write(path, strings.NewReplacer(
		"\n    args:", "\n    env: [{name: AWS_PROFILE, value: team}]\n    args:",
		`"args":`, `"env": [{"name": "AWS_PROFILE", "value": "team"}], "args":`,
	).Replace(n.read(path)))
}

// wantEnv checks that our entry, which is the first one, has the env of setEnv.
func (n *testNode) wantEnv(when, config, binDir, kubelet string) {
	n.Helper()
	want := []providerconfig.Variable{{Name: "AWS_PROFILE", Value: "team"}}
	if diff := cmp.Diff(want, n.kubelet(config, binDir, kubelet)[0].Env); diff != "" {
		n.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// TestKeepsEnv: each run keeps the env that the operator gave to our entry. The entry
// keeps it even if a newer kubelet reads another file.
func TestKeepsEnv(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"k3s", "AL2", "AL2023, older"} {
		d := disks[name]
		n := d.node(t)
		n.install()
		n.setEnv(d.config)
		for _, plugin := range []string{"2", "3"} {
			n.upgrade(plugin)
			n.wantEnv(name+", plugin "+plugin, d.config, d.binDir, d.kubelet)
		}
	}
	n := disks["AL2023, older"].node(t)
	n.install()
	n.setEnv(ownProviders)
	n.write("/usr/bin/kubelet", "Kubernetes v1.36.1")
	n.install()
	n.wantEnv("another file", eksDir, eksDir, "v1.36.1")
}

// TestOnlyOurs: if the operator changed only our entry, uninstall restores what was
// there before the first run, also after further runs.
func TestOnlyOurs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"k3s", "kubeadm", "AL2, instead"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := disks[name]
			n := d.node(t)
			before := n.snapshot()
			n.install()
			n.setEnv(d.config)
			n.upgrade("2")
			n.uninstall()
			n.same(before)
		})
	}
}

// TestLatestPlugin: a run without a plugin keeps the latest one, even if an older one
// stays for the running kubelet.
func TestLatestPlugin(t *testing.T) {
	t.Parallel()
	n := disks["AL2023, older"].node(t)
	n.install()
	n.write("/usr/bin/kubelet", "Kubernetes v1.36.1")
	n.runKubelet("", "--image-credential-provider-config="+ownProviders, "--image-credential-provider-bin-dir="+eksDir)
	n.upgrade("2")
	n.options.Plugin = ""
	n.install()
	if got := n.read(eksDir + "/" + pluginName); !strings.Contains(got, "plugin 2") {
		t.Errorf("got the plugin %s, want plugin 2", got)
	}
}
