package install

import (
	"os"
	"slices"
	"strings"
	"testing"
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
