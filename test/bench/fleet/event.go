package main

import "time"

// clock is virtual time. It stands still during an event, and then jumps to the next
// one.
type clock struct {
	now    time.Duration
	events events
	count  int
}

// after schedules an event.
func (c *clock) after(d time.Duration, do func()) {
	c.count++
	c.events.push(event{c.now + d, c.count, do})
}

// run runs all events before a time.
func (c *clock) run(until time.Duration) {
	for len(c.events) > 0 && c.events[0].at < until {
		e := c.events.pop()
		c.now = e.at
		e.do()
	}
}

// event is something that happens at a time. Of two events at the same time, the one
// that was scheduled first comes first.
type event struct {
	at    time.Duration
	order int
	do    func()
}

func (e event) before(other event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}

// events is a heap in which each event has four children. container/heap would allocate
// memory for each event, and a large fleet has a hundred million.
type events []event

const children = 4

func (h *events) push(e event) {
	*h = append(*h, e)
	all := *h
	i := len(all) - 1
	for i > 0 {
		parent := (i - 1) / children
		if !e.before(all[parent]) {
			break
		}
		all[i] = all[parent]
		i = parent
	}
	all[i] = e
}

// pop removes the first event and returns it.
func (h *events) pop() event {
	all := *h
	first, last := all[0], all[len(all)-1]
	all[len(all)-1] = event{} // release its function
	all = all[:len(all)-1]
	*h = all
	for i := 0; i < len(all); {
		least := i*children + 1
		if least >= len(all) {
			all[i] = last
			break
		}
		for c := least + 1; c < min(i*children+1+children, len(all)); c++ {
			if all[c].before(all[least]) {
				least = c
			}
		}
		if last.before(all[least]) {
			all[i] = last
			break
		}
		all[i] = all[least]
		i = least
	}
	return first
}
