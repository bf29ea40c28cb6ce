package ecr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// childVariable makes the test binary request a token instead of running the tests.
// The SDK reads the process's environment, which parallel tests can't change.
const childVariable = "ECR_TEST_CHILD"

// TestMain runs the child if the environment says so. Only children call AWS,
// because they do not inherit the developer's AWS settings.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		attempt, err := time.ParseDuration(os.Args[2])
		if err == nil {
			err = printToken(os.Stdout, os.Args[1], attempt)
		}
		if err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience only ends a hang of the test. It is long, because a busy machine needs
// time for a body of 1 MiB. hasty is the time for each attempt at a service that
// never answers.
const (
	patience = 2 * time.Minute
	hasty    = time.Second
)

// printToken requests a token for an image's registry with the node's credentials.
// attempt is the time for one attempt.
func printToken(out io.Writer, name string, attempt time.Duration) error {
	ctx := context.Background()
	timeouts := awsapi.Timeouts{Dial: patience, Handshake: patience, Attempt: attempt, Metadata: patience, Source: patience, Instance: patience}
	api, err := awsapi.Load(ctx, awsapi.Options{Timeouts: timeouts, Now: time.Now, Random: func() float64 { return 0 }, Environ: os.Environ()})
	if err != nil {
		return err
	}
	credentials, err := api.NodeCredentials(ctx)
	if err != nil {
		return err
	}
	as := identity.NewSession(credentials, "the node", time.Time{})
	image, ok := registry.Parse(name)
	if !ok {
		return errors.New("not ECR")
	}
	var token Token
	if reg := image.Registry(); reg.Public() {
		token, err = AuthorizePublic(ctx, api, as)
	} else {
		token, err = Authorize(ctx, api, reg.API(), reg.Host(), as)
	}
	if err != nil {
		return err
	}
	username, password := token.Login.Cut(":")
	fmt.Fprintln(out, username, password.Reveal(), token.Life.Round(time.Hour))
	return nil
}

// inChild runs printToken in a process whose environment is env.
func inChild(t *testing.T, env []string, image string, attempt time.Duration) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable, image, attempt.String())
	cmd.Env = append([]string{childVariable + "=1", "HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + t.TempDir(), "AWS_MAX_ATTEMPTS=2"}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func startAWS(t *testing.T) *fakeaws.Server {
	t.Helper()
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), fakeaws.Options{RoundTrip: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

const (
	private = "444455556666.dkr.ecr.us-west-2.amazonaws.com/app"
	public  = "public.ecr.aws/docker/library/busybox"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	for image, region := range map[string]string{private: "us-west-2", public: "public"} {
		t.Run(image, func(t *testing.T) {
			t.Parallel()
			aws := startAWS(t)
			fields := strings.Fields(inChild(t, aws.Env(), image, patience))
			if len(fields) != 3 || fields[0] != "AWS" || fields[2] != "12h0m0s" {
				t.Fatalf("got %q, want AWS, a password, 12h0m0s", fields)
			}
			if grant, err := aws.World.ReadToken(fields[1]); err != nil || grant.Region != region {
				t.Errorf("got %+v, %v; want a token of %s", grant, err, region)
			}
		})
	}
}

func TestAuthorizeErrors(t *testing.T) {
	t.Parallel()
	const start = "getting a token for registry 444455556666.dkr.ecr.us-west-2.amazonaws.com as the node: "
	const between = "; check proxies and firewalls between the node and the ECR API of us-west-2"
	const other = "; check whether a proxy or a firewall answers in place of the ECR API of us-west-2"
	answer := func(body string) fakeaws.Fault { return fakeaws.Fault{Kind: fakeaws.Answer, Body: body} }
	tests := []struct {
		name            string
		fault           fakeaws.Fault
		private, public string
	}{
		{"denied", fakeaws.Denied(), "AccessDeniedException: not authorized; allow ecr:GetAuthorizationToken on * to the node", "AccessDeniedException: not authorized"},
		{"throttled", fakeaws.Throttled(0), "ThrottlingException: Rate exceeded", "ThrottlingException: Rate exceeded"},
		{"500", fakeaws.Broken(0), "ServerException: We made a mistake", "ServerException: We made a mistake"},
		{"reset", fakeaws.Fault{Kind: fakeaws.Reset}, "HOST closed the connection" + between, "HOST closed the connection"},
		{"hang", fakeaws.Fault{Kind: fakeaws.HangHeaders}, "no answer from HOST in time (waiting for its answer); the connection works, but the ECR API of us-west-2 does not answer; check proxies on the path, and the AWS Health Dashboard", "no answer from HOST in time (waiting for its answer)"},
		{"cut off", fakeaws.Fault{Kind: fakeaws.CutBody}, "HOST closed the connection in the middle of its answer" + between, "HOST closed the connection in the middle of its answer"},
		{"too large", fakeaws.Fault{Kind: fakeaws.Flood}, "HOST: the answer is larger than 1048576 bytes; check whether HOST is the ECR API of us-west-2", "HOST: the answer is larger than 1048576 bytes"},
		{"garbage", answer(marker), "HOST gave an answer that can't be read" + other, "HOST gave an answer that can't be read"},
		{"nothing", answer(""), "the answer has no token", "the answer has no token"},
		{"empty", answer("{}"), "the answer has no token", "the answer has no token"},
		{"null", answer("null"), "HOST gave an answer that can't be read" + other, "HOST gave an answer that can't be read"},
		{"no data", answer(`{"authorizationData":null}`), "the answer has no token", "the answer has no token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			aws := startAWS(t)
			aws.Break(fakeaws.ECR, test.fault)
			aws.Break(fakeaws.ECRPublic, test.fault)
			_, privateHost, _ := strings.Cut(aws.URL(fakeaws.ECR), "://")
			_, publicHost, _ := strings.Cut(aws.URL(fakeaws.ECRPublic), "://")
			for image, want := range map[string]string{
				private: start + strings.ReplaceAll(test.private, "HOST", privateHost),
				public:  strings.Replace(test.public, "HOST", publicHost, 1),
			} {
				attempt := patience
				if test.fault.Kind == fakeaws.HangHeaders {
					attempt = hasty
				}
				if got := inChild(t, aws.Env(), image, attempt); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

// TestInsecureEndpoint: no token is requested over plain http.
func TestInsecureEndpoint(t *testing.T) {
	t.Parallel()
	aws := startAWS(t)
	env := append(aws.Env(), "AWS_ENDPOINT_URL_ECR=http://192.0.2.1")
	want := "getting a token for registry 444455556666.dkr.ecr.us-west-2.amazonaws.com as the node: the endpoint http://192.0.2.1 is not https; want https, or http to a loopback address"
	if got := inChild(t, env, private, patience); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
