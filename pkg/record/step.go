package record

import (
	"context"
	"time"
)

// step is a part of the way, and how long it took.
type step struct {
	name  string
	spent time.Duration // of the times that are over
	begin time.Time     // of the time that is not; zero if all are
}

// Step notes in the context's record that a step begins, and returns its end.
func Step(ctx context.Context, name string) (end func()) { return Of(ctx).Step(name) }

// Step notes that a step begins, and returns its end. The times of a step that is
// taken again add up; one that has not ended when the record is written counts
// until then, which shows where a request hung.
func (r *Record) Step(name string) (end func()) {
	if r == nil {
		return func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.find(name)
	if i < 0 {
		return func() {}
	}
	r.steps[i].begin = r.now()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.steps[i].spent, r.steps[i].begin = r.steps[i].until(r.now()), time.Time{}
	}
}

// find is a step's place, made if there is none; -1 is none left.
func (r *Record) find(name string) int {
	for i, s := range r.steps {
		if s.name == name {
			return i
		}
	}
	if len(r.steps) == maxSteps {
		return -1
	}
	r.steps = append(r.steps, step{name: name})
	return len(r.steps) - 1
}

func (s step) until(now time.Time) time.Duration {
	if s.begin.IsZero() {
		return s.spent
	}
	return s.spent + now.Sub(s.begin)
}
