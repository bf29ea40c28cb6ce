package controller

import (
	"errors"
	"testing"
	"time"
)

// observer records the full syncs and the number of foreign Secrets.
type observer struct {
	syncs   [][2]int
	foreign int
}

func (*observer) Wrote()          {}
func (*observer) Failed()         {}
func (o *observer) Foreign(n int) { o.foreign = n }
func (o *observer) Synced(namespaces, failed int) {
	o.syncs = append(o.syncs, [2]int{namespaces, failed})
}

func TestBatch(t *testing.T) {
	t.Parallel()
	o := &observer{}
	b := newBatch(o)
	b.start(map[string]bool{"a": true, "b": true})
	b.ended("a", errors.New("failed"))
	b.ended("a", nil) // tried again
	b.ended("other", errors.New("none of the batch"))
	if len(o.syncs) > 0 {
		t.Errorf("got %v before all were tried, want no sync", o.syncs)
	}
	b.ended("b", nil)
	if len(o.syncs) != 1 || o.syncs[0] != [2]int{2, 1} || <-b.done != 1 {
		t.Errorf("got the syncs %v, want one of 2 namespaces with 1 failure", o.syncs)
	}
	b.start(map[string]bool{"a": true})
	b.start(map[string]bool{"b": true}) // this replaces the unfinished sync
	b.ended("a", nil)
	b.ended("b", nil)
	b.start(nil)
	if len(o.syncs) != 3 {
		t.Errorf("got the syncs %v, want 3", o.syncs)
	}
}

// TestFights: the first repairs are immediate. If another program changes the
// Secret each time, the later ones are delayed.
func TestFights(t *testing.T) {
	t.Parallel()
	f := &fights{count: map[string]int{}}
	for i, want := range []time.Duration{0, 0, 0, 0, 0, time.Second, 2 * time.Second, 4 * time.Second} {
		if got := f.delay("a"); got != want {
			t.Errorf("after %d repairs: got %s, want %s", i, got, want)
		}
		f.repaired("a")
	}
	for range 100 {
		f.repaired("a")
	}
	if got := f.delay("a"); got != time.Minute {
		t.Errorf("after many repairs: got %s, want 1m", got)
	}
	if f.delay("b") != 0 {
		t.Error("another namespace: got a delay, want none")
	}
}
