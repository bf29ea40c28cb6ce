package main

import (
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
	"ecr-cross-account-credential-provider/test/fakejournal"
)

// TestFaults lets each service fail in each way while another account's
// registry is asked for: every time the plugin ends by itself, with one line
// that tells the cause and no secret.
func TestFaults(t *testing.T) {
	t.Parallel()
	garbage := fakeaws.Fault{Kind: fakeaws.Answer, Body: leak + `{"<not an answer`}
	kind := func(k fakeaws.FaultKind) fakeaws.Fault { return fakeaws.Fault{Kind: k} }
	sts, ecr := "assuming role arn:aws:iam::444455556666:role/ecr-pull for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com as the node's identity (EC2RoleProvider): ",
		"getting a token for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com as arn:aws:iam::444455556666:role/ecr-pull: "
	imds := "no credentials for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com: no AWS credentials on this node: tried the environment (AWS_ACCESS_KEY_ID is not set), profile default (it has none), a web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), a container's endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI is not set), then the instance's profile by IMDS: "
	tests := []struct {
		service fakeaws.Service
		name    string
		fault   fakeaws.Fault
		want    string
	}{
		{fakeaws.IMDS, "never accepts", kind(fakeaws.HangAccept), imds + "no answer from"},
		{fakeaws.IMDS, "says nothing", kind(fakeaws.HangHandshake), imds + "no answer from"},
		{fakeaws.IMDS, "resets", kind(fakeaws.Reset), imds},
		{fakeaws.IMDS, "no headers", kind(fakeaws.HangHeaders), imds + "no answer from"},
		{fakeaws.IMDS, "half a body", kind(fakeaws.HangBody), imds},
		{fakeaws.IMDS, "cut-off body", kind(fakeaws.CutBody), imds},
		{fakeaws.IMDS, "dripping body", kind(fakeaws.Drip), imds},
		{fakeaws.IMDS, "endless body", kind(fakeaws.Flood), imds},
		{fakeaws.IMDS, "garbage", garbage, imds},
		{fakeaws.IMDS, "empty", fakeaws.Fault{Kind: fakeaws.Answer}, imds},
		{fakeaws.IMDS, "500", fakeaws.Broken(0), imds},
		{fakeaws.IMDS, "403", fakeaws.Denied(), imds},

		{fakeaws.STS, "never accepts", kind(fakeaws.HangAccept), sts + "no answer from"},
		{fakeaws.STS, "no handshake", kind(fakeaws.HangHandshake), sts + "no answer from"},
		{fakeaws.STS, "resets", kind(fakeaws.Reset), sts},
		{fakeaws.STS, "no headers", kind(fakeaws.HangHeaders), sts + "no answer from"},
		{fakeaws.STS, "half a body", kind(fakeaws.HangBody), sts + "no answer from"},
		{fakeaws.STS, "cut-off body", kind(fakeaws.CutBody), sts},
		{fakeaws.STS, "dripping body", kind(fakeaws.Drip), sts},
		{fakeaws.STS, "endless body", kind(fakeaws.Flood), sts},
		{fakeaws.STS, "garbage", garbage, sts},
		{fakeaws.STS, "empty", fakeaws.Fault{Kind: fakeaws.Answer}, sts},
		{fakeaws.STS, "no credentials", fakeaws.Fault{Kind: fakeaws.Answer, Body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult></AssumeRoleResult></AssumeRoleResponse>`}, sts},
		{fakeaws.STS, "empty credentials", fakeaws.Fault{Kind: fakeaws.Answer, Body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials></Credentials></AssumeRoleResult></AssumeRoleResponse>`}, sts},
		{fakeaws.STS, "throttled", fakeaws.Throttled(0), sts},
		{fakeaws.STS, "500", fakeaws.Broken(0), sts},
		{fakeaws.STS, "denied", fakeaws.Denied(), sts + "AccessDenied: not authorized; the role's trust policy"},
		{fakeaws.STS, "502 of a proxy", fakeaws.Fault{Kind: fakeaws.Answer, Status: 502, Body: "<html>" + leak}, sts},

		{fakeaws.ECR, "never accepts", kind(fakeaws.HangAccept), ecr + "no answer from"},
		{fakeaws.ECR, "no handshake", kind(fakeaws.HangHandshake), ecr + "no answer from"},
		{fakeaws.ECR, "resets", kind(fakeaws.Reset), ecr},
		{fakeaws.ECR, "no headers", kind(fakeaws.HangHeaders), ecr + "no answer from"},
		{fakeaws.ECR, "half a body", kind(fakeaws.HangBody), ecr + "no answer from"},
		{fakeaws.ECR, "cut-off body", kind(fakeaws.CutBody), ecr},
		{fakeaws.ECR, "dripping body", kind(fakeaws.Drip), ecr},
		{fakeaws.ECR, "endless body", kind(fakeaws.Flood), ecr},
		{fakeaws.ECR, "garbage", garbage, ecr},
		{fakeaws.ECR, "empty", fakeaws.Fault{Kind: fakeaws.Answer}, ecr},
		{fakeaws.ECR, "empty object", fakeaws.Fault{Kind: fakeaws.Answer, Body: "{}"}, ecr + "the answer has no token"},
		{fakeaws.ECR, "empty list", fakeaws.Fault{Kind: fakeaws.Answer, Body: `{"authorizationData":[]}`}, ecr + "the answer has no token"},
		{fakeaws.ECR, "nil token", fakeaws.Fault{Kind: fakeaws.Answer, Body: `{"authorizationData":[{"expiresAt":4000000000}]}`}, ecr + "the answer has no token"},
		{fakeaws.ECR, "not base64", fakeaws.Fault{Kind: fakeaws.Answer, Body: `{"authorizationData":[{"authorizationToken":"` + leak + `!","expiresAt":4000000000}]}`}, ecr + "the answer has a token that is not base64"},
		{fakeaws.ECR, "no colon", fakeaws.Fault{Kind: fakeaws.Answer, Body: `{"authorizationData":[{"authorizationToken":"QVdT","expiresAt":4000000000}]}`}, ecr + "the answer has a token that is not USER:PASSWORD"},
		{fakeaws.ECR, "expired", fakeaws.Fault{Kind: fakeaws.Answer, Body: `{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":1000000000}]}`}, ecr + "the answer has a token that expired at 2001-09-09T01:46:40Z"},
		{fakeaws.ECR, "no expiry", fakeaws.Fault{Kind: fakeaws.Answer, Body: `{"authorizationData":[{"authorizationToken":"QVdTOng="}]}`}, ecr + "the answer has a token without an expiry"},
		{fakeaws.ECR, "throttled", fakeaws.Throttled(0), ecr},
		{fakeaws.ECR, "500", fakeaws.Broken(0), ecr},
		{fakeaws.ECR, "denied", fakeaws.Denied(), ecr + "AccessDeniedException: not authorized; allow ecr:GetAuthorizationToken on * to arn:aws:iam::444455556666:role/ecr-pull"},
	}
	for _, test := range tests {
		t.Run(string(test.service)+" "+test.name, func(t *testing.T) {
			t.Parallel()
			// Next door an answer can begin before its request is written, and
			// net/http then breaks off.
			aws := startAWS(t, fakeaws.Options{TLS: true, RoundTrip: 10 * time.Millisecond})
			aws.Break(test.service, test.fault)
			journal := fakejournal.Start(t)
			got := ask(t, append(aws.Env(), "TEST_JOURNAL="+journal.Socket), "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--config", writeConfig(t, oneRole))
			got.wantOneLine(t, test.want)
			got.wantNoSecret(t)
			checkAgainst(t, record(t, journal), got)
		})
	}
}

// TestTransientFaults are met by trying again.
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
					t.Errorf("exit %d: %s", got.status, got.stderr)
				}
			})
		}
	}
}

// TestTrust: what is not AWS, or not in AWS's time, gets nothing.
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
	for name, skew := range map[string]time.Duration{"node an hour ahead": -time.Hour, "node an hour behind": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := startAWS(t, fakeaws.Options{})
			aws.World.SetSkew(skew)
			got := ask(t, aws.Env(), "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "--role", role)
			if got.status != 0 || !strings.Contains(got.stdout, `"cacheDuration":"5`) {
				t.Errorf("exit %d, %s; want an answer for 50 odd minutes", got.status, got.stderr)
			}
		})
	}
	t.Run("wrong secret", func(t *testing.T) {
		t.Parallel()
		aws := startAWS(t, fakeaws.Options{})
		env := append(aws.Env(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID="+leak, "AWS_SECRET_ACCESS_KEY="+leak, "AWS_SESSION_TOKEN="+leak)
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
			runtime.Gosched() // until the plugin has got as far as STS
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}()
	got := run(t, cmd)
	got.wantOneLine(t, "stopped while 127.0.0.1:")
}

// TestOpenStdin: a request that never ends does not hold the plugin.
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
	cmd := command(t, nil, "--config", writeConfig(t, oneRole))
	cmd.Stdin = reader
	got := run(t, cmd)
	got.wantOneLine(t, "was the request on stdin ever written and closed?")
}
