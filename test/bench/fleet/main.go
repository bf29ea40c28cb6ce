// Command fleet simulates fleets of nodes that boot within a minute, and what
// they ask of AWS: in virtual time, and always the same for a seed.
//
// # The model
//
// A node has 30 images of 3 registries in 3 accounts, each by a role of that
// account. It boots at a random time of a minute and starts all pulls within 3 s
// (serializeImagePulls: false; were they one after another, a node of any plugin
// would ask once for each registry). For an image, the kubelet takes the answer
// that it keeps for the registry, else it runs the plugin: AssumeRole, then
// GetAuthorizationToken, 20 to 80 ms each. A pull without credentials fails, and
// the kubelet comes back as it does: to the pod every 10 to 15 s, pulling once
// the image's backoff is over, 10 s doubled by each failure up to 5 min. Later
// on a node pulls each of its images once an hour, by chance.
//
// Quotas are token buckets that hold one second's worth. AssumeRole is charged to
// the nodes' account (600/s); GetAuthorizationToken to each account of images
// (500/s). A call that finds none is throttled and asked again after a backoff.
//
// # The plugins
//
// "this plugin" is this repository's code where it decides: awsapi.Backoff and
// MaxAttempts, provider.CacheDuration, cache.FailureMemory, config.DefaultDeadline;
// and what pkg/cache does with it: one process of a node asks for a registry, all
// others wait for its outcome; a failure is remembered for 1 to 5 s. Left out is
// the second process that asks when the first one takes more than half of its
// time, and that a token outlives what is kept of it and could stand in.
//
// With refresh, a timer of each node replaces tokens that are due (cache.RenewAt): first
// 5 s after boot, then every 5 to 10 minutes. A pull finds a fresh token in the
// plugin's cache whenever the kubelet keeps none.
//
// "no cache, no jitter" is a plugin whose processes know nothing of each other:
// each image asks, with three attempts a call and the SDK's own backoff; answers
// are kept for half of the token's life, exactly, whatever session minted them.
// In its favour, the retries of the two calls do not multiply.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	log.SetFlags(0)
	seed := flag.Uint64("seed", 1, "of chance")
	plot := flag.String("plot", "", "the `file` to draw the largest fleet's first minutes in, SVG")
	sizes := []int{1, 100, 1_000, 10_000, 100_000}
	flag.Func("nodes", "simulate a fleet of that `number` only", func(s string) error {
		n, err := strconv.Atoi(s)
		sizes = []int{n}
		return err
	})
	flag.Parse()
	if err := run(os.Stdout, *seed, *plot, sizes); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, seed uint64, plot string, sizes []int) error {
	fmt.Fprint(w, header)
	var last, all []result
	for _, nodes := range sizes {
		if nodes <= 10_000 {
			last = nil
		}
		for _, p := range policiesFor(nodes) {
			r := simulate(p, aws, nodes, seed)
			all = append(all, r)
			if nodes <= 10_000 {
				last = append(last, r)
			}
			r.print(w)
		}
	}
	for _, r := range all {
		r.advise(w, aws)
	}
	if plot == "" || len(last) == 0 {
		return nil
	}
	f, err := os.Create(filepath.Clean(plot))
	if err != nil {
		return err
	}
	if err := draw(f, last[0], last[len(last)-1]); err != nil {
		return err
	}
	return f.Close()
}

// policiesFor returns what is simulated of a size. What the policies without refresh
// make of a minute's boot is clear at 10,000 nodes.
func policiesFor(nodes int) []policy {
	if nodes > 10_000 {
		return []policy{refreshed(), spread()}
	}
	return policies()
}

const header = `| nodes | plugin | AssumeRole | GetAuthorizationToken | throttled | pulls without credentials | half of the nodes ready within | the slowest within | the last at | calls in an hour of the day after | in the busiest hour | in the busiest second | throttled then |
|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
`

func (r result) print(w io.Writer) {
	const tenth = 100 * time.Millisecond
	fmt.Fprintf(w, "| %d | %s | %d | %d | %d | %d | %s | %s | %s | %.1f | %d | %d | %d |\n",
		r.nodes, r.policy, r.sts, r.ecr, r.refused, r.failures,
		r.half.Round(tenth), r.slowest.Round(tenth), r.last().Round(tenth), r.hourly, r.busiest, r.peak, r.refusedLater)
}

// last is when the last node had its last image.
func (r result) last() time.Duration {
	if len(r.done) == 0 {
		return 0
	}
	return r.done[len(r.done)-1]
}
