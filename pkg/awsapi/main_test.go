package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// childVariable makes the test binary run one of children instead of the tests. The
// SDK reads the process's environment, which parallel tests can't change.
const childVariable = "AWSAPI_TEST_CHILD"

// TestMain runs a child if the environment names one. Before the tests, it removes
// the developer's own AWS and proxy settings from the environment.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		if err := children[name](os.Stdout, os.Args[1:]); err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	}
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

// inChild runs one of children in a process whose environment is env. It returns
// what the child printed, without the final newline.
func inChild(t *testing.T, name string, env []string, args ...string) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable, args...)
	cmd.Env = append([]string{
		childVariable + "=" + name, "HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + t.TempDir(),
		"AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent",
	}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// children are the functions that inChild can run, by name.
var children = map[string]func(out io.Writer, args []string) error{
	"hosts":    printHosts,
	"proxies":  printProxies,
	"token":    printToken,
	"node":     printNode,
	"profile":  printProfile,
	"instance": printInstance,
	"hint":     printHint,
	"secrets":  printSecrets,

	"hurriedToken":    printHurriedToken,
	"hurriedNode":     printHurriedNode,
	"hurriedInstance": printHurriedInstance,
}

// childAPI makes the API of the child's environment. Its timeouts only end a hang
// of the test. They are long, because a busy machine needs time for a body of 1
// MiB.
func childAPI(change ...func(*Options)) (*API, error) {
	const patience = 2 * time.Minute
	o := Options{Now: time.Now, Random: func() float64 { return 0 }, Environ: os.Environ(), Timeouts: Timeouts{
		Dial: patience, Handshake: patience, Attempt: patience, Metadata: patience, Source: patience, Instance: patience, Public: patience,
	}}
	for _, f := range change {
		f(&o)
	}
	return Load(context.Background(), o)
}

// printHosts prints the hosts to call: for each image's registry, for STS in its
// region, and for ECR Public.
func printHosts(out io.Writer, images []string) error {
	api, err := childAPI()
	if err != nil {
		return err
	}
	say := func(host string, err error) { fmt.Fprintln(out, host, err) }
	for _, name := range images {
		image, ok := registry.Parse(name)
		if !ok {
			return errors.New("not ECR: " + name)
		}
		say(api.ECRHost(image.Registry().API()))
		say(api.STSHost(image.Registry().Region(), false))
	}
	say(api.ECRHost(registry.API{Public: true}))
	return nil
}

// hurry sets short timeouts, for services that never answer.
func hurry(o *Options) {
	o.Timeouts = DefaultTimeouts()
	o.Timeouts.Source = 3 * time.Second
}

// printProxies prints which proxy the API's and the metadata's transport would
// use for each URL.
func printProxies(out io.Writer, urls []string) error {
	t := DefaultTimeouts()
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			return err
		}
		request := &http.Request{URL: u}
		api, err := apiTransport(t).GetTransport().Proxy(request)
		fmt.Fprintln(out, "api", api, err)
		metadata, err := metadataTransport(t).GetTransport().Proxy(request)
		fmt.Fprintln(out, "metadata", metadata, err)
	}
	return nil
}

// printToken requests a token from ECR, and prints the region of the configuration.
func printToken(out io.Writer, _ []string) error {
	api, err := childAPI()
	if err != nil {
		return err
	}
	if err := getToken(context.Background(), api); err != nil {
		return err
	}
	fmt.Fprintln(out, "ok, in", api.cfg.Region)
	return nil
}

// printNode prints the source of the node's credentials. Its argument, if any, is
// the value of node.configFile.
func printNode(out io.Writer, args []string) error {
	return printSource(out, func(o *Options) { o.ConfigFile = strings.Join(args, "") })
}

// printProfile prints the source of the node's credentials. Its argument is the value of
// node.profile; it may be empty.
func printProfile(out io.Writer, args []string) error {
	return printSource(out, func(o *Options) { o.Profile = strings.Join(args, "") })
}

// printHurriedNode is printNode with short timeouts, for sources that never answer.
func printHurriedNode(out io.Writer, _ []string) error {
	return printSource(out, hurry)
}

func printSource(out io.Writer, change func(*Options)) error {
	api, err := childAPI(change)
	if err != nil {
		return err
	}
	credentials, err := api.NodeCredentials(context.Background())
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ok, from", credentials.Source)
	return nil
}

// printHurriedToken is printToken without time for a second attempt.
func printHurriedToken(_ io.Writer, _ []string) error {
	api, err := childAPI(hurry)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return getToken(ctx, api)
}

// printSecrets requests a token with the node's credentials. Its argument, if any,
// is a secret that the caller knows.
func printSecrets(_ io.Writer, args []string) error {
	api, err := childAPI()
	if err != nil {
		return err
	}
	for _, arg := range args {
		api.KeepSecret(secret.New(arg))
	}
	credentials, err := api.NodeCredentials(context.Background())
	if err != nil {
		return err
	}
	return getTokenAs(context.Background(), api, credentials)
}

// printHint prints why the node has no credentials, and the hint.
func printHint(_ io.Writer, _ []string) error {
	api, err := childAPI()
	if err == nil {
		_, err = api.NodeCredentials(context.Background())
	}
	if hint := Hint(err, "STS"); hint != "" {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

func printInstance(out io.Writer, _ []string) error { return printInstanceBy(out) }

// printHurriedInstance is printInstance with short timeouts, for a service that
// never answers.
func printHurriedInstance(out io.Writer, _ []string) error { return printInstanceBy(out, hurry) }

func printInstanceBy(out io.Writer, change ...func(*Options)) error {
	api, err := childAPI(change...)
	if err != nil {
		return err
	}
	instance, err := api.Instance(context.Background())
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ok,", instance.ID, instance.Region, instance.Account)
	return nil
}

// secrets are the credentials that sign the calls. No message may hold them.
var secrets = aws.Credentials{
	AccessKeyID:     "ASIAEXAMPLE",
	SecretAccessKey: "SECRETKEYexample",
	SessionToken:    "SESSIONTOKENexample",
}

// wantLine checks the rules for the text of every error.
func wantLine(t *testing.T, text string) {
	t.Helper()
	if text == "" || len(text) > 1100 {
		t.Errorf("got a text of %d bytes, want 1 to 1100", len(text))
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0x202e {
			t.Errorf("got %U in the text, want no such character: %q", r, text)
		}
	}
	for _, secret := range []string{secrets.SecretAccessKey, secrets.SessionToken} {
		if strings.Contains(text, secret) {
			t.Errorf("got a secret in the text: %s", text)
		}
	}
}
