package install

import (
	"strings"
	"testing"
)

// TestTrailingSlash: a directory in the kubelet's flags may end with a slash.
func TestTrailingSlash(t *testing.T) {
	t.Parallel()
	d := disks["kubeadm with flags"]
	n := d.node(t)
	n.write("/var/lib/kubelet/kubeadm-flags.env", `KUBELET_KUBEADM_ARGS="--image-credential-provider-config=/opt/cp/ --image-credential-provider-bin-dir=/opt/bin/"`+"\n")
	before := n.snapshot()
	n.install()
	n.install()
	n.uninstall()
	n.same(before)
}

// TestRunningTrailingSlash: with such flags, uninstall knows that the kubelet runs the
// plugin.
func TestRunningTrailingSlash(t *testing.T) {
	t.Parallel()
	n := disks["kubeadm with flags"].node(t)
	n.install()
	n.runKubelet("", "--image-credential-provider-config=/opt/cp/", "--image-credential-provider-bin-dir=/opt/bin/")
	if err := n.Uninstall(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "add --restart") {
		t.Errorf("got %v, want an error that names --restart", err)
	}
}

// TestStoppedKubelet: install and uninstall keep files that a stopped kubelet's flags
// name.
func TestStoppedKubelet(t *testing.T) {
	t.Parallel()
	n := disks["kubeadm"].node(t)
	const file = "/etc/kubernetes/image-credential-provider.yaml"
	n.install()
	n.write("/var/lib/kubelet/kubeadm-flags.env", `KUBELET_KUBEADM_ARGS="--image-credential-provider-config=`+file+` --image-credential-provider-bin-dir=/usr/local/libexec/image-credential-providers"`+"\n")
	before := n.snapshot()
	if err := n.Uninstall(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "remove the flag") {
		t.Errorf("got %v, want an error that says to remove the flag", err)
	}
	n.same(before)
	n.options.BinDir, n.options.ProviderConfig = "/opt/bin", "/opt/config.yaml"
	n.install()
	n.kubelet(file, "/usr/local/libexec/image-credential-providers", "v1.35.1")
}

// TestStoppedKubeletDirectory: uninstall keeps the only file of a directory that the
// flags name.
func TestStoppedKubeletDirectory(t *testing.T) {
	t.Parallel()
	n := disks["kubeadm with flags"].node(t)
	n.remove("/opt/cp/config.json")
	n.install()
	if err := n.Uninstall(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "remove the flag") {
		t.Errorf("got %v, want an error that says to remove the flag", err)
	}
}

// TestRancherConfig: install also reads the paths in k3s's own configuration.
func TestRancherConfig(t *testing.T) {
	t.Parallel()
	n := disks["k3s"].node(t)
	n.write("/etc/rancher/k3s/config.yaml", "# image-credential-provider-config: /no\nimage-credential-provider-config: /data/cp.yaml\nkubelet-arg:\n- \"image-credential-provider-bin-dir=/data/bin\"\n")
	n.install()
	n.kubelet("/data/cp.yaml", "/data/bin", "v1.34.1")
}

// TestOddPaths: install refuses paths that systemd would split or expand.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	n := disks["generic"].node(t)
	n.options.BinDir = "/opt/my providers"
	n.refused("white space")
}

// TestOrderOfFiles: if the kubelet reads the stock provider's file first, the plan says
// so.
func TestOrderOfFiles(t *testing.T) {
	t.Parallel()
	n := disks["kubeadm with flags"].node(t)
	n.remove("/opt/cp/config.json")
	n.write("/opt/cp/05.json", stockJSONv1)
	n.install()
	if want := "/opt/cp/05.json; rename it so that it comes after 10-ecr-cross-account.yaml"; !strings.Contains(n.out.String(), want) {
		t.Errorf("got %s, want %s", n.out.String(), want)
	}
}

// TestEarlierByHand: install replaces our entry in a file that somebody wrote by hand.
func TestEarlierByHand(t *testing.T) {
	t.Parallel()
	n := disks["AL2023"].node(t)
	n.write(eksDir+"/10-ecr-cross-account.yaml", byHand)
	n.write(eksDir+"/"+pluginName, "#!/bin/sh\n# plugin 0\n")
	before := n.snapshot()
	n.install()
	providers := n.kubelet(eksDir, eksDir, "v1.34.0")
	if got, want := names(providers), pluginName+" "+stockName; got != want {
		t.Errorf("the kubelet registers %s, want %s", got, want)
	}
	n.uninstall()
	n.same(before)
}

const byHand = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: " + pluginName +
	"\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: ['444455556666.dkr.ecr.*.amazonaws.com']\n  defaultCacheDuration: 0s\n"

// TestEarlierElsewhere: an entry of ours in another file is an error that says what to do.
func TestEarlierElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{pluginName, olderName} {
		n := disks["AL2023"].node(t)
		n.write(eksDir+"/20.yaml", strings.ReplaceAll(byHand, pluginName, name))
		n.write(eksDir+"/"+name, "#!/bin/sh\n")
		n.refused(eksDir + "/20.yaml has the entry " + name + " for this plugin; remove the entry or the file")
	}
}

// TestSupersededStays: a file that a running kubelet may still use stays, and the plan
// does not say that it is removed. Once the kubelet has stopped, the file is removed.
func TestSupersededStays(t *testing.T) {
	t.Parallel()
	n := disks["AL2023, older"].node(t)
	n.install()
	n.write("/usr/bin/kubelet", "Kubernetes v1.36.1")
	for _, flag := range []string{ownProviders, eksDir} {
		n.runKubelet("", "--image-credential-provider-config="+flag, "--image-credential-provider-bin-dir="+eksDir)
		n.install()
		after := n.snapshot()
		n.out.Reset()
		n.install()
		n.same(after)
		if out := n.out.String(); !strings.Contains(out, "nothing to change") || strings.Contains(out, "remove ") {
			t.Errorf("flag %s, second run: got %s, want nothing to change", flag, out)
		}
		n.kubelet(ownProviders, eksDir, "v1.36.1")
	}
	n.Proc = ""
	n.install()
	if n.disk().exists(ownProviders, eksDir+"/"+olderName) {
		t.Error("got files of the earlier run, want them removed")
	}
}
