package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// release is a Kubernetes minor release, and the behavior of its kubelet.
type release struct {
	version string
	program func() (string, error)
	// byName means that providers are tried in the order of their names, not of the
	// configuration.
	byName bool
	// directories means that the configuration may be a directory of files.
	directories bool
	// serviceAccounts means that the configuration may have tokenAttributes.
	serviceAccounts bool
	// failed is the log's text before the error of a plugin.
	failed string
}

// releases are a recent release and two older ones whose kubelets behave differently.
// 1.32 was released before KEP-4412, and tries providers in the order of their names.
var releases = []release{
	{
		version: "1.32", program: program("kubelet-1.32", "."), byName: true,
		failed: "Failed getting credential from external registry credential provider: error execing credential provider plugin " + name,
	},
	{
		version: "1.34", program: program("kubelet-1.34", "."), directories: true, serviceAccounts: true,
		failed: "Failed getting credential from external registry credential provider: error execing credential provider plugin " + name,
	},
	{
		version: "1.36", program: program("kubelet-1.36", "."), directories: true, serviceAccounts: true,
		failed: `"Failed to provide credentials for image" err="failed to get credential from external registry credential provider: error execing credential provider plugin ` + name,
	},
}

// kubelet describes how a kubelet is started and which images it looks up.
type kubelet struct {
	// Config and BinDir are the flags --image-credential-provider-config and
	// --image-credential-provider-bin-dir.
	Config, BinDir string
	// Lookups are the images that pods want, in order.
	Lookups []pod
	// ServiceAccounts are the service accounts in the API server, by NAMESPACE/NAME.
	ServiceAccounts map[string]serviceAccount
}

// pod is an image that a pod wants, and the pod's service account, if it has one.
type pod struct{ Image, Namespace, ServiceAccount string }

// serviceAccount is a service account in the API server.
type serviceAccount struct {
	Annotations map[string]string
	// Audience is the audience for which TokenRequest returns Token.
	Audience, Token string
}

// lookup holds the credentials that a kubelet would try for an image.
type lookup struct {
	Credentials []credential
}

type credential struct{ Username, Password string }

// run starts the kubelet with an environment, and returns the credentials that it
// found and its log. Each run is a new kubelet with an empty cache.
func (r release) run(t *testing.T, k kubelet, env []string) ([]lookup, string, error) {
	t.Helper()
	input, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), built(t, r.program))
	cmd.Dir = t.TempDir() // a kubelet looks for .dockercfg and config.json here and in $HOME
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, stderr.String(), err
	}
	var answers []lookup
	if err := json.Unmarshal(stdout.Bytes(), &answers); err != nil {
		t.Fatalf("%v: %s", err, stdout.Bytes())
	}
	return answers, stderr.String(), nil
}
