package controller

import (
	"maps"
	"sync"
	"time"
)

// batch holds the namespaces of a full sync that have not been tried yet.
type batch struct {
	observer Observer
	done     chan int // receives the number of failures when all were tried

	mu          sync.Mutex
	left        map[string]bool
	all, failed int
}

func newBatch(o Observer) *batch { return &batch{observer: o, done: make(chan int, 1)} }

// start begins a full sync. It replaces an unfinished one.
func (b *batch) start(names map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left, b.all, b.failed = maps.Clone(names), len(names), 0
	if len(names) == 0 {
		b.finish()
	}
}

// ended notes that a namespace was tried.
func (b *batch) ended(name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.left[name] {
		return
	}
	delete(b.left, name)
	if err != nil {
		b.failed++
	}
	if len(b.left) == 0 {
		b.finish()
	}
}

func (b *batch) finish() {
	b.observer.Synced(b.all, b.failed)
	select {
	case b.done <- b.failed:
	default: // nobody waits for the result
	}
}

// fights counts the repairs of each namespace in a session: each write and each deletion
// of its Secret, and each removal of the Secret's name from a service account. Another
// program may undo each repair.
type fights struct {
	mu    sync.Mutex
	count map[string]int
}

// peaceful is the number of repairs of one namespace without a delay.
const peaceful = 5

// repaired notes a repair.
func (f *fights) repaired(namespace string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[namespace]++
}

// delay returns how long to wait before the next repair.
func (f *fights) delay(namespace string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.count[namespace] - peaceful
	if n < 0 {
		return 0
	}
	return min(time.Second<<min(n, 10), time.Minute)
}
