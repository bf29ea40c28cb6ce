package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestGetWithoutAWS: an image that is not in ECR has an empty response, and stderr
// stays empty.
func TestGetWithoutAWS(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"get-credentials"}} {
		got := runMain(t, func(p *Process) { p.Stdin = strings.NewReader(requestText("docker.io/library/nginx")) }, args...)
		want := `{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Registry","cacheDuration":"1h0m0s"}` + "\n"
		if got != (output{0, want, ""}) {
			t.Errorf("%v: got %+v; want %s", args, got, want)
		}
	}
}

// TestGetFails: stdout stays empty, and stderr has one line without a newline,
// because a kubelet logs it as one value.
func TestGetFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stdin, want string
		args        []string
		status      int
	}{
		"no request":        {"", "there is no request on stdin; ", nil, 1},
		"argument":          {"", `get-credentials takes no argument "x"`, []string{"get-credentials", "x"}, 2},
		"unknown flag":      {"", "flag provided but not defined: -nope; for the flags, run: ", []string{"--nope"}, 2},
		"no such file":      {requestText("x/y"), "/nonexistent/config.yaml: ", []string{"--config", "/nonexistent/config.yaml"}, 2},
		"unknown command":   {"", `unknown command "explian"`, []string{"explian"}, 2},
		"several in a line": {requestText("x/y"), "registries: ", []string{"--config", writeConfig(t, "registries: []\nnonsense: x\n")}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runMain(t, func(p *Process) { p.Stdin = strings.NewReader(test.stdin) }, test.args...)
			if got.status != test.status || got.stdout != "" || !strings.HasPrefix(got.stderr, Name+": ") || !strings.Contains(got.stderr, test.want) || strings.Contains(got.stderr, "\n") {
				t.Errorf("got %+v; want status %d and %q", got, test.status, test.want)
			}
		})
	}
}

// TestErrorsForPeopleEndWithNewline: the error of a command for people ends with a
// newline, also in a pipe.
func TestErrorsForPeopleEndWithNewline(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"explain"}, {"version", "x"}, {"cache", "list"}, {"validate"}, {"help", "x"}} {
		if got := runMain(t, nil, args...); got.status != 2 || got.stdout != "" || !strings.HasSuffix(got.stderr, "\n") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v: got %+v; want status 2 and one line on stderr", args, got)
		}
	}
	got := runMain(t, func(p *Process) { p.StderrTerminal = true })
	if !strings.HasSuffix(got.stderr, "\n") {
		t.Errorf("on a terminal: got %+v; want a newline at the end", got)
	}
}

// TestStuck: if a step hangs, the program ends within its deadline and names the
// step.
func TestStuck(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "registries: [{accounts: [\"444455556666\"]}]\ndeadline: 10s\n")
	for name, test := range map[string]struct {
		change func(*Process)
		want   string
	}{
		"stdin is never closed": {
			func(p *Process) { p.Stdin = never{} },
			`no response within the deadline of 10s: step "request" did not end; was the request on stdin written and closed?`,
		},
		"stdout is never read": {
			func(p *Process) { p.Stdin, p.Stdout = strings.NewReader(requestText("x.example/y")), never{} },
			`writing the response to stdout: no response within the deadline of 10s: step "response" did not end; does anybody read stdout?`,
		},
		"stdout is closed": {
			func(p *Process) { p.Stdin, p.Stdout = strings.NewReader(requestText("x.example/y")), failing{} },
			"writing the response to stdout: file already closed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := runMain(t, test.change, "--config", config); got.status != 1 || got.stderr != Name+": "+test.want {
				t.Errorf("got %+v; want status 1 and %q", got, test.want)
			}
		})
	}
}

// TestSlowConfiguration: if reading the configuration takes longer than its deadline
// allows, the message does not blame a later step.
func TestSlowConfiguration(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "registries: [{accounts: [\"444455556666\"]}]\ndeadline: 3s\n")
	var mu sync.Mutex
	now := time.Now()
	got := runMain(t, func(p *Process) {
		p.Stdin = never{}
		p.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); now = now.Add(time.Second); return now }
	}, "--config", config)
	want := Name + ": no response within the deadline of 3s: reading the configuration took 4s; is the configuration on a disk that answers?"
	if got.status != 1 || got.stderr != want {
		t.Errorf("got %+v; want status 1 and %q", got, want)
	}
}

// TestStderrIsNeverRead: the program ends with its exit status even if nobody reads
// stderr.
func TestStderrIsNeverRead(t *testing.T) {
	t.Parallel()
	if got := runMain(t, func(p *Process) { p.Stderr = never{} }, "nonsense"); got.status != 2 {
		t.Errorf("got %+v; want status 2", got)
	}
}

// TestSignal: a signal ends a request that hangs, and the message says so.
func TestSignal(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	status := Main(ctx, Process{
		Stdin: never{}, Stdout: failing{}, Stderr: &stderr, Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
		DefaultConfig: "/nonexistent", Now: time.Now, Random: func() float64 { return 0 },
	})
	if want := Name + `: stopped by a signal in step "request"`; status != 1 || stderr.String() != want {
		t.Errorf("got status %d, stderr %q; want 1, %q", status, &stderr, want)
	}
}

// TestSignalEndsACommand: a signal also ends a command for people.
func TestSignalEndsACommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	status := Main(ctx, Process{Args: []string{"validate", "-"}, Stdin: never{}, Stdout: failing{}, Stderr: &stderr, Getenv: func(string) string { return "" }})
	if want := Name + ": stopped by a signal\n"; status != 1 || stderr.String() != want {
		t.Errorf("got status %d, stderr %q; want 1, %q", status, &stderr, want)
	}
}

// TestLogOfStderr: the entry comes first, the error last.
func TestLogOfStderr(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "registries: [{accounts: [\"444455556666\"]}]\nlog: {destination: Stderr}\n")
	got := runMain(t, nil, "--config", config)
	entry, last, _ := strings.Cut(got.stderr, "\n")
	var fields map[string]any
	if err := json.Unmarshal([]byte(entry), &fields); err != nil || fields["outcome"] != "failed" || fields["level"] != "ERROR" {
		t.Errorf("got the entry %s, error %v; want an error with outcome failed", entry, err)
	}
	if !strings.HasPrefix(last, Name+": there is no request on stdin") {
		t.Errorf("got the last line %q; want the error", last)
	}
}

// TestDefaultConfig: only a missing file means "no configuration". A link with a
// missing target may lead to a disk that is not mounted yet.
func TestDefaultConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink("/nonexistent/config.yaml", dir+"/dangling.yaml"))
	must(os.Symlink("/nonexistent", dir+"/dangling"))
	must(os.WriteFile(dir+"/file", nil, 0o600))
	for path, want := range map[string]string{
		dir + "/absent.yaml":          "",
		dir + "/absent/config.yaml":   "",
		dir + "/dangling.yaml":        dir + "/dangling.yaml: ",
		dir + "/dangling/config.yaml": "looking for the configuration " + dir + "/dangling/config.yaml: ",
		dir + "/dangling/a/b/c.yaml":  "is its disk mounted?",
		dir + "/file/config.yaml":     "not a directory",
	} {
		got := runMain(t, func(p *Process) { p.DefaultConfig, p.Stdin = path, strings.NewReader(requestText("x.example/y")) })
		switch {
		case want == "" && (got.status != 0 || got.stderr != ""):
			t.Errorf("%s: got %+v; want no error", path, got)
		case want != "" && (got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, want)):
			t.Errorf("%s: got %+v\nwant %s", path, got, want)
		}
	}
}
