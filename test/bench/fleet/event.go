package main

import (
	"container/heap"
	"time"
)

// clock is virtual time: it stands still while something happens, and jumps to
// what happens next.
type clock struct {
	now    time.Duration
	events events
	count  int
}

// after has something happen later.
func (c *clock) after(d time.Duration, do func()) {
	c.count++
	heap.Push(&c.events, event{c.now + d, c.count, do})
}

// run goes on until nothing is left to happen before a time.
func (c *clock) run(until time.Duration) {
	for len(c.events) > 0 && c.events[0].at < until {
		e, ok := heap.Pop(&c.events).(event)
		if !ok {
			return
		}
		c.now = e.at
		e.do()
	}
}

// event is something that happens at a time; of two at the same time, the one
// that was arranged first.
type event struct {
	at    time.Duration
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push is heap's.
func (e *events) Push(x any) {
	if next, ok := x.(event); ok {
		*e = append(*e, next)
	}
}

// Pop is heap's.
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
