// Package trace records how long the steps of a request take, and the IDs that AWS
// gives to its calls. The request log reads the trace at the end of the request.
package trace

import (
	"sync"
	"time"
)

// The limits of a trace: a log entry must fit into one datagram.
const (
	maxSteps      = 24
	maxRequestIDs = 24
)

// Trace records one request. If it is nil, Step, Answered and Running do nothing.
// Its methods may be called at any time, even while an abandoned request still
// runs.
type Trace struct {
	now   func() time.Time
	begin time.Time

	mu         sync.Mutex
	steps      []step
	requestIDs []string
}

// Step is one step of a request and the time that it took.
type Step struct {
	Name  string // such as "role_1"
	Spent time.Duration
}

type step struct {
	Step
	begin time.Time // of the current run; zero if the step does not run
}

// Start begins a trace.
func Start(now func() time.Time) *Trace { return &Trace{now: now, begin: now()} }

// Step records that a step begins. The caller must call end when the step ends. If
// a step runs several times, its times add up.
func (t *Trace) Step(name string) (end func()) {
	if t == nil {
		return func() {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.index(name)
	if i < 0 {
		return func() {}
	}
	t.steps[i].begin = t.now()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.steps[i].Spent, t.steps[i].begin = t.steps[i].spentUntil(t.now()), time.Time{}
	}
}

// index returns a step's index, and adds the step if it is new. It returns -1 if
// there are too many steps.
func (t *Trace) index(name string) int {
	for i := range t.steps {
		if t.steps[i].Name == name {
			return i
		}
	}
	if len(t.steps) == maxSteps {
		return -1
	}
	t.steps = append(t.steps, step{Step: Step{Name: name}})
	return len(t.steps) - 1
}

func (s step) spentUntil(now time.Time) time.Duration {
	if s.begin.IsZero() {
		return s.Spent
	}
	return s.Spent + now.Sub(s.begin)
}

// Answered records the ID that AWS gave to a call. CloudTrail shows the same ID.
// Answered ignores an empty ID.
func (t *Trace) Answered(requestID string) {
	if t == nil || requestID == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.requestIDs) < maxRequestIDs {
		t.requestIDs = append(t.requestIDs, requestID)
	}
}

// Elapsed returns the time since the start.
func (t *Trace) Elapsed() time.Duration { return t.now().Sub(t.begin) }

// Steps returns the steps in the order in which they first began. A step that still
// runs counts until now, so it shows where a request hangs.
func (t *Trace) Steps() []Step {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	steps := make([]Step, len(t.steps))
	for i, s := range t.steps {
		steps[i] = Step{s.Name, s.spentUntil(now)}
	}
	return steps
}

// Running returns the latest step that has not ended. It is empty if there is none.
func (t *Trace) Running() string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var last step
	for _, s := range t.steps {
		if !s.begin.IsZero() && !s.begin.Before(last.begin) {
			last = s
		}
	}
	return last.Name
}

// RequestIDs returns the IDs that Answered recorded.
func (t *Trace) RequestIDs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.requestIDs...)
}
