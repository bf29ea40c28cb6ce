package install

import (
	"os"
	"testing"
)

// TestPlatformOf: install recognizes each kind of node by its files, even before the
// first boot.
func TestPlatformOf(t *testing.T) {
	t.Parallel()
	for want, nodes := range map[string][]map[string]string{
		"bottlerocket": {{"/usr/lib/os-release": "ID=bottlerocket\n"}, {"/etc/os-release": "ID=\"bottlerocket\"\n"}},
		"talos":        {{"/etc/os-release": "ID=talos\n"}},
		"kops":         {{"/opt/kops/bin/nodeup": "", "/usr/bin/kubelet": ""}},
		"rke2":         {{"/opt/rke2/bin/rke2": ""}, {"/usr/bin/rke2": ""}, {"/etc/rancher/rke2/x": "", "/var/lib/rancher/k3s/x": ""}},
		"k3s":          {{"/usr/bin/k3s": ""}, {"/opt/bin/k3s": ""}, {"/var/lib/rancher/k3s/server/x": "", "/usr/bin/kubeadm": ""}},
		"hybrid":       {{"/etc/os-release": "ID=ubuntu\n", "/opt/nodeadm/tracker": "", "/usr/bin/kubelet": ""}, {"/usr/bin/nodeadm": "", "/opt/nodeadm/tracker": ""}},
		"eks-al2023":   {{"/etc/os-release": "ID=amzn\n", "/usr/bin/nodeadm": ""}},
		"eks-al2":      {{"/etc/os-release": "ID=amzn\n", "/etc/eks/bootstrap.sh": ""}},
		"kubeadm":      {{"/etc/os-release": "ID=amzn\n", "/usr/bin/kubeadm": ""}, {"/var/lib/kubelet/kubeadm-flags.env": ""}},
		"generic":      {{"/usr/bin/kubelet": ""}, nil},
	} {
		for _, files := range nodes {
			n := newNode(t, files)
			if got, err := n.disk().platformOf("auto"); err != nil || got.name != want {
				t.Errorf("%v: got %s, %v, want %s", files, got.name, err, want)
			}
		}
	}
}

// TestPlatformOfImage: osID does not follow an absolute link in an image to a file of
// this machine.
func TestPlatformOfImage(t *testing.T) {
	t.Parallel()
	n := newNode(t, map[string]string{"/usr/lib/os-release": "ID=talos\n", "/etc/x": ""})
	here := t.TempDir() + "/os-release"
	n.writeFile(here, "ID=bottlerocket\n", 0o644)
	if err := os.Symlink(here, n.root+"/etc/os-release"); err != nil {
		t.Fatal(err)
	}
	if got := n.disk().osID(); got != "talos" {
		t.Errorf("got %s, want talos", got)
	}
}
