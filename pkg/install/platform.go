package install

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// platform is a kind of node. It describes how to recognize the node, and where its
// kubelet finds providers.
type platform struct {
	name string
	// signs are paths. Each such node has at least one of them.
	signs []string
	// id is the ID in /etc/os-release on each such node.
	id string
	// refusal says what to use there instead of install. It is empty if install works.
	refusal string
	// layout returns the paths for the files.
	layout func(*node, Options) (layout, error)
	// services are the kubelet's units. A node runs one of them.
	services []string
}

// platforms are tried in this order. The last one matches every other node.
var platforms = []platform{
	{name: "bottlerocket", id: "bottlerocket", refusal: "Bottlerocket takes no other provider; let the stock one assume one role through settings.aws.config and settings.aws.profile, " +
		"or use pull Secrets (config-examples/platforms/bottlerocket.md)"},
	{name: "talos", id: "talos", refusal: "Talos takes providers only from a system extension, and their configuration from machine.kubelet.credentialProviderConfig " +
		"(config-examples/platforms/talos.md)"},
	{name: "kops", signs: []string{"/opt/kops", "/etc/kubernetes/kops-controller", "/var/lib/toolbox/kops"}, refusal: "kOps writes these files itself; " +
		"publish the plugin in place of the stock one, and name its address in spec.cloudProvider.aws.binariesLocation (config-examples/platforms/kops.md)"},
	{name: "eks-auto", refusal: noPlugin},
	{name: "fargate", refusal: noPlugin},
	{name: "rke2", signs: []string{"/etc/rancher/rke2", "/var/lib/rancher/rke2", "/usr/local/bin/rke2", "/usr/bin/rke2", "/opt/rke2/bin/rke2"}, layout: rancher, services: []string{"rke2-agent", "rke2-server"}},
	{name: "k3s", signs: []string{"/etc/rancher/k3s", "/var/lib/rancher/k3s", "/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s"}, layout: rancher, services: []string{"k3s-agent", "k3s"}},
	{name: "hybrid", signs: []string{"/opt/nodeadm", "/etc/aws/hybrid"}, layout: nodeadm, services: []string{"kubelet"}},
	{name: "eks-al2023", signs: []string{"/usr/bin/nodeadm"}, layout: nodeadm, services: []string{"kubelet"}},
	{name: "eks-al2", signs: []string{"/etc/eks/bootstrap.sh"}, layout: bootstrap, services: []string{"kubelet"}},
	{name: "kubeadm", signs: []string{"/var/lib/kubelet/kubeadm-flags.env", "/usr/bin/kubeadm", "/usr/local/bin/kubeadm"}, layout: selfManaged, services: []string{"kubelet"}},
	{name: "generic", layout: selfManaged, services: []string{"kubelet"}},
}

const noPlugin = "AWS manages these nodes and takes no plugin; use pull Secrets or a policy (config-examples/platforms/no-plugin.md)"

// Platforms returns the names of the platforms where install works, for --platform.
func Platforms() []string {
	names := []string{"auto"}
	for _, p := range platforms {
		if p.refusal == "" {
			names = append(names, p.name)
		}
	}
	return names
}

// platformOf returns the platform with a name, or finds out the node's platform.
func (d disk) platformOf(name string) (platform, error) {
	if name != "" && name != "auto" {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.name == name })
		if i < 0 {
			return platform{}, fmt.Errorf("%q is not a platform; want one of %s", name, strings.Join(Platforms(), ", "))
		}
		return platforms[i], nil
	}
	id := d.osID()
	for _, p := range platforms {
		if p.id != "" && p.id == id || d.exists(p.signs...) {
			return p, nil
		}
	}
	return platforms[len(platforms)-1], nil
}

// osID returns the ID of the node's operating system (os-release(5)). It reads the file
// in /usr/lib first. In an image, the one in /etc may be an absolute link, which would
// point to this machine's own file.
func (d disk) osID() string {
	content, err := readFile(d.at("/usr/lib/os-release"))
	if err != nil {
		content, err = readFile(d.at("/etc/os-release"))
	}
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
			return strings.Trim(id, `"'`)
		}
	}
	return ""
}

// layout holds the paths for the files of a node.
type layout struct {
	// binDir is the directory of the kubelet's providers.
	binDir string
	// providers is the file for our entries.
	providers string
	// flag is the required value of --image-credential-provider-config: providers, or
	// its directory.
	flag string
	// base is the file whose entries go into a new providers file. It is empty if there
	// is none.
	base string
	// stock says that a new providers file gets the stock provider's entry if base does
	// not exist yet.
	stock bool
	// nodeConfig is the file that adds the flag to the kubelet's flags. It is empty if
	// the operator must add the flag, or if the flag is already there.
	nodeConfig string
	// owner says who else writes these files. reboot says what a reboot undoes.
	owner, reboot string
	// howToSet says how the operator sets the kubelet's flags.
	howToSet string
}

// nodeConfigPath is a drop-in for nodeadm.
const nodeConfigPath = "/etc/eks/nodeadm.d/50-ecr-cross-account.yaml"

// eksDir has the stock provider and its configuration on nodes of Amazon EKS.
const eksDir = "/etc/eks/image-credential-provider"

// ownProviders is a file that only install writes.
const ownProviders = EtcDir + "/credential-providers.yaml"

// nodeadm is the layout for nodes on which nodeadm writes the stock provider's
// configuration at each boot. So our entries are in another file.
func nodeadm(n *node, o Options) (layout, error) {
	l := layout{
		binDir: eksDir, providers: ownProviders, flag: ownProviders, base: eksDir + "/config.json", stock: true,
		owner:  "nodeadm writes " + eksDir + "/config.json, which install leaves alone",
		reboot: "nothing: nodeadm rewrites only its own file",
	}
	if n.version.TakesDirectories() && !o.InsteadOfStock {
		l.providers, l.flag, l.base, l.stock = eksDir+"/10-ecr-cross-account.yaml", eksDir, "", false
	}
	if o.InsteadOfStock {
		l.base, l.stock = "", false
	}
	l.nodeConfig = nodeConfigPath
	l.howToSet = "nodeadm reads the flag at the next boot"
	if n.platform.name == "hybrid" {
		l.nodeConfig = ""
		l.howToSet = "add it to spec.kubelet.flags of the NodeConfig, and run nodeadm init again"
	}
	return l, nil
}

// bootstrap is the layout of Amazon Linux 2 for EKS. Nothing rewrites its file.
func bootstrap(*node, Options) (layout, error) {
	file := eksDir + "/config.json"
	return layout{
		binDir: eksDir, providers: file, flag: file,
		owner: "the image has " + file + " for the stock provider", reboot: "nothing",
		howToSet: "the image has the flag; run install before /etc/eks/bootstrap.sh",
	}, nil
}

// rancher is the layout of k3s and RKE2. They use both paths if both exist.
func rancher(n *node, o Options) (layout, error) {
	const dir = "/var/lib/rancher/credentialprovider"
	l := layout{
		binDir: dir + "/bin", providers: dir + "/config.yaml", flag: dir + "/config.yaml",
		owner: n.platform.name + " reads these paths without a flag, and writes neither", reboot: "nothing",
		howToSet: "by default " + n.platform.name + " uses both paths; remove the flags that name others",
	}
	return n.named(l, o)
}

// selfManaged is the layout of nodes on which the operator chooses the kubelet's flags.
func selfManaged(n *node, o Options) (layout, error) {
	l := layout{
		owner: "only the operator of the nodes writes them", reboot: "nothing, unless the node gets a new disk",
		howToSet: "kubeadm takes them in nodeRegistration.kubeletExtraArgs; elsewhere they belong where the kubelet's other flags are",
	}
	if n.platform.name == "kubeadm" {
		l.binDir, l.flag = "/usr/local/libexec/image-credential-providers", "/etc/kubernetes/image-credential-provider.yaml"
	}
	return n.named(l, o)
}

// named uses the paths of the command line, else those of the kubelet's flags.
func (n *node) named(l layout, o Options) (layout, error) {
	switch {
	case o.BinDir != "":
		l.binDir, l.flag = filepath.Clean(o.BinDir), filepath.Clean(o.ProviderConfig)
	case n.flags.complete():
		l.binDir, l.flag = n.flags.binDir, n.flags.config
	case n.earlier.complete():
		l.binDir, l.flag = n.earlier.binDir, n.earlier.config
	}
	if l.flag == "" {
		return l, fmt.Errorf("the kubelet's flags are not known here; name its paths with --bin-dir DIR --provider-config PATH, or the kind of node with --platform")
	}
	for _, path := range []string{l.binDir, l.flag} {
		if !filepath.IsAbs(path) || strings.ContainsAny(path, " \t\n\"'\\$%") {
			return l, fmt.Errorf("the kubelet's path %q cannot be written in a systemd unit; want an absolute one without white space, quotes, \\, $ and %%", path)
		}
	}
	l.providers = l.flag
	if !n.disk.isDir(l.flag) {
		return l, nil
	}
	switch {
	case !n.version.TakesDirectories():
		return l, fmt.Errorf("%s is a directory, which needs kubelet 1.34 or later, and this kubelet is %s; name a file with --provider-config", l.flag, n.version)
	case o.InsteadOfStock:
		return l, fmt.Errorf("%s is a directory, and --instead-of-stock rewrites one file; name it with --provider-config", l.flag)
	}
	l.providers = l.flag + "/10-ecr-cross-account.yaml"
	return l, nil
}

// kubeletFlags are the two flags that make a kubelet run providers.
type kubeletFlags struct{ config, binDir string }

func (f kubeletFlags) complete() bool { return f.config != "" && f.binDir != "" }

// node holds the facts that install collects before it makes decisions.
type node struct {
	disk     disk
	platform platform
	version  providerconfig.Version
	// versionFrom says how the version was found.
	versionFrom string
	// flags are the flags of the running kubelet, else those in the node's files.
	flags kubeletFlags
	// earlier are the flags from the state of an earlier run.
	earlier kubeletFlags
	// running says that a kubelet is running.
	running bool
	// started is when the running kubelet was started. It is zero if that is not known.
	started time.Time
	// environ holds the variables of the kubelet's environment that the plugin uses.
	environ []string
}
