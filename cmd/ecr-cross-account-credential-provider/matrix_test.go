package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

var services = []fakeaws.Service{fakeaws.IMDS, fakeaws.STS, fakeaws.ECR, fakeaws.ECRPublic}

// TestFaultMatrix combines each service, each fault, and each state of the cache.
// The cache is empty (cold), or has a fresh or a stale token (after seven hours).
// Every time, the plugin ends by itself, with the right outcome and without a
// secret. The next process can use the cache.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	m := &matrix{cells: map[string]string{}}
	t.Cleanup(m.print)
	for _, service := range services {
		for _, f := range fakeaws.FaultsOf(service) {
			for _, state := range []string{"cold", "fresh", "stale"} {
				t.Run(fmt.Sprintf("%s/%s/%s", service, f.Name, state), func(t *testing.T) {
					t.Parallel()
					m.set(service, f.Name, state, runCell(t, service, f, state))
				})
			}
		}
	}
}

// runCell runs one cell, and returns its outcome.
func runCell(t *testing.T, service fakeaws.Service, f fakeaws.NamedFault, state string) string {
	t.Helper()
	aws := startAWS(t, fakeaws.Options{TLS: true})
	image := "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app"
	if service == fakeaws.ECRPublic {
		image = "public.ecr.aws/x/y"
	}
	env := append(aws.Env(), "HOME=/nonexistent", "TEST_CACHE="+t.TempDir()+"/cache")
	patient := writeConfig(t, oneRole)
	config := patient
	if state == "cold" && !f.Refuses && service != fakeaws.ECRPublic {
		config = writeConfig(t, hasty) // the outcome is the same if the deadline comes first
	}
	if state != "cold" {
		if first := ask(t, env, image, "--config", patient); first.status != 0 || first.stderr != "" {
			t.Fatalf("first run: got status %d, stderr %q; want a token", first.status, first.stderr)
		}
	}
	aws.Forget()
	aws.Break(service, f.Fault)
	broken := env
	if state == "stale" {
		broken = append(slices.Clone(env), "TEST_CLOCK_AHEAD=7h")
	}
	got := ask(t, append(slices.Clone(broken), "TEST_PATIENCE="), image, "--config", config)
	got.wantNoSecret(t)
	outcome := got.outcome()
	if want := wantOutcome(f, service, state); outcome != want {
		t.Errorf("got %s, want %s: status %d, %s", outcome, want, got.status, got.stderr)
	}
	if state == "fresh" && len(aws.Calls()) != 0 {
		t.Errorf("got the calls %v; want none with a fresh token", aws.Calls())
	}
	if outcome == "error" {
		got.wantOneLine(t, "")
	}
	// After the repair, a request gets a new token, whatever the cache contains. If
	// the cache has a token, the request comes after that token's end. Before that,
	// the plugin uses the old token if a new one takes more than 3 s, as on a busy
	// machine.
	aws.Mend(service)
	later := "TEST_CLOCK_AHEAD=15m"
	if state != "cold" {
		later = "TEST_CLOCK_AHEAD=13h"
	}
	if after := ask(t, append(slices.Clone(env), later), image, "--config", patient); after.outcome() != "token" || after.stderr != "" {
		t.Errorf("afterwards: got status %d, %s; want a token", after.status, after.stderr)
	}
	return outcome
}

// outcome returns the kind of an answer: a token, a stale one, none, or an error.
func (r result) outcome() string {
	switch {
	case r.status != 0:
		return "error"
	case !strings.Contains(r.stdout, `"auth":`):
		return "anonymous"
	case r.stderr != "":
		return "stale token"
	}
	return "token"
}

// wantOutcome returns the right outcome for a fault.
func wantOutcome(f fakeaws.NamedFault, service fakeaws.Service, state string) string {
	refuses := f.Refuses && service != fakeaws.IMDS
	switch {
	case state == "fresh":
		return "token"
	case state == "stale" && !refuses:
		return "stale token"
	case service == fakeaws.ECRPublic:
		return "anonymous"
	}
	return "error"
}

// matrix holds the outcome of each cell.
type matrix struct {
	mu    sync.Mutex
	cells map[string]string
}

func (m *matrix) set(service fakeaws.Service, name, state, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells[fmt.Sprint(service, name, state)] = outcome
}

// print shows the matrix, with -v.
func (m *matrix) print() {
	if !testing.Verbose() {
		return
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprint(out, "FAULT")
	for _, s := range services {
		fmt.Fprintf(out, "\t%s cold, fresh, stale", s)
	}
	fmt.Fprintln(out)
	for _, f := range fakeaws.Faults() {
		fmt.Fprint(out, f.Name)
		for _, s := range services {
			fmt.Fprintf(out, "\t%s, %s, %s", m.cells[fmt.Sprint(s, f.Name, "cold")], m.cells[fmt.Sprint(s, f.Name, "fresh")], m.cells[fmt.Sprint(s, f.Name, "stale")])
		}
		fmt.Fprintln(out)
	}
	_ = out.Flush()
}
