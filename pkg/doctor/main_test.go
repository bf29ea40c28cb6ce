package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestMain takes the developer's own AWS out of the environment, which the SDK reads.
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

// The registries of the example world.
const (
	firstHost = fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
	nodesHost = fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
	bucket    = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
	pullRole  = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull"
	nodeRole  = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node"
	image     = firstHost + "/team-a/app:v1"
)

// node is a node on which pulls work, until a test breaks it.
type node struct {
	t      *testing.T
	dir    string
	world  *fakeaws.World
	aws    *fakeaws.Server
	layer  string // the digest of the image's configuration
	doctor Doctor
	images []string
	// config is the plugin's configuration without its head, and awsConfig the SDK's
	// file. Both may be changed before the examination.
	config, awsConfig string
	environ           []string
	clockAhead        time.Duration
	// dial is called before each dial to registry and S3.
	dial func(address string) error
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), world: fakeaws.ExampleWorld(), images: []string{image}, dial: func(string) error { return nil }}
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
	return n
}

// settings are those that lead to the fakes.
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
	file := n.write("config.yaml", "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"+n.config)
	n.doctor.Process = command.Process{
		Environ: func() []string { return n.environ }, Getenv: func(name string) string { return variable(n.environ, name) },
		Hostname: "host-1", Now: func() time.Time { return time.Now().Add(n.clockAhead) }, Random: func() float64 { return 0 },
	}
	if n.doctor.Load == nil {
		n.doctor.Load = func() (config.Config, error) { return config.Load(file, nil) }
	}
	n.doctor.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := n.dial(address); err != nil {
			return nil, err
		}
		service := fakeaws.Registry
		if strings.HasPrefix(address, bucket) {
			service = fakeaws.S3
		}
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(n.aws.URL(service), "https://"))
	}
	report := &diagnosis.Report{}
	n.doctor.Run(n.t.Context(), n.images, report)
	return report
}
