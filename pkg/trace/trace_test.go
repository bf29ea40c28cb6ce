package trace_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/trace"
)

// clock is a clock that a test sets.
type clock struct{ now time.Time }

func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

func newTrace() (*trace.Trace, *clock) {
	c := &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	return trace.Start(func() time.Time { return c.now }), c
}

func TestSteps(t *testing.T) {
	t.Parallel()
	tr, c := newTrace()
	end := tr.Step("cache")
	c.advance(2 * time.Millisecond)
	end()
	end = tr.Step("token")
	c.advance(30 * time.Millisecond)
	end()
	end = tr.Step("cache") // a second time
	c.advance(time.Millisecond)
	end()
	tr.Step("hangs")
	c.advance(time.Second)

	want := []trace.Step{{"cache", 3 * time.Millisecond}, {"token", 30 * time.Millisecond}, {"hangs", time.Second}}
	if diff := cmp.Diff(want, tr.Steps()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if got := tr.Running(); got != "hangs" {
		t.Errorf("got running %q, want the step hangs", got)
	}
	if got := tr.Elapsed(); got != 1033*time.Millisecond {
		t.Errorf("got elapsed %s, want 1.033s", got)
	}
}

func TestRunningIsTheInnermostStep(t *testing.T) {
	t.Parallel()
	tr, c := newTrace()
	if got := tr.Running(); got != "" {
		t.Errorf("before any step: got %q, want none", got)
	}
	end := tr.Step("outer")
	c.advance(time.Millisecond)
	endInner := tr.Step("inner")
	if got := tr.Running(); got != "inner" {
		t.Errorf("got %q, want inner", got)
	}
	endInner()
	if got := tr.Running(); got != "outer" {
		t.Errorf("after the inner step: got %q, want outer", got)
	}
	end()
	if got := tr.Running(); got != "" {
		t.Errorf("after both steps: got %q, want none", got)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	tr, _ := newTrace()
	for i := range 100 {
		tr.Step(fmt.Sprint("step ", i))()
		tr.Answered(fmt.Sprint("id ", i))
	}
	tr.Answered("")
	if steps, ids := len(tr.Steps()), len(tr.RequestIDs()); steps != 24 || ids != 24 {
		t.Errorf("got %d steps and %d request IDs, want 24 each", steps, ids)
	}
}

func TestNilTraceRecordsNothing(t *testing.T) {
	t.Parallel()
	var tr *trace.Trace
	tr.Step("step")()
	tr.Answered("id")
	if got := tr.Running(); got != "" {
		t.Errorf("got %q, want none", got)
	}
}
