package examples_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	// stockDirectory is --image-credential-provider-bin-dir on Amazon EKS. It also has
	// the stock configuration.
	stockDirectory = "/etc/eks/image-credential-provider"
	nodeadmDropIn  = "/etc/eks/nodeadm.d/50-ecr-cross-account.yaml"
	rancher        = "/var/lib/rancher/credentialprovider"
)

// kind is a kind of node on which the user data script runs.
type kind struct {
	sign         string // a file by which install recognizes the kind
	kubelet      string // its version
	program      string // the path of the program that contains the kubelet
	flag, binDir string // the kubelet's two flags
	providers    string // the example that the kubelet's file must equal
	stock        bool   // the stock provider is there
	dropIn       bool   // nodeadm sets the first flag
}

var nodes = map[string]kind{
	"AL2023":       {"/usr/bin/nodeadm", "v1.34.2-eks-ecaa3a6", "/usr/bin/kubelet", stockDirectory, stockDirectory, beside, true, true},
	"AL2023 older": {"/usr/bin/nodeadm", "v1.33.5-eks-ecaa3a6", "/usr/bin/kubelet", "/etc/" + program + "/credential-providers.yaml", stockDirectory, besideOlder, true, true},
	"AL2":          {"/etc/eks/bootstrap.sh", "v1.32.9-eks-113cf36", "/usr/bin/kubelet", stockDirectory + "/config.json", stockDirectory, besideOlder, true, false},
	"k3s":          {"/etc/rancher/k3s/config.yaml", "v1.34.1+k3s1", "/usr/local/bin/k3s", rancher + "/config.yaml", rancher + "/bin", beside, false, false},
	"kubeadm":      {"/usr/bin/kubeadm", "v1.36.1", "/usr/bin/kubelet", "/etc/kubernetes/image-credential-provider.yaml", "/usr/local/libexec/image-credential-providers", beside, false, false},
}

// node is a root directory with the files that a node has before the script runs. It
// also holds the script's settings.
type node struct {
	kind
	root, work    string
	url, sha256   string
	bucket        bool   // the script fetches from a bucket
	download      string // the file that the fake curl and AWS CLI fetch
	configuration string
	args          []string
}

func newNode(t *testing.T, in kind) *node {
	t.Helper()
	n := &node{
		kind: in, root: t.TempDir(), work: t.TempDir(), url: "https://downloads.example.com/" + program,
		download: archive, sha256: sum(read(t, archive)), configuration: body(read(t, "minimal.yaml")),
	}
	write(t, n.root+in.sign, "", 0o755)
	write(t, n.root+"/usr/lib/systemd/systemd", "", 0o755)
	if in.stock {
		write(t, n.root+stockDirectory+"/config.json", `{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","providers":[{`+
			`"name":"ecr-credential-provider","apiVersion":"credentialprovider.kubelet.k8s.io/v1",`+
			`"matchImages":["`+strings.Join(stockPatterns, `","`)+`"],"defaultCacheDuration":"12h0m0s"}]}`, 0o644)
		write(t, n.root+stockDirectory+"/ecr-credential-provider", "#!/bin/sh\n", 0o755)
	}
	if err := os.MkdirAll(path.Dir(n.root+in.program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fakes+"/kubelet-"+in.kubelet, n.root+in.program); err != nil {
		t.Fatal(err)
	}
	return n
}

// setDownload replaces the file that nodes download, and sets the checksum of the new
// file.
func (n *node) setDownload(t *testing.T, produce func(file string) error) {
	t.Helper()
	n.download = t.TempDir() + "/download"
	if err := produce(n.download); err != nil {
		t.Fatal(err)
	}
	n.sha256 = sum(read(t, n.download))
}

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// run runs the script with a umask.
func (n *node) run(t *testing.T, umask string) (string, error) {
	t.Helper()
	script := n.work + "/script"
	write(t, script, n.script(t), 0o755)
	args := append([]string{"-c", `umask "$0"; exec /bin/bash "$@"`, umask, script}, n.args...)
	cmd := exec.CommandContext(t.Context(), "/bin/bash", args...)
	cmd.Env = []string{"PATH=" + fakes + ":" + os.Getenv("PATH"), "ROOT=" + n.root, "URL=" + n.url, "DOWNLOAD=" + n.download}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// script returns the script after an operator has edited it.
func (n *node) script(t *testing.T) string {
	t.Helper()
	script := read(t, installScript)
	script = replace(t, script, `(?m)^url=\S+`, "url="+n.url)
	script = replace(t, script, `(?m)^sha256=\S+`, "sha256="+n.sha256)
	if n.bucket {
		from := regexp.MustCompile(`# From a bucket: (.*)\n`).FindStringSubmatch(script)
		if from == nil {
			t.Fatal("got no comment about a bucket in the script")
		}
		script = replace(t, script, `(?m)^curl .*$`, from[1])
	}
	return strings.Replace(script, body(read(t, "minimal.yaml")), n.configuration, 1)
}

func (n *node) mustRun(t *testing.T, umask string) {
	t.Helper()
	if out, err := n.run(t, umask); err != nil {
		t.Fatalf("got %v, want success:\n%s", err, out)
	}
}

func (n *node) mustFail(t *testing.T) string {
	t.Helper()
	out, err := n.run(t, "022")
	if err == nil {
		t.Fatalf("got success, want a failure: %s", out)
	}
	return out
}

// replace replaces the only match of a pattern.
func replace(t *testing.T, text, pattern, with string) string {
	t.Helper()
	match := regexp.MustCompile(pattern)
	if n := len(match.FindAllString(text, -1)); n != 1 {
		t.Fatalf("%s: got %d matches, want 1", pattern, n)
	}
	return match.ReplaceAllLiteralString(text, with)
}

// check checks what a kubelet with the flags finds on the node.
func (n *node) check(t *testing.T) {
	t.Helper()
	var found []kubeletProvider
	for _, file := range n.kubeletReads(t) {
		found = append(found, providers(t, read(t, file))...)
	}
	ours := providers(t, read(t, n.providers))[0]
	names := []string{ours.Name}
	if n.stock {
		names = append(names, "ecr-credential-provider")
	}
	for i, p := range found {
		if i == 0 && !reflect.DeepEqual(p, ours) || i >= len(names) || p.Name != names[i] {
			t.Errorf("provider %d: got %+v; want %q, the first as in %s", i, p, names, n.providers)
		}
	}
	installed := "/etc/" + program + "/config.yaml"
	modes := map[string]fs.FileMode{path.Dir(installed): fs.ModeDir | 0o755, installed: 0o644, "/usr/local/bin/" + tool: 0o755}
	for _, name := range names {
		modes[n.binDir+"/"+name] = 0o755
	}
	for file, want := range modes {
		if info, err := os.Stat(n.root + file); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, error %v; want mode %v", file, info, err, want)
		}
	}
	if have, want := read(t, n.root+installed), body(read(t, "minimal.yaml")); have != want {
		t.Errorf("got the configuration %s; want %s", have, want)
	}
	n.checkDropIn(t)
	n.ask(t, found[0])
}

// checkDropIn checks the NodeConfig, which adds our flag on nodes where nodeadm sets
// the kubelet's flags.
func (n *node) checkDropIn(t *testing.T) {
	t.Helper()
	if !n.dropIn {
		if _, err := os.Stat(n.root + nodeadmDropIn); err == nil {
			t.Errorf("got %s; want none", nodeadmDropIn)
		}
		return
	}
	if flags := nodeConfigFlags(t, read(t, n.root+nodeadmDropIn)); !slices.Equal(flags, []string{"--image-credential-provider-config=" + n.flag}) {
		t.Errorf("got the flags %q; want only that for %s", flags, n.flag)
	}
}

// kubeletReads returns the files that the kubelet reads for the flag. This is one
// file, or the JSON and YAML files of a directory in the order of their names.
func (n *node) kubeletReads(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(n.root + n.flag)
	if err != nil {
		return []string{n.root + n.flag}
	}
	var files []string
	for _, e := range entries {
		if slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(e.Name())) {
			files = append(files, n.root+n.flag+"/"+e.Name())
		}
	}
	return files
}

// ask runs a provider as the kubelet does, for an image that needs no call to AWS.
func (n *node) ask(t *testing.T, p kubeletProvider) {
	t.Helper()
	args := slices.Clone(p.Args)
	for i := range args {
		args[i] = strings.Replace(args[i], "=/etc/", "="+n.root+"/etc/", 1)
	}
	askPlugin(t, n.root+n.binDir+"/"+p.Name, args)
}

func askPlugin(t *testing.T, plugin string, args []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), plugin, args...)
	cmd.Env = []string{"AWS_EC2_METADATA_DISABLED=true"}
	cmd.Stdin = strings.NewReader(`{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1","image":"docker.io/library/busybox"}`)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), `"CredentialProviderResponse"`) {
		t.Errorf("%s %q: got %s, error %v, stderr %s; want a response", plugin, args, out, err, &stderr)
	}
	if _, err := os.Stat(cache); err != nil {
		t.Errorf("got %v; want the cache of this test", err)
	}
}

// snapshot returns the mode and the content's sum of every file of the node.
func (n *node) snapshot(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(n.root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found[name] = info.Mode().String()
		if d.Type().IsRegular() {
			content, err := os.ReadFile(filepath.Join(n.root, name))
			found[name] += " " + sum(string(content))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
