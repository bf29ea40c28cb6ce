package main

import (
	"bytes"
	compare "cmp"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDeterministic: the same seed gives the same result, and another seed gives
// another result.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	for _, p := range policies() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			first := simulate(p, aws, 300, 1)
			if diff := cmp.Diff(first, simulate(p, aws, 300, 1), cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("the same seed gives another result: %s", diff)
			}
			if other := simulate(p, aws, 300, 2); cmp.Equal(first.done, other.done) {
				t.Error("another seed makes no difference")
			}
		})
	}
}

// TestInvariants checks the rules for every policy and every size of a fleet. Each node
// pulls all its images in the end. AWS grants no more calls than its quotas. Each token
// took a call to each service.
func TestInvariants(t *testing.T) {
	t.Parallel()
	for _, p := range policies() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, nodes := range []int{1, 30, 500, 1500} { // at a tenth of the quotas
				checkInvariants(t, p, quotas{stsQuota / 10, ecrQuota / 10}, nodes)
			}
		})
	}
}

func checkInvariants(t *testing.T, p policy, q quotas, nodes int) {
	t.Helper()
	r := simulate(p, q, nodes, 1)
	if len(r.done) != nodes {
		t.Errorf("%d of %d nodes have their images, want all", len(r.done), nodes)
	}
	least := nodes * registries
	if r.sts < least || r.ecr < least || r.minted < least {
		t.Errorf("%d nodes: %d and %d calls and %d tokens, want %d at least", nodes, r.sts, r.ecr, r.minted, least)
	}
	if granted, most := r.sts+r.ecr-r.refused, int((r.last().Seconds()+1)*(q.sts+registries*q.ecr)); granted > most {
		t.Errorf("%d nodes: %d calls granted by the time the last is ready, the quotas allow %d", nodes, granted, most)
	}
	if p.shared && r.refused == 0 && (r.sts != least || r.ecr != least) {
		t.Errorf("%d nodes: %d and %d calls, want one for each node and registry, %d", nodes, r.sts, r.ecr, least)
	}
	if r.slowest > booting {
		t.Errorf("%d nodes: the slowest took %s, want at most the time of booting", nodes, r.slowest)
	}
}

// TestKept: a kubelet keeps the plugin's answer for the time that the model assumes.
func TestKept(t *testing.T) {
	t.Parallel()
	for _, random := range []float64{0, 0.999} {
		if d := ours("", shortSession).keep(random); d < 55*time.Minute || d > 57*time.Minute+30*time.Second {
			t.Errorf("an answer of a session of 1h is kept for %s, want 55m to 57m30s", d)
		}
		if d := ours("", longSession).keep(random); d < 6*time.Hour-5*time.Minute || d > 6*time.Hour {
			t.Errorf("an answer of a session of 12h is kept for %s, want 5h55m to 6h", d)
		}
	}
}

// TestSinglePulls: if there is only one node, nothing fails.
func TestSinglePulls(t *testing.T) {
	t.Parallel()
	for _, p := range policies() {
		if r := simulate(p, aws, 1, 1); r.refused+r.failures+r.refusedLater != 0 {
			t.Errorf("%s: %d calls refused, %d pulls failed, want none", p.name, r.refused+r.refusedLater, r.failures)
		}
	}
}

// TestRun: the table has a line for each fleet and policy, and the plot is valid XML.
func TestRun(t *testing.T) {
	t.Parallel()
	var table, svg bytes.Buffer
	if err := run(&table, 1, filepath.Join(t.TempDir(), "plot.svg"), []int{1, 10}); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(table.Bytes(), []byte("\n")); lines != 2+2*len(policies()) {
		t.Errorf("%d lines, want %d:\n%s", lines, 2+2*len(policies()), table.Bytes())
	}
	if err := draw(&svg, simulate(policies()[0], aws, 10, 1), simulate(naive(), aws, 10, 1)); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&svg); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	b := newBucket(10, &tally{})
	granted := func(at time.Duration, calls int) (n int) {
		for range calls {
			if b.take(at) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		at          time.Duration
		calls, want int
	}{{0, 15, 10}, {500 * time.Millisecond, 15, 5}, {10 * time.Second, 15, 10}} {
		if got := granted(step.at, step.calls); got != step.want {
			t.Errorf("at %s %d of %d granted, want %d", step.at, got, step.calls, step.want)
		}
	}
	if b.log.calls != 45 || b.log.refused != 20 || sum(b.log.between(0, 11)) != 45 {
		t.Errorf("counted %+v, want 45 calls, 20 of them refused", b.log)
	}
}

// TestRefresh: after a node has booted, none of its pulls asks AWS. A node mints at
// most 32 tokens a day for a registry. If AWS throttles a boot, the output has advice.
func TestRefresh(t *testing.T) {
	t.Parallel()
	const nodes = 200
	r := simulate(refreshed(), aws, nodes, 1)
	if r.late > 0 || r.failures > 0 || r.refused+r.refusedLater > 0 {
		t.Errorf("%d pulls find no fresh token, %d fail, %d calls are refused, want none", r.late, r.failures, r.refused+r.refusedLater)
	}
	if most := nodes * registries * 33; r.minted > most { // the half hour of booting comes before the day
		t.Errorf("%d tokens, want %d at most", r.minted, most)
	}
	if plain := simulate(ours("", shortSession), aws, nodes, 1); plain.late == 0 {
		t.Error("no pull is late without refresh, so the count proves nothing")
	}
	var words bytes.Buffer
	r.advise(&words, aws)
	if words.Len() > 0 {
		t.Errorf("got advice for a fleet that was not throttled: %s", &words)
	}
	simulate(refreshed(), quotas{1, 1}, 100, 1).advise(&words, quotas{1, 1})
	if want := "Spread the boot over 360 s, or ask AWS for 6 calls of AssumeRole and 2 of GetAuthorizationToken a second."; !bytes.Contains(words.Bytes(), []byte(want)) {
		t.Errorf("got %s, want %s", &words, want)
	}
}

// TestAdvice: AWS throttles a fleet, and stops throttling it when the fleet follows the
// advice. That holds for a longer boot and for larger quotas.
func TestAdvice(t *testing.T) {
	t.Parallel()
	const nodes = 2000
	q := quotas{stsQuota / 10, ecrQuota / 10}
	if r := simulate(refreshed(), q, nodes, 1); r.refused == 0 {
		t.Error("nothing is throttled, so the test proves nothing")
	}
	p := refreshed()
	p.spread = advice(nodes, q)
	if r := simulate(p, q, nodes, 1); r.refused+r.refusedLater+r.failures > 0 {
		t.Errorf("within %s: %d and %d calls refused, %d pulls failed, want none", p.spread, r.refused, r.refusedLater, r.failures)
	}
	perSecond := float64(nodes) / bootWithin.Seconds()
	if r := simulate(refreshed(), quotas{room * registries * perSecond, room * perSecond}, nodes, 1); r.refused+r.refusedLater+r.failures > 0 {
		t.Errorf("with larger quotas: %d and %d calls refused, %d pulls failed, want none", r.refused, r.refusedLater, r.failures)
	}
	if large := advice(100_000, aws); large != spreadWithin {
		t.Errorf("advice(100,000) = %s, want %s as in the simulation", large, spreadWithin)
	}
}

// TestEvents: events happen in the order of their times. Simultaneous events happen in
// the order in which they were scheduled.
func TestEvents(t *testing.T) {
	t.Parallel()
	type arranged struct{ at, number int }
	var (
		c           clock
		chance      = rand.New(rand.NewPCG(1, 2))
		got         []arranged
		arrange     func()
		arrangement int
	)
	arrange = func() {
		arrangement++
		d := time.Duration(chance.IntN(50))
		want := arranged{int(c.now + d), arrangement}
		c.after(d, func() {
			got = append(got, want)
			if c.now != time.Duration(want.at) {
				t.Errorf("at %d, want %d", c.now, want.at)
			}
			if arrangement < 1500 {
				arrange()
			}
		})
	}
	for range 1000 {
		arrange()
	}
	c.run(1000)
	ordered := slices.IsSortedFunc(got, func(a, b arranged) int { return compare.Or(a.at-b.at, a.number-b.number) })
	if len(got) != 1500 || !ordered {
		t.Errorf("%d events, in order: %t; want 1500 in order", len(got), ordered)
	}
}
