package main

import (
	"math/rand/v2"
	"slices"
	"time"
)

// These constants describe the fleet.
const (
	registries = 3  // per node, each in a different account
	perNode    = 30 // images that a node boots with
	bootWithin = time.Minute
	// spreadWithin is the time within which a large fleet boots if it follows the
	// advice.
	spreadWithin = 10 * time.Minute
	// pullsWithin is the time within which a node starts its pods after its boot.
	pullsWithin = 3 * time.Second
	// pullEvery is the mean time between two later pulls of a node from a registry.
	// Each of the registry's ten images is pulled once an hour.
	pullEvery = time.Hour * registries / perNode
	// booting is the time until all boot pulls are over. The simulated day begins then.
	// booting is shorter than the time for which any answer is kept.
	booting = 30 * time.Minute
	day     = 24 * time.Hour
)

// These are the documented quotas of AWS, in calls a second.
const (
	ecrQuota = 500 // GetAuthorizationToken: each account of images, in a region
	stsQuota = 600 // AssumeRole: the nodes' account, in a region
)

type quotas struct{ sts, ecr float64 }

var aws = quotas{stsQuota, ecrQuota}

// These times limit the duration of a call.
const (
	leastLatency = 20 * time.Millisecond
	mostLatency  = 80 * time.Millisecond
)

// simulation is a fleet and its AWS.
type simulation struct {
	clock

	policy policy
	chance *rand.Rand
	sts    *bucket
	ecr    [registries]*bucket
	stsLog tally
	ecrLog tally
	// done is the time at which each node had all of its images, in order. took is the
	// time since each node's boot.
	done, took []time.Duration
	refused    int // until all nodes are up
	minted     int
	failures   int // pulls without credentials
	late       int // pulls after booting that find no fresh token
}

// simulate boots a fleet, and then simulates up to a day of its work.
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

// watch returns how long to simulate a fleet after booting. For a large fleet it is
// less than a day, because a whole day takes many minutes to compute.
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

// result is the result of a simulation.
type result struct {
	policy string
	nodes  int
	spread time.Duration // the time within which the nodes boot
	// sts, ecr and refused are the calls until all nodes are up. boot is the number of
	// STS calls per second.
	sts, ecr, refused int
	boot              []int
	failures, minted  int // in total
	late              int // pulls after booting that find no fresh token
	// done is the time at which each node had all of its images. half and slowest are
	// times since a node's boot.
	done          []time.Duration
	half, slowest time.Duration
	// hourly, busiest and peak are the calls of both services in the day after booting.
	// hourly is the average per hour. busiest is the busiest hour, and peak the busiest
	// second.
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

// between returns the number of calls of both services in a range of seconds.
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
