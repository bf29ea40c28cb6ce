package main

import (
	"math/rand/v2"
	"slices"
	"time"
)

// The fleet.
const (
	registries = 3  // of a node, each in an account of its own
	perNode    = 30 // images that a node boots with
	bootWithin = time.Minute
	// spreadWithin is when a large fleet boots that follows the advice.
	spreadWithin = 10 * time.Minute
	// pullsWithin is when a node that is up starts its pods.
	pullsWithin = 3 * time.Second
	// pullEvery is how often later a node pulls from a registry: each of the ten
	// images once an hour.
	pullEvery = time.Hour * registries / perNode
	// booting is when all of that is over; the day after begins with it. It is
	// shorter than what any answer is kept for.
	booting = 30 * time.Minute
	day     = 24 * time.Hour
)

// AWS's quotas, in calls a second, as they are said to be.
const (
	ecrQuota = 500 // GetAuthorizationToken: each account of images, in a region
	stsQuota = 600 // AssumeRole: the nodes' account, in a region
)

type quotas struct{ sts, ecr float64 }

var aws = quotas{stsQuota, ecrQuota}

// A call takes between these times.
const (
	leastLatency = 20 * time.Millisecond
	mostLatency  = 80 * time.Millisecond
)

// simulation is a fleet and AWS.
type simulation struct {
	clock

	policy policy
	chance *rand.Rand
	sts    *bucket
	ecr    [registries]*bucket
	stsLog tally
	ecrLog tally
	// done is when each node had all of its images, in order; took is for how
	// long they had been up by then.
	done, took []time.Duration
	refused    int // until all nodes are up
	minted     int
	failures   int // pulls without credentials
	late       int // pulls of the time after booting that find no fresh token
}

// simulate boots a fleet, and watches it for a day after that.
func simulate(p policy, q quotas, nodes int, seed uint64) result {
	s := &simulation{policy: p, chance: rand.New(rand.NewPCG(seed, uint64(nodes)))}
	s.sts = newBucket(q.sts, &s.stsLog)
	for i := range s.ecr {
		s.ecr[i] = newBucket(q.ecr, &s.ecrLog)
	}
	for range nodes {
		s.boot()
	}
	s.run(booting)
	s.refused = s.stsLog.refused + s.ecrLog.refused
	watched := watch(nodes)
	s.run(booting + watched)
	return s.result(nodes, int(watched/time.Hour))
}

// watch is for how long a fleet is watched after it has booted: a large one for less
// than a day, which takes a computer many minutes.
func watch(nodes int) time.Duration {
	if nodes > 10_000 {
		return 90 * time.Minute
	}
	return day
}

func (s *simulation) boot() {
	n := &node{booted: s.upTo(s.policy.spread), left: perNode}
	var of [registries]*registry
	for i := range of {
		of[i] = &registry{account: i}
	}
	if s.policy.refresh {
		s.after(n.booted+firstRun, func() { s.refresh(&of) })
	}
	for i := range perNode {
		s.after(n.booted+s.upTo(pullsWithin), func() { s.pull(&image{registry: of[i%registries], node: n}) })
	}
}

func (s *simulation) upTo(d time.Duration) time.Duration {
	return time.Duration(s.chance.Float64() * float64(d))
}

func (s *simulation) latency() time.Duration { return leastLatency + s.upTo(mostLatency-leastLatency) }

// result is what came of a fleet.
type result struct {
	policy string
	nodes  int
	spread time.Duration // within which they boot
	// sts, ecr and refused are the calls until all nodes are up; boot is STS's by
	// the second.
	sts, ecr, refused int
	boot              []int
	failures, minted  int // in all
	late              int // pulls after booting that find no fresh token
	// done is when each node had all of its images, half and slowest how long
	// after its boot that was.
	done          []time.Duration
	half, slowest time.Duration
	// hourly, busiest and peak are the calls of the day after, of both services:
	// in an hour on average, in the busiest hour, and in the busiest second.
	hourly        float64
	busiest, peak int
	refusedLater  int
}

func (s *simulation) result(nodes, hours int) result {
	const start, hour = int(booting / time.Second), int(time.Hour / time.Second)
	r := result{
		policy: s.policy.name, nodes: nodes, spread: s.policy.spread,
		boot: s.stsLog.between(0, start), ecr: sum(s.ecrLog.between(0, start)),
		refused: s.refused, refusedLater: s.stsLog.refused + s.ecrLog.refused - s.refused,
		failures: s.failures, minted: s.minted,
		done: s.done, late: s.late,
	}
	r.sts = sum(r.boot)
	slices.Sort(s.took)
	if len(s.took) > 0 {
		r.half, r.slowest = s.took[len(s.took)/2], s.took[len(s.took)-1]
	}
	for h := range hours {
		calls := s.between(start+h*hour, start+(h+1)*hour)
		r.hourly += float64(calls) / float64(hours)
		r.busiest = max(r.busiest, calls)
	}
	for second := start; second < start+hours*hour; second++ {
		r.peak = max(r.peak, s.between(second, second+1))
	}
	return r
}

// between are the calls of both services from one second to another.
func (s *simulation) between(from, to int) int {
	return sum(s.stsLog.between(from, to)) + sum(s.ecrLog.between(from, to))
}

func sum(values []int) int {
	total := 0
	for _, v := range values {
		total += v
	}
	return total
}
