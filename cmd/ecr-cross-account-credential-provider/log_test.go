package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/cli"
	"ecr-cross-account-credential-provider/test/fakeaws"
	"ecr-cross-account-credential-provider/test/fakejournal"
)

// record returns the journal's entry of a run. It checks what all entries share:
// the identifier and the duration. It also checks that the entry has no secret.
func record(t *testing.T, journal *fakejournal.Journal) fakejournal.Entry {
	t.Helper()
	raw, _ := journal.Raw()
	entry, err := fakejournal.Decode(raw)
	if err != nil || entry.Get("SYSLOG_IDENTIFIER") != cli.Name || !strings.Contains(raw, "\nDURATION_MS=") || !strings.Contains(raw, "\nCONFIG_MS=") {
		t.Fatalf("got %q, error %v; want an entry", raw, err)
	}
	result{stderr: raw}.wantNoSecret(t)
	if another, ok := journal.Raw(); ok {
		t.Errorf("got another entry %q; want one", another)
	}
	return entry
}

// steps returns the steps of an entry, without those that all runs have.
func steps(entry fakejournal.Entry) string {
	var names []string
	for name := range entry {
		if step, ok := strings.CutSuffix(name, "_MS"); ok && name != "DURATION_MS" && name != "CONFIG_MS" && name != "REQUEST_MS" && name != "RESPONSE_MS" {
			names = append(names, strings.ToLower(step))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestRecord: a run writes one entry to the journal, with its outcome. The runs follow
// one another on the same node.
func TestRecord(t *testing.T) { //nolint:tparallel // one run after the other
	t.Parallel()
	const (
		pull     = "arn:aws:iam::444455556666:role/ecr-pull"
		registry = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
		took     = `; took [0-9.µms]+`
	)
	aws := startAWS(t, fakeaws.Options{})
	journal := fakejournal.Start(t)
	env := append(aws.Env(), "HOME=/nonexistent", "TEST_CACHE="+t.TempDir()+"/cache", "TEST_JOURNAL="+journal.Socket)
	refusing := writeConfig(t, strings.ReplaceAll(oneRole, "role/ecr-pull", "role/absent"))
	falling := writeConfig(t, strings.ReplaceAll(oneRole, "role/ecr-pull\n", "role/absent\n  whenRefused: Node\n"))
	config, broken, none := writeConfig(t, oneRole), writeConfig(t, "registries: []\n"), writeConfig(t, oneRole+"unmatched: None\n")
	tests := []struct {
		name, config, image string
		ahead               string
		fault               fakeaws.Fault
		want                fakejournal.Entry // the message as a regular expression
		steps               string
		requests            int
	}{
		{name: "minted", config: config, image: registry + "/app", want: fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {registry + `/app: minted token of ` + pull + ` \(registries\[0\]\), kept for 5[0-9]m[0-9s]*` + took},
			"REGISTRY": {registry}, "ENTRY": {"registries[0]"}, "IDENTITY": {pull}, "OUTCOME": {"minted"},
		}, steps: "cache credentials instance role_1 sdk token", requests: 2},
		{name: "fresh", config: config, image: registry + "/another", want: fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {registry + `/another: fresh token of ` + pull + ` \(registries\[0\]\), kept for 5[0-9]m[0-9s]*` + took},
			"REGISTRY": {registry}, "ENTRY": {"registries[0]"}, "IDENTITY": {pull}, "OUTCOME": {"fresh"},
		}, steps: "cache sdk"},
		{name: "stale", config: config, image: registry + "/app", ahead: "2h", fault: fakeaws.Broken(0), want: fakejournal.Entry{
			"PRIORITY": {"4"}, "MESSAGE": {registry + `/app: stale token of ` + pull + ` \(registries\[0\]\), kept for 5m` + took + `; using the token of 2h0m.* ago for registry .*assuming role ` + pull + `.*`},
			"REGISTRY": {registry}, "ENTRY": {"registries[0]"}, "IDENTITY": {pull}, "OUTCOME": {"stale"},
			"NOTE": {"using the token of .*assuming role " + pull + " for registry .*"}, "CLOCK_SKEW": {"-[12]h.*"},
		}, steps: "cache credentials instance role_1 sdk", requests: 1},
		{name: "refused", config: refusing, image: registry + "/app", want: fakejournal.Entry{
			"PRIORITY": {"3"}, "MESSAGE": {registry + `/app: assuming role .*: AccessDenied: .*` + took},
			"REGISTRY": {registry}, "ENTRY": {"registries[0]"}, "IDENTITY": {"arn:aws:iam::444455556666:role/absent"}, "OUTCOME": {"refused"},
			"ERROR": {"assuming role .*: AccessDenied: .*"}, "ERROR_CLASS": {"refused"},
		}, steps: "cache credentials instance role_1 sdk", requests: 1},
		{name: "refused before", config: refusing, image: registry + "/app", want: fakejournal.Entry{
			"PRIORITY": {"3"}, "MESSAGE": {registry + `/app: assuming role .*: AccessDenied: .* ago, asked again in .*` + took},
			"REGISTRY": {registry}, "ENTRY": {"registries[0]"}, "IDENTITY": {"arn:aws:iam::444455556666:role/absent"}, "OUTCOME": {"refused"},
			"ERROR": {"assuming role .* ago, asked again in .*"}, "ERROR_CLASS": {"refused"},
		}, steps: "cache sdk"},
		{name: "the node instead", config: falling, image: registry + "/app", want: fakejournal.Entry{
			"PRIORITY": {"4"}, "MESSAGE": {registry + `/app: minted token of the node \(registries\[0\]\), kept for 4m.*` + took + `; assuming role .* instead, as whenRefused of registries\[0\] says`},
			"REGISTRY": {registry}, "ENTRY": {"registries[0]"}, "IDENTITY": {"the node"}, "OUTCOME": {"minted"},
			"NOTE": {"assuming role .* using the node's identity .*instead, as whenRefused .*"},
		}, steps: "cache credentials instance role_1 sdk token", requests: 2},
		{name: "unavailable", config: config, image: "444455556666.dkr.ecr.eu-west-2.amazonaws.com/app", fault: fakeaws.Broken(0), want: fakejournal.Entry{
			"PRIORITY": {"3"}, "MESSAGE": {`444455556666.dkr.ecr.eu-west-2.amazonaws.com/app: assuming role .*` + took},
			"REGISTRY": {"444455556666.dkr.ecr.eu-west-2.amazonaws.com"}, "ENTRY": {"registries[0]"}, "IDENTITY": {pull}, "OUTCOME": {"failed"},
			"ERROR": {"assuming role .*"}, "ERROR_CLASS": {"unavailable"},
		}, steps: "cache credentials instance role_1 sdk", requests: 1},
		{name: "the node itself", config: config, image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app", want: fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {`111122223333.dkr.ecr.eu-west-1.amazonaws.com/app: minted token of the node \(unmatched: Node\), kept for [0-9hms]+` + took},
			"REGISTRY": {"111122223333.dkr.ecr.eu-west-1.amazonaws.com"}, "ENTRY": {"unmatched: Node"}, "IDENTITY": {"the node"}, "OUTCOME": {"minted"},
		}, steps: "cache credentials sdk token", requests: 1},
		{name: "public", config: config, image: "public.ecr.aws/x/y", want: fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {`public.ecr.aws/x/y: minted token of the node \(ECR Public\), kept for [0-9hms]+` + took},
			"REGISTRY": {"public.ecr.aws"}, "ENTRY": {"ECR Public"}, "IDENTITY": {"the node"}, "OUTCOME": {"minted"},
		}, steps: "cache credentials instance sdk token", requests: 1},
		{name: "left to others", config: none, image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app", want: fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {`111122223333.dkr.ecr.eu-west-1.amazonaws.com/app: no credentials \(unmatched: None\), kept for 1h` + took},
			"REGISTRY": {"111122223333.dkr.ecr.eu-west-1.amazonaws.com"}, "ENTRY": {"unmatched: None"}, "OUTCOME": {"none"},
		}, steps: "cache"},
		{name: "not ECR", config: config, image: "registry.example.com/app", want: fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {`registry.example.com/app: no credentials \(not Amazon ECR\), kept for 1h` + took}, "OUTCOME": {"none"},
		}, steps: "cache"},
		{name: "configuration", config: broken, want: fakejournal.Entry{
			"PRIORITY": {"3"}, "MESSAGE": {`a request: .*an empty list; want at least one item` + took}, "OUTCOME": {"failed"},
			"ERROR": {".*registries: is an empty list; want at least one item"}, "ERROR_CLASS": {"configuration"},
		}},
	}
	for _, test := range tests { //nolint:paralleltest // see above
		t.Run(test.name, func(t *testing.T) {
			aws.Mend(fakeaws.STS)
			if test.fault.Kind != "" {
				aws.Break(fakeaws.STS, test.fault)
			}
			got := ask(t, append(slices.Clone(env), "TEST_CLOCK_AHEAD="+test.ahead, "AWS_MAX_ATTEMPTS=1"), test.image, "--config", test.config)
			entry := record(t, journal)
			checkAgainst(t, entry, got)
			if test.image != "" && entry.Get("IMAGE") != test.image && test.name != "configuration" {
				t.Errorf("got image %q, want %q", entry.Get("IMAGE"), test.image)
			}
			if got := steps(entry); got != test.steps {
				t.Errorf("got steps %s, want %s", got, test.steps)
			}
			if ids := entry["AWS_REQUEST_ID"]; len(ids) != test.requests {
				t.Errorf("got the request IDs %q, want %d", ids, test.requests)
			}
			compareEntry(t, test.want, entry)
		})
	}
}

// checkAgainst checks that the entry agrees with what the kubelet saw.
func checkAgainst(t *testing.T, entry fakejournal.Entry, got result) {
	t.Helper()
	if _, line, _ := strings.Cut(got.stderr, ": "); got.status != 0 && entry.Get("ERROR") != line {
		t.Errorf("got the error %s in the entry, want %s", entry.Get("ERROR"), line)
	}
	_, after, _ := strings.Cut(got.stdout, `"cacheDuration":"`)
	duration, _, _ := strings.Cut(after, `"`)
	want, _ := time.ParseDuration(duration)
	if d, _ := time.ParseDuration(entry.Get("CACHE_DURATION")); d != want {
		t.Errorf("got the duration %s in the entry, want %s", d, want)
	}
}

// compareEntry compares the fields that are the same in every run. The wanted MESSAGE,
// ERROR, NOTE and CLOCK_SKEW are regular expressions.
func compareEntry(t *testing.T, want, got fakejournal.Entry) {
	t.Helper()
	same := fakejournal.Entry{}
	for name, texts := range got {
		switch name {
		case "SYSLOG_IDENTIFIER", "IMAGE", "CACHE_DURATION", "AWS_REQUEST_ID":
			continue
		case "MESSAGE", "ERROR", "NOTE", "CLOCK_SKEW":
			if pattern := want.Get(name); regexp.MustCompile("^" + pattern + "$").MatchString(texts[0]) {
				texts = []string{pattern}
			}
		}
		if !strings.HasSuffix(name, "_MS") {
			same[name] = texts
		}
	}
	if diff := cmp.Diff(want, same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNoRecord: commands for people write no entry.
func TestNoRecord(t *testing.T) {
	t.Parallel()
	journal := fakejournal.Start(t)
	env := []string{"TEST_JOURNAL=" + journal.Socket}
	config := writeConfig(t, oneRole)
	for _, args := range [][]string{
		{"version"}, {"help"}, {"validate", config}, {"--config", config, "explain", "x.example.com/app"}, {"nonsense"},
	} {
		run(t, command(t, env, args...))
		if raw, ok := journal.Raw(); ok {
			t.Errorf("%v: got the entry %q, want none", args, raw)
		}
	}
}

// TestJournalAbsent: without a journal, or with one that blocks, the answer is the
// same. It comes before a kubelet's timeout.
func TestJournalAbsent(t *testing.T) {
	t.Parallel()
	full := fakejournal.Start(t)
	full.Fill(t)
	for name, socket := range map[string]string{
		"absent": filepath.Join(t.TempDir(), "absent"), "no socket": writeConfig(t, ""), "full": full.Socket,
	} {
		got := ask(t, []string{"TEST_JOURNAL=" + socket}, "registry.example.com/app")
		if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, `"cacheDuration":"1h0m0s"`) {
			t.Errorf("%s: got status %d, %s%s; want an answer for 1h", name, got.status, got.stdout, got.stderr)
		}
	}
}
