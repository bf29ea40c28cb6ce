package main

import "time"

// node is a node of the fleet.
type node struct {
	booted time.Duration
	// left is the number of boot images that are not pulled yet.
	left int
}

// registry is one of a node's registries, as its kubelet and plugin know it.
type registry struct {
	account int // the account whose ECR quota is charged
	// kept is the time until which the kubelet keeps an answer, or the plugin's cache
	// has a fresh one. minted is when that answer was minted.
	kept, minted time.Duration
	// failed is the time until which the plugin's cache remembers that AWS was
	// unavailable.
	failed time.Duration
	// asking means that a process of the node is asking AWS. Other processes that need
	// the same token wait for its outcome.
	asking  bool
	waiting []*image
	// armed means that the next pull after kept is scheduled.
	armed bool
}

// image is a scheduled pull of an image.
type image struct {
	registry *registry
	// node is the node that boots with the image, or nil for a later pull.
	node *node
	// tries is the number of failed pulls. until is the time before which the kubelet
	// does not pull again.
	tries int
	until time.Duration
}

// pull is a pull by the kubelet. It uses credentials that the kubelet keeps, or else
// runs the plugin.
func (s *simulation) pull(i *image) {
	r := i.registry
	if i.node == nil && s.now >= r.kept {
		s.late++
	}
	switch {
	case s.now < r.kept:
		s.pulled(i)
	case !s.policy.shared:
		s.ask(r, func(ok bool) { s.outcome(r, i, ok) })
	case r.asking:
		r.waiting = append(r.waiting, i)
	case s.now < r.failed:
		s.failed(i)
	default:
		r.asking, r.waiting = true, append(r.waiting, i)
		s.ask(r, func(ok bool) { s.shared(r, ok) })
	}
}

// shared passes the outcome of one process to all pulls that wait for it.
func (s *simulation) shared(r *registry, ok bool) {
	if !ok {
		r.failed = s.now + s.policy.failure(s.chance.Float64())
	}
	waiting := r.waiting
	r.asking, r.waiting = false, nil
	for n, i := range waiting {
		if n == 0 {
			s.outcome(r, i, ok)
		} else if ok {
			s.pulled(i)
		} else {
			s.failed(i)
		}
	}
}

func (s *simulation) outcome(r *registry, i *image, ok bool) {
	if !ok {
		s.failed(i)
		return
	}
	if keep := s.now + s.policy.keep(s.chance.Float64()); keep > r.kept {
		r.kept, r.minted = keep, s.now
		s.arm(r)
	}
	s.minted++
	s.pulled(i)
}

// ask is a process of the plugin. It calls AssumeRole and then GetAuthorizationToken,
// each with retries.
func (s *simulation) ask(r *registry, done func(ok bool)) {
	end := s.now + s.policy.deadline
	s.call(s.sts, 1, end, func(ok bool) {
		if !ok {
			done(false)
			return
		}
		s.call(s.ecr[r.account], 1, end, done)
	})
}

// call makes the nth attempt of a call.
func (s *simulation) call(service *bucket, n int, end time.Duration, done func(ok bool)) {
	granted := service.take(s.now)
	s.after(s.latency(), func() {
		wait := s.policy.backoff(n, s.chance.Float64())
		switch {
		case granted:
			done(true)
		case n >= s.policy.attempts, s.now+wait >= end:
			done(false)
		default:
			s.after(wait, func() { s.call(service, n+1, end, done) })
		}
	})
}

// arm schedules the next pull for which the kubelet has no answer. Pulls are random, so
// the number of pulls before that one does not matter.
func (s *simulation) arm(r *registry) {
	if r.armed {
		return
	}
	r.armed = true
	s.after(r.kept-s.now+time.Duration(s.chance.ExpFloat64()*float64(pullEvery)), func() {
		r.armed = false
		if s.now < r.kept { // the answer of another process is kept for longer
			s.arm(r)
			return
		}
		s.pull(&image{registry: r})
	})
}

func (s *simulation) pulled(i *image) {
	if i.node == nil {
		return
	}
	if i.node.left--; i.node.left == 0 {
		s.took = append(s.took, s.now-i.node.booted)
		s.done = append(s.done, s.now)
	}
}

// failed handles a pull without credentials. The kubelet tries the pod again every 10
// to 15 s. It pulls only after the image's backoff: 10 s, doubled by each failure, at
// most 5 min.
func (s *simulation) failed(i *image) {
	i.tries++
	i.until = s.now + min(10*time.Second<<min(i.tries-1, 10), 5*time.Minute)
	s.failures++
	var d time.Duration
	for s.now+d < i.until {
		d += 10*time.Second + s.upTo(5*time.Second)
	}
	s.after(d, func() { s.pull(i) })
}
