package doctor

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

func text(t *testing.T, r *diagnosis.Report) string {
	t.Helper()
	var out bytes.Buffer
	w := diagnosis.NewText(&out, false)
	for _, c := range r.Checks {
		w.Check(c)
	}
	if err := w.End(r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHealthyNode(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	report := n.examine()
	if !report.Success() {
		t.Error(text(t, report))
	}
	for _, c := range report.Checks {
		if c.Result != diagnosis.OK {
			t.Errorf("%s is %s (%s); want ok", c.Kind.Code, c.Result, c.Detail)
		}
	}
	var got []string
	for _, call := range n.aws.Calls(fakeaws.Registry, fakeaws.S3) {
		got = append(got, call.Operation+" "+call.Outcome)
	}
	slices.Sort(got[:2]) // the probes, in any order
	blob := "/v2/team-a/app/blobs/" + n.layer
	want := []string{
		"GET / AccessDenied", "GET /v2/ 401", "GET /v2/ ok", "HEAD /v2/team-a/app/manifests/v1 ok", "GET /v2/team-a/app/manifests/v1 ok",
		"GET " + blob + " ok", "GET /" + n.layer + " ok",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEnvironment: doctor adopts the plugin's environment: the kubelet's, then the
// entry's.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.examine()
	if diff := cmp.Diff([]string{"PATH=/bin", "A_VARIABLE=kubelet", "A_VARIABLE=entry"}, n.adopted); diff != "" {
		t.Error(diff)
	}
}

// TestDarkNetwork disconnects the node from the network. One run reports every
// host.
func TestDarkNetwork(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]fakeaws.FaultKind{"silent": fakeaws.HangHandshake, "refused": fakeaws.Refuse} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			c := n.world.Issue(nodeRole, "hybrid", time.Hour) // IMDS is on the node's own host
			n.awsConfig += "aws_access_key_id = " + c.AccessKeyID + "\naws_secret_access_key = " + c.SecretAccessKey + "\naws_session_token = " + c.SessionToken + "\n"
			n.handshake = 10 * time.Second
			n.aws.Break(fakeaws.STS, fakeaws.Fault{Kind: kind})
			n.aws.Break(fakeaws.ECR, fakeaws.Fault{Kind: kind})
			n.dial = func(string) error { return &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded} }
			got := map[string]diagnosis.Result{}
			for _, c := range n.examine().Checks {
				got[c.Kind.Code] = c.Result
			}
			want := map[string]diagnosis.Result{
				"D01": diagnosis.OK, "D02": diagnosis.OK, "D03": diagnosis.OK, "D04": diagnosis.OK, "D05": diagnosis.OK, "D07": diagnosis.OK,
				"D08": diagnosis.OK, "D09": diagnosis.OK, "D10": diagnosis.OK, "D11": diagnosis.OK, "D12": diagnosis.Skipped,
				"D13": diagnosis.OK, "D14": diagnosis.Skipped,
				"D15": diagnosis.Failed, "D16": diagnosis.Failed, "D17": diagnosis.Failed, "D18": diagnosis.Failed,
				"D19": diagnosis.Skipped, "D21": diagnosis.Skipped, "D22": diagnosis.Skipped, "D23": diagnosis.Skipped, "D24": diagnosis.Skipped,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOnlyRealDependenciesCount: doctor tries roles and tokens even if unrelated checks
// fail.
func TestOnlyRealDependenciesCount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		breakIt func(*node)
		want    map[string]diagnosis.Result
	}{
		"a refused GetCallerIdentity": {
			deny(fakeaws.STS, "GetCallerIdentity", "because no VPC endpoint policy allows the sts:GetCallerIdentity action"),
			map[string]diagnosis.Result{"D14": diagnosis.Warning, "D19": diagnosis.OK, "D21": diagnosis.OK, "D24": diagnosis.OK},
		},
		"an unreachable registry": {
			func(n *node) {
				n.dial = func(string) error { return &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded} }
			},
			map[string]diagnosis.Result{"D17": diagnosis.Failed, "D18": diagnosis.Failed, "D19": diagnosis.OK, "D21": diagnosis.OK, "D22": diagnosis.Skipped},
		},
		"a wrong clock": {
			func(n *node) { n.clockAhead = 10 * time.Minute },
			map[string]diagnosis.Result{"D12": diagnosis.Failed, "D19": diagnosis.OK, "D24": diagnosis.OK},
		},
		"an unreachable ECR API": {
			func(n *node) { n.aws.Break(fakeaws.ECR, fakeaws.Fault{Kind: fakeaws.Refuse}) },
			map[string]diagnosis.Result{"D16": diagnosis.Failed, "D19": diagnosis.OK, "D21": diagnosis.Skipped},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			test.breakIt(n)
			for _, c := range n.examine().Checks {
				if want, ok := test.want[c.Kind.Code]; ok && want != c.Result {
					t.Errorf("%s is %s (%s); want %s", c.Kind.Code, c.Result, c.Detail, want)
				}
			}
		})
	}
}

// TestChangesNothing examines a healthy node with a cache, and compares the files.
func TestChangesNothing(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.refuseOnce()
	before := n.files("cache")
	if report := n.examine(); !report.Success() {
		t.Error(text(t, report))
	}
	if diff := cmp.Diff(before, n.files("cache")); diff != "" {
		t.Error(diff)
	}
	without := newNode(t)
	without.examine()
	if _, err := os.Stat(filepath.Join(without.dir, "cache")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory of the cache: got %v, want it not to exist after doctor", err)
	}
}

// files returns the content of all files in a directory.
func (n *node) files(directory string) map[string]string {
	n.t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(n.dir), directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(n.dir, path))
		all[path] = string(content)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return all
}

func TestEntries(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.images = nil
	n.config = "registries:\n- accounts: [\"" + fakeaws.FirstAccount + "\"]\n  assumeRoles: [{arn: \"" + pullRole + "\"}]\n" +
		"- accounts: [own]\n  regions: [us-east-1, \"eu-*\"]\n" +
		"- accounts: [\"" + fakeaws.SecondAccount + "\"]\n  source: ServiceAccount\n  serviceAccount: {allowedRoles: [\"" + secondRole + "\"]}\n" +
		"- accounts: [\"*\"]\n" +
		"- accounts: [\"" + fakeaws.NodeAccount + "\"]\n  regions: [eu-west-1]\n  source: ServiceAccount\n  serviceAccount: {allowedRoles: [\"" + secondRole + "\"], whenNoToken: Node}\n" +
		n.settings()
	report := n.examine()
	var got []string
	for _, c := range report.Checks {
		if c.Kind == imagePlan || c.Kind == requestToken {
			got = append(got, c.Kind.Code+" "+string(c.Result)+" "+c.Description()+"; "+c.Detail)
		}
	}
	want := []string{
		"D09 ok plan: registries[0]; for " + firstHost + "; the token is that of " + pullRole,
		"D09 ok plan: registries[1]; for " + nodesHost + "; the token is the node's own",
		"D09 skipped plan: registries[2]; the chain starts with a pod's service account; name an image and use --as-service-account",
		`D09 skipped plan: registries[3]; "*" names no account to try; name an image`,
		"D09 ok plan: registries[4]; for " + fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com; the token is the node's own",
		"D21 ok GetAuthorizationToken: " + firstHost + "; as " + pullRole + ", valid for 12h",
		"D21 ok GetAuthorizationToken: " + fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com; as the node's identity (EC2RoleProvider), valid for 12h",
		"D21 ok GetAuthorizationToken: " + nodesHost + "; as the node's identity (EC2RoleProvider), valid for 12h",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPublic: a node without an identity, and without access to the API, pulls images
// of ECR Public without a token.
func TestPublic(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.images = []string{"public.ecr.aws/eks-distro/kubernetes/pause:3.9"}
	n.provide(`"*.dkr`, `public.ecr.aws, "*.dkr`)
	n.awsConfig = strings.ReplaceAll(n.awsConfig, n.aws.URL(fakeaws.IMDS), n.metadataWithoutProfile())
	n.awsConfig = strings.Replace(n.awsConfig, "[default]\n", "[default]\nservices = fake\n", 1) + "[services fake]\necr_public =\n  endpoint_url = " + n.aws.URL(fakeaws.ECRPublic) + "\n"
	n.aws.Break(fakeaws.ECRPublic, fakeaws.Fault{Kind: fakeaws.Refuse})
	n.dial = func(string) error { return nil }
	report := n.examine()
	got := map[string]diagnosis.Result{}
	for _, c := range report.Checks {
		got[c.Kind.Code] = c.Result
	}
	for code, want := range map[string]diagnosis.Result{"D09": diagnosis.OK, "D13": diagnosis.Warning, "D16": diagnosis.Warning, "D21": diagnosis.Warning} {
		if got[code] != want {
			t.Errorf("%s is %q; want %s", code, got[code], want)
		}
	}
	if got["D17"] != diagnosis.Failed { // no fake host has a certificate for public.ecr.aws
		t.Errorf("D17 is %q; want failed", got["D17"])
	}
	if _, asked := got["D22"]; asked {
		t.Error("doctor asked the registry with a token, want no such check")
	}
	if v, _ := report.Verdict(); v.Check.Kind != reachRegistry {
		t.Error(text(t, report))
	}
}

// TestWithoutSettings: without the SDK's settings, doctor skips the checks that need
// AWS, for both sources of a chain.
func TestWithoutSettings(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*node){"node": func(*node) {}, "pod": func(n *node) { n.asPod(pullRole) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			change(n)
			n.awsConfig = strings.ReplaceAll(n.awsConfig, n.aws.CAFile(), "/nonexistent/ca.pem")
			report := n.examine()
			for _, c := range report.Checks {
				if c.Kind.Code >= clock.Code && c.Result != diagnosis.Skipped {
					t.Errorf("%s is %s (%s); want skipped", c.Kind.Code, c.Result, c.Detail)
				}
			}
			if v, _ := report.Verdict(); v.Check.Kind != awsSettings {
				t.Error(text(t, report))
			}
		})
	}
}

// TestWithoutKubeletsEnvironment: if doctor cannot read the kubelet's environment, it
// keeps its own and says so.
func TestWithoutKubeletsEnvironment(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.kubeletEnviron = nil
	n.done = func(c *diagnosis.Check) { // the text form prints the check now
		if c.Kind == providerEntry && (c.Result != diagnosis.Warning || c.Hint != "run doctor as root") {
			t.Errorf("got %s %s; %s, want a warning to run doctor as root", c.Result, c.Detail, c.Hint)
		}
	}
	n.examine()
}

// TestNodeImageWithoutKubelet: doctor can examine a node image on which no kubelet
// runs.
func TestNodeImageWithoutKubelet(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.flags = nil
	n.doctor.KubeletConfig, n.doctor.BinDir = filepath.Join(n.dir, "root/etc/kubelet/providers.yaml"), filepath.Join(n.dir, "root/usr/libexec/plugins")
	n.adopted = []string{"SSL_CERT_FILE=" + n.aws.CAFile()}
	n.environ = nil // the container runtime is another node's
	report := n.examine()
	if !report.Success() {
		t.Error(text(t, report))
	}
}
