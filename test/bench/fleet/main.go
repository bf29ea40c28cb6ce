// Command fleet simulates fleets of nodes that boot within a minute, and their calls to
// AWS. It uses virtual time, and a seed always gives the same result.
//
// # The model
//
// A node has 30 images of 3 registries in 3 accounts. Each account has a role of its
// own for its images. The node boots at a random time in a minute and starts all pulls
// within 3 s (serializeImagePulls: false). If it pulled one image after another, a node
// with any plugin would ask once for each registry. For an image, the kubelet uses the
// answer that it keeps for the registry. Without one it runs the plugin, which calls
// AssumeRole and then GetAuthorizationToken, 20 to 80 ms each. A pull without
// credentials fails. The kubelet then tries the pod again every 10 to 15 s. It pulls
// only after the image's backoff: 10 s, doubled by each failure, up to 5 min. Later a
// node pulls each of its images about once an hour, at random times.
//
// Quotas are token buckets that hold the tokens of one second. AssumeRole counts for
// the nodes' account (600/s), and GetAuthorizationToken for each account of images
// (500/s). A call without a token in the bucket is throttled, and repeated after a
// backoff.
//
// # The plugins
//
// "this plugin" takes its decisions from this repository's code: awsapi.Backoff and
// MaxAttempts, provider.FreshFor and Shorten, cache.FailureMemory,
// config.DefaultDeadline. The model repeats what pkg/cache does with them. One process of
// a node asks for a registry, and all others wait for its outcome. A failure is
// remembered for 1 to 5 s. The model leaves out two things that the plugin does: if the
// first process takes more than half of its deadline, a second one asks; during an
// outage, a stale token serves until it expires.
//
// With refresh, a timer of each node replaces tokens in time (cache.RenewAt). It
// runs 5 s after boot, and then every 5 to 10 minutes. If the kubelet keeps no answer, a
// pull finds a fresh token in the plugin's cache.
//
// "no cache, no jitter" is a plugin whose processes share nothing. Each image asks, with
// three attempts a call and the SDK's own backoff. The kubelet keeps an answer for
// exactly half of the token's life, however short the session is. One simplification
// favors that plugin: the retries of the two calls do not multiply.
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
	seed := flag.Uint64("seed", 1, "the random `seed`")
	plot := flag.String("plot", "", "write a plot of the first minutes of the largest fleet, up to 10,000 nodes, to this SVG `file`")
	sizes := []int{1, 100, 1_000, 10_000, 100_000}
	flag.Func("nodes", "simulate only a fleet of this `number` of nodes", func(s string) error {
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

// policiesFor returns the policies to simulate for a number of nodes. For more than
// 10,000 nodes it leaves out the policies without refresh. The simulation of 10,000
// nodes already shows the effect of these policies on a boot within a minute.
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

// last returns the time at which the last node had its last image.
func (r result) last() time.Duration {
	if len(r.done) == 0 {
		return 0
	}
	return r.done[len(r.done)-1]
}
