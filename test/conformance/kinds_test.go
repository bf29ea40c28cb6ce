package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// eksDir has the stock provider and its configuration on nodes of Amazon EKS.
const eksDir = "/etc/eks/image-credential-provider"

// kind is a kind of node that install supports, with its files and its kubelet's flags.
type kind struct {
	name string
	// platform is the name that install must find.
	platform string
	// files are the files before install, by path. VERSION stands for the kubelet's
	// version.
	files map[string]string
	// stock is the path of the stock provider, or empty.
	stock string
	// directories says that the kind needs a kubelet that takes a directory.
	directories bool
	// env says that the stock entry has an env, which is part of the node's identity.
	env bool
	// args are additional arguments of install.
	args []string
	// flagsAfter returns the kubelet's flags --image-credential-provider-config and
	// -bin-dir after install. printed is the output of install.
	flagsAfter func(t *testing.T, n machine, printed string) flags
}

// flags are the values of the kubelet's two flags, as paths on the node.
type flags struct{ config, binDir string }

const (
	kubeletScript = "#!/bin/sh\necho Kubernetes vVERSION.4\n"
	k3sScript     = "#!/bin/sh\necho 'k3s version vVERSION.4+k3s1 (0123abcd)'\necho 'go version go1.24.6'\n"
	rke2Script    = "#!/bin/sh\necho 'rke2 version vVERSION.4+rke2r1 (0123abcd)'\necho 'go version go1.24.6 X:boringcrypto'\n"

	stockJSON = `{
  "apiVersion": "kubelet.config.k8s.io/v1",
  "kind": "CredentialProviderConfig",
  "providers": [
    {
      "name": "ecr-credential-provider",
      "matchImages": ["*.dkr.ecr.*.amazonaws.com", "*.dkr-ecr.*.on.aws", "*.dkr.ecr-fips.*.amazonaws.com", "public.ecr.aws"],
      "defaultCacheDuration": "12h0m0s",
      "apiVersion": "credentialprovider.kubelet.k8s.io/v1"ENV
    }
  ]
}
`
	stockYAML = `# By the operator of this cluster.
kind: CredentialProviderConfig
apiVersion: kubelet.config.k8s.io/v1
providers:
- name: ecr-credential-provider   # the stock one
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.dkr.ecr.*.amazonaws.com", public.ecr.aws]
  defaultCacheDuration: 12h
`
	hybridEnv = `,
      "env": [
        {"name": "AWS_CONFIG_FILE", "value": "/eks-hybrid/.aws/config"},
        {"name": "AWS_PROFILE", "value": "hybrid"}
      ]`

	rancherDir = "/var/lib/rancher/credentialprovider"
	systemd    = "/usr/lib/systemd/systemd"
)

// kinds are all kinds that install supports. They differ in the stock provider, and in
// the kubelet's flag: a file, a directory, or not set yet.
var kinds = []kind{
	{
		name: "an image of Amazon Linux 2023, before nodeadm's first run", platform: "eks-al2023",
		files: map[string]string{"/usr/bin/nodeadm": "", "/usr/bin/kubelet": kubeletScript, systemd: ""},
		stock: eksDir + "/ecr-credential-provider", flagsAfter: byNodeadm,
	},
	{
		name: "Amazon Linux 2023, in user data", platform: "eks-al2023",
		files: map[string]string{"/usr/bin/nodeadm": "", "/usr/bin/kubelet": kubeletScript, systemd: "", eksDir + "/config.json": stock2023},
		stock: eksDir + "/ecr-credential-provider", flagsAfter: byNodeadm,
	},
	{
		name: "Amazon Linux 2", platform: "eks-al2",
		files: map[string]string{"/etc/eks/bootstrap.sh": "", "/usr/bin/kubelet": kubeletScript, eksDir + "/config.json": stock2023},
		stock: eksDir + "/ecr-credential-provider", flagsAfter: with(eksDir+"/config.json", eksDir),
	},
	{
		name: "a hybrid node", platform: "hybrid", env: true,
		files: map[string]string{
			"/opt/nodeadm/tracker": "", "/usr/bin/kubelet": kubeletScript, systemd: "", eksDir + "/config.json": stockHybrid,
			"/eks-hybrid/.aws/config": "[profile hybrid]\nregion = eu-west-1\n",
		},
		stock: eksDir + "/ecr-credential-provider", flagsAfter: asPrinted,
	},
	{
		name: "k3s", platform: "k3s",
		files:      map[string]string{"/etc/rancher/k3s/k3s.yaml": "", "/usr/local/bin/k3s": k3sScript},
		flagsAfter: with(rancherDir+"/config.yaml", rancherDir+"/bin"),
	},
	{
		name: "RKE2 with the stock provider", platform: "rke2",
		files: map[string]string{"/etc/rancher/rke2/rke2.yaml": "", "/usr/local/bin/rke2": rke2Script, rancherDir + "/config.yaml": stockYAML},
		stock: rancherDir + "/bin/ecr-credential-provider", flagsAfter: with(rancherDir+"/config.yaml", rancherDir+"/bin"),
	},
	{
		name: "kubeadm", platform: "kubeadm",
		files:      map[string]string{"/usr/bin/kubeadm": "", "/usr/bin/kubelet": kubeletScript, "/etc/kubernetes/kubelet.conf": "", systemd: ""},
		flagsAfter: asPrinted,
	},
	{
		name: "kubeadm with the stock provider", platform: "kubeadm",
		files: map[string]string{
			"/usr/bin/kubelet": kubeletScript, "/etc/kubernetes/providers.yaml": stockYAML,
			"/var/lib/kubelet/kubeadm-flags.env": `KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.10 ` +
				`--image-credential-provider-bin-dir=/opt/providers --image-credential-provider-config=/etc/kubernetes/providers.yaml"` + "\n",
		},
		stock: "/opt/providers/ecr-credential-provider", flagsAfter: with("/etc/kubernetes/providers.yaml", "/opt/providers"),
	},
	{
		name: "another node, by flags of install", platform: "generic",
		files:      map[string]string{"/usr/local/bin/kubelet": kubeletScript},
		args:       []string{"--bin-dir=/opt/kubelet/plugins", "--provider-config=/etc/kubelet/providers.json"},
		flagsAfter: with("/etc/kubelet/providers.json", "/opt/kubelet/plugins"),
	},
	{
		name: "another node with a directory of configurations", platform: "generic", directories: true,
		files: map[string]string{
			"/usr/bin/kubelet": kubeletScript, "/etc/kubernetes/providers.d/50-stock.yaml": stockYAML, systemd: "",
			"/etc/default/kubelet": "KUBELET_EXTRA_ARGS=--image-credential-provider-config=/etc/kubernetes/providers.d --image-credential-provider-bin-dir=/opt/providers\n",
		},
		stock: "/opt/providers/ecr-credential-provider", flagsAfter: with("/etc/kubernetes/providers.d", "/opt/providers"),
	},
}

var (
	stock2023   = strings.Replace(stockJSON, "ENV", "", 1)
	stockHybrid = strings.Replace(stockJSON, "ENV", hybridEnv, 1)
)

// with returns a flagsAfter for a kubelet that has these flags, or that uses these
// paths without flags.
func with(config, binDir string) func(*testing.T, machine, string) flags {
	return func(*testing.T, machine, string) flags { return flags{config, binDir} }
}

// byNodeadm does what nodeadm does at boot. It writes the stock provider's
// configuration. It gives the kubelet the flags from all NodeConfigs.
func byNodeadm(t *testing.T, n machine, _ string) flags {
	t.Helper()
	n.write(t, eksDir+"/config.json", stock2023)
	var set []string
	files, err := filepath.Glob(n.at("/etc/eks/nodeadm.d/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, file := range files {
		var c struct {
			APIVersion, Kind string
			Spec             struct{ Kubelet struct{ Flags []string } }
		}
		if err := yaml.Unmarshal([]byte(readFile(t, file)), &c); err != nil || c.Kind != "NodeConfig" || c.Spec.Kubelet.Flags == nil {
			t.Fatalf("%s is no NodeConfig with flags: %v", file, err)
		}
		set = append(set, c.Spec.Kubelet.Flags...)
	}
	f := flags{eksDir + "/config.json", eksDir}
	for _, flag := range set {
		value, ok := strings.CutPrefix(flag, "--image-credential-provider-config=")
		if !ok || strings.ContainsAny(value, " '\"") {
			t.Fatalf("nodeadm would add %q", flag)
		}
		f.config = value
	}
	return f
}

var printedFlags = regexp.MustCompile(`to do: .*--image-credential-provider-config=(\S+) --image-credential-provider-bin-dir=([^\s;]+);`)

// asPrinted returns the flags that install tells the operator to set.
func asPrinted(t *testing.T, _ machine, printed string) flags {
	t.Helper()
	found := printedFlags.FindStringSubmatch(printed)
	if found == nil {
		t.Fatalf("install asks for no flags: %s", printed)
	}
	return flags{found[1], found[2]}
}

// machine is the root directory of a node.
type machine struct{ root string }

func (n machine) at(path string) string { return filepath.Join(n.root, path) }

// write writes a file of the node, and makes it executable if it is a script.
func (n machine) write(t *testing.T, path, text string) {
	t.Helper()
	n.makeDir(t, path)
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	writeFile(t, n.at(path), text, mode)
}

func (n machine) makeDir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(n.at(path)), 0o755); err != nil {
		t.Fatal(err)
	}
}

// setKubelet replaces the node's kubelet with another version.
func (k kind) setKubelet(t *testing.T, n machine, version string) {
	t.Helper()
	for path, text := range k.files {
		if strings.Contains(text, "VERSION") {
			n.write(t, path, strings.ReplaceAll(text, "VERSION", version))
		}
	}
}

// newMachine makes a node of this kind.
func (k kind) newMachine(t *testing.T, version string) machine {
	t.Helper()
	n := machine{t.TempDir()}
	for path, text := range k.files {
		n.write(t, path, text)
	}
	n.write(t, "/usr/bin/ecr-cross-account", "") // as if from a package, so install makes no copy
	k.setKubelet(t, n, version)
	if k.stock != "" {
		n.makeDir(t, k.stock)
		if err := os.Link(built(t, plugin), n.at(k.stock)); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
