package main

import "time"

// node is one of the fleet.
type node struct {
	booted time.Duration
	// left are the images that are not pulled yet, of those that it boots with.
	left int
}

// registry is one of a node's registries, as its kubelet and plugin know it.
type registry struct {
	account int // whose quota of ECR is charged
	// kept is until when the kubelet keeps an answer, or the plugin's cache has a fresh
	// one for it; minted is when that was minted.
	kept, minted time.Duration
	// failed is until when the plugin's cache remembers that AWS was unavailable.
	failed time.Duration
	// asking tells that a process of the node is asking; those that want the same
	// wait for its outcome.
	asking  bool
	waiting []*image
	// armed tells that the next pull after kept is arranged.
	armed bool
}

// image is a pull that is due.
type image struct {
	registry *registry
	// node is the one that boots with the image; nil for one that is pulled later.
	node *node
	// tries is how many pulls have failed; until then the kubelet pulls no more.
	tries int
	until time.Duration
}

// pull is the kubelet wanting an image: credentials it keeps will do, else it
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

// shared gives the outcome of one process to all that wait.
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

// ask is a process: AssumeRole, then GetAuthorizationToken, each with retries.
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

// call makes a call's nth attempt.
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

// arm arranges the next pull that the kubelet has no answer for. Pulls come by
// chance, so how many it had answers for does not matter.
func (s *simulation) arm(r *registry) {
	if r.armed {
		return
	}
	r.armed = true
	s.after(r.kept-s.now+time.Duration(s.chance.ExpFloat64()*float64(pullEvery)), func() {
		r.armed = false
		if s.now < r.kept { // another process's answer is kept for longer
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

// failed is a pull without credentials. The kubelet comes back to the pod every
// 10 to 15 s, and pulls once the image's backoff is over: 10 s, doubled by each
// failure, 5 min at most.
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
