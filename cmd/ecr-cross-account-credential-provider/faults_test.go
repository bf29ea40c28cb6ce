package main

import (
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
	"ecr-cross-account-credential-provider/test/fakejournal"
)

// TestFaults lets each service fail in each way during a request for another
// account's registry. Every time, the plugin ends by itself, with one line that
// names the cause and contains no secret.
func TestFaults(t *testing.T) {
	t.Parallel()
	for service, prefix := range faultPrefixes {
		for _, f := range fakeaws.FaultsOf(service) {
			t.Run(string(service)+" "+f.Name, func(t *testing.T) {
				t.Parallel()
				aws := startAWS(t, fakeaws.Options{TLS: true})
				aws.Break(service, f.Fault)
				journal := fakejournal.Start(t)
				got := ask(t, append(aws.Env(), "TEST_JOURNAL="+journal.Socket, "TEST_PATIENCE="), "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--config", writeConfig(t, oneRole+"deadline: 10s\n"))
				got.wantOneLine(t, prefix+faultCauses[service][f.Name])
				got.wantNoSecret(t)
				checkAgainst(t, record(t, journal), got)
			})
		}
	}
}

// faultPrefixes are the starts of the error line, by service.
var faultPrefixes = map[fakeaws.Service]string{
	fakeaws.IMDS: "no credentials for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com: no AWS credentials on this node: tried the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set), a web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), profile default (it has none), a container's endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI is not set), then the instance's profile by IMDS: ",
	fakeaws.STS:  "assuming role arn:aws:iam::444455556666:role/ecr-pull for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com as the node's identity (EC2RoleProvider): ",
	fakeaws.ECR:  "getting a token for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com as arn:aws:iam::444455556666:role/ecr-pull: ",
}

// faultCauses are the texts that follow the prefix, for faults with only one
// possible cause. If the answer begins before the request is fully written, net/http
// may close the connection, which is another cause.
var faultCauses = map[fakeaws.Service]map[string]string{
	fakeaws.IMDS: {
		string(fakeaws.HangAccept): "no answer from", string(fakeaws.HangHandshake): "no answer from", string(fakeaws.HangHeaders): "no answer from",
	},
	fakeaws.STS: {
		string(fakeaws.HangAccept): "no answer from", string(fakeaws.HangHandshake): "no answer from", string(fakeaws.HangHeaders): "no answer from",
		"denied": "AccessDenied: not authorized; the role's trust policy",
	},
	fakeaws.ECR: {
		string(fakeaws.HangAccept): "no answer from", string(fakeaws.HangHandshake): "no answer from", string(fakeaws.HangHeaders): "no answer from",
		"denied":       "AccessDeniedException: not authorized; allow ecr:GetAuthorizationToken on * to arn:aws:iam::444455556666:role/ecr-pull",
		"empty object": "the answer has no token", "empty list": "the answer has no token", "nil token": "the answer has no token",
		"not base64":    "the answer has a token that is not base64",
		"no colon":      "the answer has a token that is not USER:PASSWORD",
		"expired token": "the answer has a token that expired at 2001-09-09T01:46:40Z",
		"no expiry":     "the answer has a token without an expiry",
	},
}

// TestFaultCauses: each cause belongs to a fault in the table.
func TestFaultCauses(t *testing.T) {
	t.Parallel()
	for service, causes := range faultCauses {
		for name := range causes {
			if !slices.ContainsFunc(fakeaws.FaultsOf(service), func(f fakeaws.NamedFault) bool { return f.Name == name }) {
				t.Errorf("got no fault %q of %s in the table", name, service)
			}
		}
	}
}

// TestTransientFaults: after transient faults, another attempt succeeds.
func TestTransientFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakeaws.Fault{
		"throttled once": fakeaws.Throttled(1),
		"500 once":       fakeaws.Broken(1),
		"reset once":     {Kind: fakeaws.Reset, Times: 1},
		"cut off once":   {Kind: fakeaws.CutBody, Times: 1},
	} {
		for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
			t.Run(string(service)+" "+name, func(t *testing.T) {
				t.Parallel()
				aws := startAWS(t, fakeaws.Options{})
				aws.Break(service, fault)
				got := ask(t, aws.Env(), "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app",
					"--role", "444455556666=arn:aws:iam::444455556666:role/ecr-pull")
				if got.status != 0 || got.stderr != "" {
					t.Errorf("got status %d, stderr %q; want a token", got.status, got.stderr)
				}
			})
		}
	}
}

// TestTrust: the plugin fails if a certificate is not trusted, or if AWS does not know
// the credentials. A node's wrong clock does not prevent an answer.
func TestTrust(t *testing.T) {
	t.Parallel()
	role := "444455556666=arn:aws:iam::444455556666:role/ecr-pull"
	t.Run("certificate expired", func(t *testing.T) {
		t.Parallel()
		aws := startAWS(t, fakeaws.Options{TLS: true, Expired: true})
		got := ask(t, aws.Env(), "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--config", writeConfig(t, oneRole))
		got.wantOneLine(t, "is not accepted: x509: certificate has expired")
	})
	t.Run("unknown authority", func(t *testing.T) {
		t.Parallel()
		aws := startAWS(t, fakeaws.Options{TLS: true})
		var env []string
		for _, variable := range aws.Env() {
			if !strings.HasPrefix(variable, "AWS_CA_BUNDLE=") {
				env = append(env, variable)
			}
		}
		got := ask(t, env, "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--config", writeConfig(t, oneRole))
		got.wantOneLine(t, "is not accepted: x509: certificate signed by unknown authority")
	})
	for name, test := range map[string]struct {
		skew time.Duration
		want string
	}{
		"node an hour ahead":  {-time.Hour, `"cacheDuration":"0s"`}, // by the node's clock, the session has ended
		"node an hour behind": {time.Hour, `"cacheDuration":"5`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := startAWS(t, fakeaws.Options{})
			aws.World.SetSkew(test.skew)
			got := ask(t, aws.Env(), "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--role", role)
			if got.status != 0 || !strings.Contains(got.stdout, test.want) {
				t.Errorf("got status %d, stdout %s, stderr %q; want %s", got.status, got.stdout, got.stderr, test.want)
			}
		})
	}
	t.Run("wrong secret", func(t *testing.T) {
		t.Parallel()
		aws := startAWS(t, fakeaws.Options{})
		env := append(aws.Env(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID="+fakeaws.LeakMark, "AWS_SECRET_ACCESS_KEY="+fakeaws.LeakMark, "AWS_SESSION_TOKEN="+fakeaws.LeakMark)
		got := ask(t, env, "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--role", role)
		got.wantOneLine(t, "InvalidClientTokenId")
		got.wantNoSecret(t)
	})
}

// TestSignal: SIGTERM ends a request at once, with one line.
func TestSignal(t *testing.T) {
	t.Parallel()
	aws := startAWS(t, fakeaws.Options{})
	aws.Break(fakeaws.STS, fakeaws.Fault{Kind: fakeaws.HangHeaders})
	cmd := command(t, aws.Env(), "--role", "444455556666=arn:aws:iam::444455556666:role/ecr-pull")
	cmd.Stdin = strings.NewReader(request("444455556666.dkr.ecr.eu-west-1.amazonaws.com/app"))
	go func() {
		for len(aws.Calls(fakeaws.STS)) == 0 && t.Context().Err() == nil {
			runtime.Gosched() // until the plugin has reached STS
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}()
	got := run(t, cmd)
	got.wantOneLine(t, "stopped while 127.0.0.1:")
}

// TestOpenStdin: a request that never ends does not block the plugin.
func TestOpenStdin(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	if _, err := io.WriteString(writer, `{"kind":`); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, nil, "--config", writeConfig(t, hasty))
	cmd.Stdin = reader
	got := run(t, cmd)
	got.wantOneLine(t, "was the request on stdin written and closed?")
}
