package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/procfs"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestMain removes the developer's own AWS settings from the environment, which the
// SDK reads.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			_ = os.Unsetenv(name)
		}
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		_ = os.Setenv(name, "/nonexistent")
	}
	os.Exit(m.Run())
}

// These are hosts, roles and an image of the example world.
const (
	firstHost = fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
	nodesHost = fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
	bucket    = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
	pullRole  = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull"
	nodeRole  = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node"
	image     = firstHost + "/team-a/app:v1"
)

// patience only ends a hang. It is long, because a busy machine needs time.
const patience = 2 * time.Minute

// node is a node on which pulls work until a test breaks it.
type node struct {
	t      *testing.T
	dir    string
	world  *fakeaws.World
	aws    *fakeaws.Server
	layer  string // the digest of the image's configuration
	doctor Doctor
	images []string
	// config is the plugin's configuration without its first lines. awsConfig is
	// the SDK's file. providers is the kubelet's configuration of providers. A test
	// may change all of them before the examination.
	config, awsConfig, providers string
	// flags are the kubelet's flags. environ is the container runtime's
	// environment, and kubeletEnviron the kubelet's.
	flags, environ, kubeletEnviron []string
	// adopted is the environment that the doctor has adopted.
	adopted []string
	// version is what the kubelet prints, and pluginVersion what the plugin prints.
	version, pluginVersion string
	started                time.Time // the kubelet's start
	clockAhead             time.Duration
	// handshake limits each TLS handshake. Only a test of a silent host waits for its end.
	handshake time.Duration
	// done is called for each check after it has its result. It may be nil.
	done func(*diagnosis.Check)
	// dial is called before each dial to registry and S3.
	dial func(address string) error
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), world: fakeaws.ExampleWorld(), images: []string{image}, dial: func(string) error { return nil }, handshake: patience}
	var err error
	if n.aws, err = fakeaws.Start(n.world, fakeaws.Options{TLS: true, Dir: n.dir}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.aws.Close(); err != nil {
			t.Error(err)
		}
	})
	n.world.SetRole(fakeaws.Role{ARN: pullRole, Trust: []fakeaws.Trust{{Principal: nodeRole}}, Pull: []string{"arn:aws:ecr:eu-west-1:" + fakeaws.FirstAccount + ":repository/*"}})
	n.layer = n.world.Push(fakeaws.Repository{Account: fakeaws.FirstAccount, Region: "eu-west-1", Name: "team-a/app"}, "v1")
	n.world.Push(fakeaws.Repository{Account: fakeaws.SecondAccount, Region: "eu-west-1", Name: "team-a/app"}, "v1")
	n.config = "registries:\n- accounts: [\"" + fakeaws.FirstAccount + "\"]\n  assumeRoles: [{arn: \"" + pullRole + "\"}]\n" +
		n.settings()
	n.awsConfig = "[default]\nregion = eu-west-1\nec2_metadata_service_endpoint = " + n.aws.URL(fakeaws.IMDS) + "\nca_bundle = " + n.aws.CAFile() + "\n"
	n.environ = []string{"SSL_CERT_FILE=" + n.aws.CAFile()}
	n.kubeletEnviron = []string{"PATH=/bin", "A_VARIABLE=kubelet"}
	n.flags = []string{"--image-credential-provider-config=/etc/kubelet/providers.yaml", "--image-credential-provider-bin-dir", "/usr/libexec/plugins"}
	n.version, n.pluginVersion, n.started = "Kubernetes v1.36.3", command.BuildOf("v1.2.3").String(), time.Now().Add(time.Hour)
	n.providers = providersHead + entry
	n.install(pluginName, 0o755)
	n.doctor.Architecture = "amd64"
	return n
}

const (
	providersHead = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n"
	entry         = "- name: ecr-cross-account-credential-provider\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n" +
		"  matchImages: [\"*.dkr.ecr.*.amazonaws.com\"]\n  defaultCacheDuration: \"0s\"\n  env: [{name: A_VARIABLE, value: entry}]\n"
)

// install puts a plugin into the kubelet's directory.
func (n *node) install(name string, mode os.FileMode) {
	n.t.Helper()
	path := n.write("root/usr/libexec/plugins/"+name, "#!/bin/sh\n")
	if err := os.Chmod(path, mode); err != nil {
		n.t.Fatal(err)
	}
}

// run adds a running program to /proc.
func (n *node) run(pid int, name string, environ []string, args ...string) {
	n.t.Helper()
	proc := fmt.Sprintf("proc/%d/", pid)
	n.write(proc+"comm", name+"\n")
	n.write(proc+"cmdline", strings.Join(append([]string{name}, args...), "\x00")+"\x00")
	if environ != nil {
		n.write(proc+"environ", strings.Join(environ, "\x00")+"\x00")
	}
	n.write(proc+"stat", fmt.Sprintf("%d (%s) S%s 100 0", pid, name, strings.Repeat(" 0", 18)))
	if err := os.Symlink(filepath.Join(n.dir, "root"), filepath.Join(n.dir, proc, "root")); err != nil && !errors.Is(err, fs.ErrExist) {
		n.t.Fatal(err)
	}
}

// execute prints what the kubelet and the plugin would print.
func (n *node) execute(_ context.Context, path string, args ...string) (string, error) {
	switch filepath.Base(path) + " " + strings.Join(args, " ") {
	case "exe --version":
		return n.version, nil
	case pluginName + " version":
		return pluginName + " " + n.pluginVersion + "\n", nil
	}
	return "", fmt.Errorf("%s was run with %q", path, args)
}

// settings are the AWS settings that lead to the fakes.
func (n *node) settings() string {
	return fmt.Sprintf("endpoints: {ecr: {eu-west-1: %q}, sts: {eu-west-1: %q}}\nnode: {configFile: %q}\ncache: {directory: %q}\n",
		n.aws.URL(fakeaws.ECR), n.aws.URL(fakeaws.STS), filepath.Join(n.dir, "aws-config"), filepath.Join(n.dir, "cache"))
}

// write writes a file of the node.
func (n *node) write(name, text string) string {
	n.t.Helper()
	path := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return path
}

// examine runs the doctor.
func (n *node) examine() *diagnosis.Report {
	n.t.Helper()
	n.write("aws-config", n.awsConfig)
	n.write("root/etc/plugin/config.yaml", "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"+n.config)
	if n.providers != "" {
		n.write("root/etc/kubelet/providers.yaml", n.providers)
	}
	n.write("proc/stat", fmt.Sprintf("btime %d\n", n.started.Unix()))
	if n.flags != nil {
		n.run(1234, "kubelet", n.kubeletEnviron, n.flags...)
	}
	n.run(2345, "containerd", n.environ)
	n.doctor.Proc, n.doctor.Execute = procfs.FS(filepath.Join(n.dir, "proc")), n.execute
	n.doctor.Process = command.Process{
		Environ: func() []string { return n.adopted }, Getenv: func(name string) string { return awsapi.Variable(n.adopted, name) },
		SetEnviron: func(environ []string) error { n.adopted = environ; return nil },
		Hostname:   "host-1", Version: "v1.2.3", Now: func() time.Time { return time.Now().Add(n.clockAhead) }, Random: func() float64 { return 0 },
		Timeouts: awsapi.Timeouts{Dial: patience, Handshake: n.handshake, Attempt: patience, Metadata: patience, Source: patience, Instance: patience, Public: patience},
	}
	n.doctor.Limits = Limits{All: 2 * patience, Call: patience, Host: patience}
	n.doctor.Load = func(_ []string, root string) (config.Config, error) {
		if root == "" { // no kubelet
			root = filepath.Join(n.dir, "root")
		}
		return config.Load(filepath.Join(root, "/etc/plugin/config.yaml"), nil)
	}
	n.doctor.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := n.dial(address); err != nil {
			return nil, err
		}
		if strings.HasPrefix(address, "127.0.0.1:") { // a proxy
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		service := fakeaws.Registry
		if strings.HasPrefix(address, bucket) {
			service = fakeaws.S3
		}
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(n.aws.URL(service), "https://"))
	}
	report := &diagnosis.Report{Done: n.done}
	n.doctor.Run(n.t.Context(), n.images, report)
	return report
}
