// Command demo shows what the plugin does. It sends requests to the plugin like a
// kubelet, against a fake AWS on loopback. It prints each request, the calls to AWS
// that follow, and each answer. At the end, the operator's tool examines the
// last image, which was refused.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// demoCase is a request of a kubelet.
type demoCase struct {
	title, image string
	// serviceAccount is the name of the pod's service account in namespace team-a,
	// and role the role of its annotation. They are empty if the kubelet sends no
	// service account.
	serviceAccount, role string
}

// podRole is the role of the service account "app".
const podRole = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/pull-team-a"

var cases = []demoCase{
	{title: "another account's registry", image: "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/app"},
	{title: "another account's, by a chain of two roles", image: "777788889999.dkr.ecr.eu-central-1.amazonaws.com/shop/cart"},
	{
		title: "another account's, by the role of the pod's service account", image: "444455556666.dkr.ecr.eu-north-1.amazonaws.com/team-a/app",
		serviceAccount: "app", role: podRole,
	},
	{title: "the node's own account", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/base/java"},
	{title: "a public image of Amazon", image: "public.ecr.aws/eks-distro/kubernetes/pause"},
	{title: "a registry that is not ECR", image: "docker.io/library/busybox"},
	{
		title: "a service account that names a role which the configuration does not allow", image: "444455556666.dkr.ecr.eu-north-1.amazonaws.com/team-a/app",
		serviceAccount: "curious", role: "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull",
	},
	{title: "a role that requires another external ID", image: "777788889999.dkr.ecr.eu-west-1.amazonaws.com/shop/cart"},
	{title: "a role that does not trust the node", image: "777788889999.dkr.ecr.us-east-1.amazonaws.com/shop/cart"},
}

func main() {
	log.SetFlags(0)
	plugin := flag.String("plugin", "bin/ecr-cross-account-credential-provider", "the plugin's binary")
	tool := flag.String("tool", "bin/ecr-cross-account", "the operator's tool's binary")
	config := flag.String("config", "test/demo/config.yaml", "the plugin's configuration")
	flag.Parse()
	if err := run(os.Stdout, *plugin, *tool, *config); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, plugin, tool, config string) error {
	world, cluster, err := demoWorld()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	aws, err := fakeaws.Start(world, fakeaws.Options{TLS: true, Dir: dir})
	if err != nil {
		return err
	}
	defer aws.Close() //nolint:errcheck // the demo is over
	fmt.Fprintf(w, "A node in account %s, image accounts %s and %s, and this configuration (%s):\n\n",
		fakeaws.NodeAccount, fakeaws.FirstAccount, fakeaws.SecondAccount, config)
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	indent(w, text)
	// The demo uses a copy, because the plugin refuses a file that others may write. In
	// a clone made under umask 002, the group may write all files.
	config = filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, text, 0o644); err != nil {
		return err
	}
	for i, c := range cases {
		fmt.Fprintf(w, "\n%d. %s\n", i+1, c.title)
		aws.Forget()
		request, err := c.request(cluster)
		if err != nil {
			return err
		}
		if err := show(w, aws, plugin, config, request); err != nil {
			return err
		}
	}
	refused := cases[len(cases)-1].image
	fmt.Fprintf(w, "\nWhy was the last one refused? %s doctor %s\n\n", filepath.Base(tool), refused)
	if err := examine(w, aws, plugin, tool, config, refused); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nNext: install it on a test node, as the quick start in README.md says. config-examples/TROUBLESHOOTING.md has all symptoms.\n")
	return nil
}

// demoWorld returns the example's world with a cluster, a role for a pod, and roles that
// refuse the node.
func demoWorld() (*fakeaws.World, *fakeaws.Issuer, error) {
	world := fakeaws.ExampleWorld()
	cluster, err := fakeaws.NewIssuer("https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE")
	if err != nil {
		return nil, nil, err
	}
	world.TrustIssuer(cluster)
	world.SetRole(fakeaws.Role{ARN: podRole, Trust: []fakeaws.Trust{{Principal: "system:serviceaccount:team-a:app"}}})
	world.SetRole(fakeaws.Role{
		ARN:   "arn:aws:iam::" + fakeaws.SecondAccount + ":role/ecr-pull-partner",
		Trust: []fakeaws.Trust{{Principal: "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node", ExternalID: fakeaws.ExampleExternalID}},
	})
	world.SetRole(fakeaws.Role{ARN: "arn:aws:iam::" + fakeaws.SecondAccount + ":role/ecr-pull-us"}) // trusts no principal
	return world, cluster, nil
}

// kubeletRequest is a kubelet's request to the plugin.
type kubeletRequest struct {
	APIVersion                string            `json:"apiVersion"`
	Kind                      string            `json:"kind"`
	Image                     string            `json:"image"`
	ServiceAccountToken       string            `json:"serviceAccountToken,omitempty"`
	ServiceAccountAnnotations map[string]string `json:"serviceAccountAnnotations,omitempty"`
}

func (c demoCase) request(cluster *fakeaws.Issuer) (r kubeletRequest, err error) {
	r = kubeletRequest{APIVersion: "credentialprovider.kubelet.k8s.io/v1", Kind: "CredentialProviderRequest", Image: c.image}
	if c.serviceAccount != "" {
		r.ServiceAccountAnnotations = map[string]string{rule.DefaultRoleAnnotation: c.role}
		r.ServiceAccountToken, err = cluster.Token("team-a", c.serviceAccount, fakeaws.Audience, time.Now().Add(time.Hour))
	}
	return r, err
}

// shown returns the request without its token.
func (r kubeletRequest) shown() (string, error) {
	if r.ServiceAccountToken != "" {
		r.ServiceAccountToken = "(a token of the service account)"
	}
	text, err := json.Marshal(r)
	return string(text), err
}

// examine runs the operator's tool for an image, like an operator on the node.
func examine(w io.Writer, aws *fakeaws.Server, plugin, tool, config, image string) error {
	plugin, err := filepath.Abs(plugin)
	if err != nil {
		return err
	}
	providers := filepath.Join(filepath.Dir(config), "providers.yaml")
	text := fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: %s
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.dkr.ecr.*.amazonaws.com"]
  defaultCacheDuration: "0s"
  args: ["--config=%s", get-credentials]
`, filepath.Base(plugin), config)
	if err := os.WriteFile(providers, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), tool, "doctor", "--kubelet-config", providers, "--bin-dir", filepath.Dir(plugin), image)
	cmd.Env, cmd.Stdout, cmd.Stderr = aws.ProxyEnv(), w, w
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == command.FoundProblem {
		return nil
	}
	if err == nil {
		return errors.New("doctor found no problem, want one")
	}
	return fmt.Errorf("doctor did not find the cause: %w", err)
}

// show runs the plugin like a kubelet, and prints the request, the calls and the
// response.
func show(w io.Writer, aws *fakeaws.Server, plugin, config string, r kubeletRequest) error {
	shown, err := r.shown()
	if err != nil {
		return err
	}
	stdin, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "   kubelet  %s\n", shown)
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(context.Background(), plugin, "--config", config, "get-credentials")
	cmd.Env = aws.Env()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err = cmd.Run()
	for _, call := range aws.Calls() {
		fmt.Fprintf(w, "   aws      %s\n", strings.Replace(call.String(), call.Duration.String(), rule.ShortDuration(call.Duration), 1))
	}
	if len(aws.Calls()) == 0 {
		fmt.Fprintln(w, "   aws      (no call)")
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		fmt.Fprintf(w, "   plugin   exit %d: %s\n", exit.ExitCode(), stderr.Bytes())
		return nil
	case err != nil:
		return err
	}
	return showAnswer(w, aws, stdout.Bytes())
}

// showAnswer prints the response, with each password replaced by a description.
func showAnswer(w io.Writer, aws *fakeaws.Server, response []byte) error {
	var answer struct {
		CacheKeyType, CacheDuration string
		Auth                        map[string]struct{ Username, Password string }
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		return err
	}
	kept, err := time.ParseDuration(answer.CacheDuration)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "   plugin   cacheKeyType %s, cacheDuration %s", answer.CacheKeyType, rule.ShortDuration(kept))
	if len(answer.Auth) == 0 {
		fmt.Fprint(w, ", no credentials")
	}
	for key, auth := range answer.Auth {
		grant, err := aws.World.ReadToken(auth.Password)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, ", auth for %s:\n            user %s, a token for region %s, minted for %s", key, auth.Username, grant.Region, grant.Principal)
	}
	fmt.Fprintln(w)
	return nil
}

func indent(w io.Writer, text []byte) {
	for line := range bytes.Lines(text) {
		fmt.Fprintf(w, "   %s", line)
	}
}
