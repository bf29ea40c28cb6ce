package install

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// stockProgram is the content of the stock provider.
const stockProgram = "#!/bin/sh\n# stock\n"

// diskOf is the disk of a platform's node with a kubelet, and that kubelet's flags
// after install.
type diskOf struct {
	files          map[string]string
	kubelet        string
	options        func(*Options)
	config, binDir string
	providers      string // the names that the kubelet registers
}

func eks(kubelet string, more ...string) map[string]string {
	files := map[string]string{
		"/usr/bin/kubelet": "Kubernetes " + kubelet, "/usr/lib/systemd/systemd": "",
		eksDir + "/ecr-credential-provider": stockProgram, eksDir + "/config.json": stockJSONv1,
	}
	for _, path := range more {
		files[path] = "sign\n"
	}
	return files
}

const stockJSONv1 = `{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","providers":[{"name":"ecr-credential-provider",` +
	`"apiVersion":"credentialprovider.kubelet.k8s.io/v1","matchImages":["*.dkr.ecr.*.amazonaws.com"],"defaultCacheDuration":"12h0m0s"}]}`

const rancherDir = "/var/lib/rancher/credentialprovider"

func instead(o *Options) { o.InsteadOfStock = true }

var disks = map[string]diskOf{
	"AL2023": {eks("v1.34.2-eks-1", "/usr/bin/nodeadm"), "v1.34.2", nil, eksDir, eksDir, pluginName + " " + stockName},
	"AL2023, older": {
		eks("v1.33.2-eks-1", "/usr/bin/nodeadm"), "v1.33.2", nil, ownProviders, eksDir, olderName + " " + stockName,
	},
	"AL2023, an image without config.json": {
		without(eks("v1.32.2", "/usr/bin/nodeadm"), eksDir+"/config.json"), "v1.32.2", nil, ownProviders, eksDir, olderName + " " + stockName,
	},
	"AL2023, instead": {eks("v1.36.0", "/usr/bin/nodeadm"), "v1.36.0", instead, ownProviders, eksDir, pluginName},
	"AL2":             {eks("v1.32.0", "/etc/eks/bootstrap.sh"), "v1.32.0", nil, eksDir + "/config.json", eksDir, olderName + " " + stockName},
	"AL2, instead":    {eks("v1.32.0", "/etc/eks/bootstrap.sh"), "v1.32.0", instead, eksDir + "/config.json", eksDir, olderName},
	"hybrid":          {eks("v1.34.0", "/opt/nodeadm/tracker"), "v1.34.0", nil, eksDir, eksDir, pluginName + " " + stockName},
	"k3s": {
		map[string]string{"/usr/local/bin/k3s": "k3s version v1.34.1+k3s1 (abc)", "/etc/systemd/system/k3s.service": "[Service]\n", "/usr/lib/systemd/systemd": ""},
		"v1.34.1", nil, rancherDir + "/config.yaml", rancherDir + "/bin", pluginName,
	},
	"RKE2": {
		map[string]string{"/usr/local/bin/rke2": "rke2 version v1.32.1+rke2r1 (abc)", "/etc/rancher/rke2/config.yaml": "a: b\n", rancherDir + "/config.yaml": stockYAML, rancherDir + "/bin/ecr-credential-provider": stockProgram, rancherDir + "/bin/other": stockProgram},
		"v1.32.1", nil, rancherDir + "/config.yaml", rancherDir + "/bin", olderName + " other " + stockName,
	},
	"kubeadm": {
		map[string]string{"/usr/bin/kubelet": "Kubernetes v1.35.1", "/var/lib/kubelet/kubeadm-flags.env": `KUBELET_KUBEADM_ARGS="--a=b"` + "\n"},
		"v1.35.1", nil, "/etc/kubernetes/image-credential-provider.yaml", "/usr/local/libexec/image-credential-providers", pluginName,
	},
	"kubeadm with flags": {
		map[string]string{
			"/usr/bin/kubelet": "Kubernetes v1.34.1", "/opt/bin/ecr-credential-provider": stockProgram, "/opt/cp/config.json": stockJSONv1,
			"/var/lib/kubelet/kubeadm-flags.env": `KUBELET_KUBEADM_ARGS="--image-credential-provider-config=/opt/cp --image-credential-provider-bin-dir=/opt/bin"` + "\n",
		},
		"v1.34.1", nil, "/opt/cp", "/opt/bin", pluginName + " " + stockName,
	},
	"generic": {
		map[string]string{"/opt/bin/kubelet": "Kubernetes v1.34.1"},
		"v1.34.1", func(o *Options) { o.BinDir, o.ProviderConfig = "/opt/providers", "/etc/providers.yaml" }, "/etc/providers.yaml", "/opt/providers", pluginName,
	},
}

func without(files map[string]string, path string) map[string]string {
	delete(files, path)
	return files
}

// node returns a node with this disk.
func (d diskOf) node(t *testing.T) *testNode {
	t.Helper()
	n := newNode(t, d.files)
	if d.options != nil {
		d.options(&n.options)
	}
	return n
}

// TestInstall: on every kind of node the kubelet registers our provider first. A second
// run changes nothing, and uninstall restores every byte.
func TestInstall(t *testing.T) {
	t.Parallel()
	for name, d := range disks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := d.node(t)
			before := n.snapshot()
			n.options.PlanOnly = true
			n.install()
			n.same(before)
			n.options.PlanOnly = false
			n.install()
			if got := names(n.kubelet(d.config, d.binDir, d.kubelet)); got != d.providers {
				t.Errorf("the kubelet registers %s, want %s", got, d.providers)
			}
			if n.read(ConfigPath) != head+oneRole {
				t.Errorf("got the configuration %q, want %q", n.read(ConfigPath), head+oneRole)
			}
			after := n.snapshot()
			n.out.Reset()
			n.install()
			n.same(after)
			if !strings.Contains(n.out.String(), "nothing to change") {
				t.Errorf("second run: got %s, want nothing to change", n.out.String())
			}
			n.uninstall()
			n.same(before)
			if err := n.Uninstall(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "install has not run here") {
				t.Errorf("second uninstall: got %v, want an error", err)
			}
		})
	}
}

// TestNodeConfig: if nodeadm sets the kubelet's flags, a drop-in adds ours.
func TestNodeConfig(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]string{"AL2023": eksDir, "AL2023, older": ownProviders} {
		n := disks[name].node(t)
		n.install()
		if want := "    - --image-credential-provider-config=" + flag + "\n"; !strings.HasSuffix(n.read(nodeConfigPath), want) {
			t.Errorf("%s: got %s, want the line %s", name, n.read(nodeConfigPath), want)
		}
		if strings.Contains(n.out.String(), "to do") {
			t.Errorf("%s: got %s, want nothing to do", name, n.out.String())
		}
	}
}

// TestUpgrade: a new plugin and another configuration replace the former ones, and a
// newer kubelet gets our other name. Uninstall still restores the first files.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	n := disks["AL2023, older"].node(t)
	before := n.snapshot()
	n.install()
	n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin 2\n", 0o755)
	n.writeFile(n.options.Config, head+oneRole+ofPods, 0o600)
	n.write("/usr/bin/kubelet", "Kubernetes v1.36.1")
	before["/usr/bin/kubelet"] = n.snapshot()["/usr/bin/kubelet"]
	n.install()
	if got, want := names(n.kubelet(eksDir, eksDir, "v1.36.1")), pluginName+" "+podsName+" "+stockName; got != want {
		t.Errorf("the kubelet registers %s, want %s", got, want)
	}
	after := n.snapshot()
	for _, gone := range []string{eksDir + "/" + olderName, ownProviders} {
		if _, ok := after[gone]; ok {
			t.Errorf("got %s, want it removed", gone)
		}
	}
	if !strings.Contains(n.read(eksDir+"/"+pluginName), "plugin 2") {
		t.Error("got the former plugin, want the new one")
	}
	n.uninstall()
	n.same(before)
}

// TestInstalledPlugin: a run without a plugin keeps the installed one. Its name is the
// one that the kubelet's version needs.
func TestInstalledPlugin(t *testing.T) {
	t.Parallel()
	n := disks["AL2023, older"].node(t)
	before := n.snapshot()
	plugin := n.options.Plugin
	n.options.Plugin = ""
	if err := n.Install(t.Context(), n.options); err == nil || !strings.Contains(err.Error(), "name it with --plugin FILE") {
		t.Errorf("without any plugin: got %v, want an error that names --plugin", err)
	}
	n.options.Plugin = plugin
	n.install()
	n.options.Plugin = ""
	n.writeFile(n.options.Config, head+oneRole+mirror, 0o600)
	n.install()
	if text := n.read(ownProviders); !strings.Contains(text, "docker.io") {
		t.Errorf("got %s, want docker.io of the new configuration", text)
	}
	n.write("/usr/bin/kubelet", "Kubernetes v1.36.1")
	before["/usr/bin/kubelet"] = n.snapshot()["/usr/bin/kubelet"]
	n.install()
	if got := n.read(eksDir + "/" + pluginName); got != "#!/bin/sh\n# plugin 1\n" {
		t.Errorf("got the plugin %s, want the installed one", got)
	}
	n.uninstall()
	n.same(before)
}

// TestConfigurationInPlace: a configuration that is already in its place belongs to the
// operator.
func TestConfigurationInPlace(t *testing.T) {
	t.Parallel()
	n := disks["AL2023"].node(t)
	n.write(ConfigPath, head+oneRole)
	before := n.snapshot()
	n.options.Config = ""
	n.install()
	n.uninstall()
	n.same(before)
}

// TestChangedSince: uninstall keeps files that somebody else changed. From a
// configuration of providers, it removes only our entries.
func TestChangedSince(t *testing.T) {
	t.Parallel()
	n := disks["RKE2"].node(t)
	before := n.snapshot()
	n.install()
	edited := strings.Replace(n.read(rancherDir+"/config.yaml"), "registry.example.com", "registry.example.org", 1)
	n.write(rancherDir+"/config.yaml", edited)
	n.write(ConfigPath, head+oneRole+"# edited\n")
	n.out.Reset()
	n.uninstall()
	after := n.snapshot()
	if !strings.Contains(after[ConfigPath], "# edited") {
		t.Errorf("got the configuration %q, want the edited one", after[ConfigPath])
	}
	if got := names(n.kubelet(rancherDir+"/config.yaml", rancherDir+"/bin", "v1.32.1")); got != "other "+stockName {
		t.Errorf("the kubelet registers %s, want other %s", got, stockName)
	}
	if !strings.Contains(after[rancherDir+"/config.yaml"], "registry.example.org") {
		t.Error("got a file without the other's change, want it kept")
	}
	for _, want := range []string{"our entries are removed, the rest stays", "it stays as it is"} {
		if !strings.Contains(n.out.String(), want) {
			t.Errorf("got %s, want %q", n.out.String(), want)
		}
	}
	for path := range maps.Keys(after) {
		if _, ok := before[path]; !ok && path != ConfigPath && path != EtcDir {
			t.Errorf("got %s, want it removed", path)
		}
	}
}

// TestChangedBetween: entries that somebody adds between two runs belong to that
// person. The second run and uninstall keep them.
func TestChangedBetween(t *testing.T) {
	t.Parallel()
	n := disks["RKE2"].node(t)
	n.install()
	edited := strings.Replace(n.read(rancherDir+"/config.yaml"), "registry.example.com", "registry.example.org", 1)
	n.write(rancherDir+"/config.yaml", edited)
	n.writeFile(n.options.Config, head+oneRole+mirror, 0o600)
	n.install()
	if text := n.read(rancherDir + "/config.yaml"); !strings.Contains(text, "registry.example.org") || !strings.Contains(text, "docker.io") {
		t.Errorf("second run: got %s, want both additions", text)
	}
	n.uninstall()
	if text := n.read(rancherDir + "/config.yaml"); !strings.Contains(text, "registry.example.org") || strings.Contains(text, pluginName) {
		t.Errorf("uninstall: got %s, want only the other's addition", text)
	}
}

// TestCache: uninstall removes the cache, unless the operator chose its directory.
func TestCache(t *testing.T) {
	t.Parallel()
	n := disks["AL2"].node(t)
	n.writeFile(n.options.Config, head+oneRole+"cache: {directory: /var/cache/tokens}\n", 0o600)
	before := n.snapshot()
	n.install()
	n.write(cacheDir+"/key", "")
	n.write("/var/cache/tokens/key", "")
	n.out.Reset()
	n.uninstall()
	if !strings.Contains(n.out.String(), "to do: remove the cache, /var/cache/tokens, which the configuration names\n") {
		t.Errorf("got %s, want a line that says to remove the cache", n.out.String())
	}
	if n.disk().exists(cacheDir) || !n.disk().exists("/var/cache/tokens/key") {
		t.Error("want only the default cache removed")
	}
	for path := range maps.Keys(n.snapshot()) {
		if _, ok := before[path]; !ok && path != "/run" && path != "/var" && !strings.HasPrefix(path, "/var/cache") {
			t.Errorf("got %s, want it removed", path)
		}
	}
}

// TestNotInsteadAgain: a run without --instead-of-stock restores the stock provider's
// entry, also if the operator has changed our entry.
func TestNotInsteadAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AL2", "AL2023, older"} {
		for _, edited := range []bool{false, true} {
			d := disks[name]
			n := d.node(t)
			before := n.snapshot()
			n.options.InsteadOfStock = true
			n.install()
			n.options.InsteadOfStock = false
			if edited {
				n.setEnv(d.config)
			}
			n.install()
			if got := names(n.kubelet(d.config, d.binDir, d.kubelet)); got != d.providers {
				t.Errorf("%s, edited %t: the kubelet registers %s, want %s", name, edited, got, d.providers)
			}
			if edited {
				n.wantEnv(name, d.config, d.binDir, d.kubelet)
			}
			n.uninstall()
			n.same(before)
		}
	}
}

// TestNothingElseLeft: if a changed file has no other entries, uninstall restores what
// was there before install. A kubelet does not start without any entry.
func TestNothingElseLeft(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"k3s", "AL2, instead"} {
		d := disks[name]
		n := d.node(t)
		before := n.snapshot()
		n.install()
		n.write(d.config, n.read(d.config)+"\n")
		n.uninstall()
		n.same(before)
	}
}

// TestConfigurationInPlaceByAnotherName: a configuration is also in its place if
// --config names a symbolic link to it.
func TestConfigurationInPlaceByAnotherName(t *testing.T) {
	t.Parallel()
	n := disks["AL2023"].node(t)
	n.writeFile(n.root+ConfigPath, head+oneRole, 0o600)
	before := n.snapshot()
	n.options.Config = t.TempDir() + "/link"
	if err := os.Symlink(n.root+ConfigPath, n.options.Config); err != nil {
		t.Fatal(err)
	}
	n.install()
	if info, err := os.Stat(n.root + ConfigPath); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, error %v, want the file unchanged", info, err)
	}
	n.uninstall()
	n.same(before)
}
