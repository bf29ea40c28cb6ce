package doctor

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// broken is a way to break a node, with the failure that doctor must find.
type broken struct {
	name string
	// code is the check that finds it. The result is failed by default. Other
	// results give no verdict.
	code   string
	result diagnosis.Result
	// side, account, policy and attachTo are the verdict's.
	side                      diagnosis.Side
	account, policy, attachTo string
	// words must be in the detail or the hint.
	words string
	// also are the codes of other checks that fail independently.
	also    []string
	breakIt func(*node)
}

// brokenNodes are all ways to break a node.
func brokenNodes() []broken {
	var all []broken
	for _, part := range [][]broken{
		brokenKubelets(), brokenMirrors(), brokenConfigurations(), brokenIdentities(), brokenNetworks(), brokenRoles(), brokenServiceAccounts(), brokenRegistries(),
	} {
		all = append(all, part...)
	}
	return all
}

// TestBrokenNodes breaks one node in each way.
func TestBrokenNodes(t *testing.T) {
	t.Parallel()
	for _, b := range brokenNodes() {
		t.Run(b.code+" "+b.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			b.breakIt(n)
			report := n.examine()
			b.check(t, report)
			n.checkSecrets(report)
		})
	}
}

// TestEveryCheckCanFail checks that brokenNodes has at least two ways for each code.
func TestEveryCheckCanFail(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, b := range brokenNodes() {
		count[b.code]++
	}
	for _, kind := range kinds {
		if count[kind.Code] < 2 {
			t.Errorf("got %d broken nodes for %s (%s), want at least 2", count[kind.Code], kind.Code, kind.Title)
		}
	}
}

func (b broken) check(t *testing.T, r *diagnosis.Report) {
	t.Helper()
	if b.result != "" {
		b.checkResult(t, r)
		return
	}
	v, ok := r.Verdict()
	if !ok {
		t.Fatalf("no check failed, want one\n%s", text(t, r))
	}
	var missing diagnosis.Missing
	if v.Missing != nil {
		missing = *v.Missing
	}
	if v.Check.Kind.Code != b.code || v.Side != b.side || v.Account != b.account || missing.Kind != b.policy || missing.AttachTo != b.attachTo {
		t.Errorf("got  %s, %s %s, %s of %s\nwant %s, %s %s, %s of %s", v.Check.Kind.Code, v.Side, v.Account, missing.Kind, missing.AttachTo,
			b.code, b.side, b.account, b.policy, b.attachTo)
	}
	b.checkCheck(t, v.Check)
	if v.Check.Hint == "" {
		t.Error("got a failure without a hint, want one")
	}
	failed := []string{b.code}
	for _, c := range r.Checks {
		if c.Result == diagnosis.Failed && c != v.Check {
			failed = append(failed, c.Kind.Code)
		}
	}
	want := append([]string{b.code}, b.also...)
	if diff := cmp.Diff(want, failed); diff != "" {
		t.Error(diff)
	}
	if t.Failed() {
		t.Log(text(t, r))
	}
}

// checkResult checks the report of a broken node on which pulls still work.
func (b broken) checkResult(t *testing.T, r *diagnosis.Report) {
	t.Helper()
	if !r.Success() {
		t.Error("a check failed, want none")
	}
	for _, c := range r.Checks {
		if c.Kind.Code == b.code && c.Result == b.result {
			b.checkCheck(t, c)
			return
		}
	}
	t.Errorf("the result of %s is not %s\n%s", b.code, b.result, text(t, r))
}

func (b broken) checkCheck(t *testing.T, c *diagnosis.Check) {
	t.Helper()
	if both := c.Detail + "; " + c.Hint; !strings.Contains(both, b.words) || b.words == "" {
		t.Errorf("want %q in the detail and the hint: %q", b.words, both)
	}
}

// checkSecrets checks that neither form of a report contains a secret.
func (n *node) checkSecrets(r *diagnosis.Report) {
	n.t.Helper()
	var encoded bytes.Buffer
	if err := r.WriteJSON(&encoded); err != nil {
		n.t.Fatal(err)
	}
	secrets := append(fakeaws.SecretMarks(), "wrong-secret-key", "wrong-session-token")
	if n.doctor.Pod != nil {
		secrets = append(secrets, n.doctor.Pod.Token.Reveal())
	}
	for _, output := range []string{encoded.String(), text(n.t, r)} {
		for _, secret := range secrets {
			if strings.Contains(output, secret) {
				n.t.Errorf("the output contains the secret %s", secret)
			}
		}
	}
}

// TestRanks: each kind has its own rank.
func TestRanks(t *testing.T) {
	t.Parallel()
	places := map[int]string{}
	for _, kind := range kinds {
		if other, taken := places[kind.Rank]; taken || kind.Rank < 1 || kind.Rank > len(kinds) {
			t.Errorf("%s has rank %d, and so has %q; want a rank of its own from 1 to %d", kind.Code, kind.Rank, other, len(kinds))
		}
		places[kind.Rank] = kind.Code
	}
}
