// Package metrics writes the state of the cache and the counters in Prometheus'
// text format. The format needs no module: each line has a name, labels and a
// number.
package metrics

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/counter"
)

// prefix begins the name of every metric.
const prefix = "ecr_cross_account_"

// Node is the state of a node.
type Node struct {
	Version string
	Now     time.Time
	Tokens  []cache.Info
	Totals  counter.Totals
}

// Text returns the metrics in Prometheus' text format.
func (n Node) Text() []byte {
	var b bytes.Buffer
	family(&b, "build_info", "gauge", "The version of the plugin; always 1.")
	sample(&b, "build_info", 1, "version", n.Version)
	n.tokens(&b)
	n.requests(&b)
	return b.Bytes()
}

// subject says what a token is for. Several plans may share a subject, for example
// plans with different session policies.
type subject struct{ registry, identity string }

func (s subject) labels() []string {
	return []string{"registry", s.registry, "identity", s.identity}
}

func (s subject) compare(t subject) int {
	return cmp.Or(strings.Compare(s.registry, t.registry), strings.Compare(s.identity, t.identity))
}

// replaced is the time after which refresh has surely asked again for a token that the
// configuration still needs. A token that falls behind another of its subject by that time
// belongs to a plan that was changed.
const replaced = 90 * time.Minute

// lastAsked returns when AWS was last asked for a renewed token of each subject.
func (n Node) lastAsked() map[subject]time.Time {
	last := map[subject]time.Time{}
	for _, t := range n.Tokens {
		if s := (subject{t.Registry, t.Identity}); t.Renewed(n.Now) && t.Asked.After(last[s]) {
			last[s] = t.Asked
		}
	}
	return last
}

// tokens writes the gauges of each subject. If a subject has several tokens, the one
// that ends first counts. A token that refresh does not renew has no such gauges,
// because its end is no fault. Any refusal counts.
func (n Node) tokens(b *bytes.Buffer) {
	expires, fresh, refused := map[subject]float64{}, map[subject]float64{}, map[subject]float64{}
	least := func(of map[subject]float64, s subject, until time.Time) {
		left := max(0, until.Sub(n.Now).Seconds())
		if before, ok := of[s]; !ok || left < before {
			of[s] = left
		}
	}
	last := n.lastAsked()
	for _, t := range n.Tokens {
		s := subject{t.Registry, t.Identity}
		if t.State == "" || t.Registry == "" { // a damaged file, or the node's own account
			continue
		}
		refused[s] = max(refused[s], 0)
		if t.State == "refused" {
			refused[s] = 1
		}
		if !t.Expires.IsZero() && t.Renewed(n.Now) && last[s].Sub(t.Asked) < replaced {
			least(expires, s, t.Expires)
			least(fresh, s, t.FreshUntil)
		}
	}
	gauge(b, "token_expires_in_seconds", "Seconds until ECR no longer accepts the cached token.", expires)
	gauge(b, "token_fresh_for_seconds", "Seconds until the cached token is no longer fresh; 0 if the node still uses a token that is not fresh.", fresh)
	gauge(b, "refusal_remembered", "1 if AWS has refused the token and the plugin does not ask again for some minutes, otherwise 0.", refused)
}

func gauge(b *bytes.Buffer, name, help string, of map[subject]float64) {
	family(b, name, "gauge", help)
	subjects := make([]subject, 0, len(of))
	for s := range of {
		subjects = append(subjects, s)
	}
	slices.SortFunc(subjects, subject.compare)
	for _, s := range subjects {
		sample(b, name, of[s], s.labels()...)
	}
}

// requests writes the counters.
func (n Node) requests(b *bytes.Buffer) {
	family(b, "requests_total", "counter", "Requests of kubelets by their outcome.")
	for _, o := range counter.Outcomes() {
		sample(b, "requests_total", float64(n.Totals.Requests[o]), "outcome", o.String())
	}
	const name = "request_duration_seconds"
	family(b, name, "histogram", "How long requests of kubelets took.")
	var below uint64
	for i, count := range n.Totals.Took {
		below += count
		bound := "+Inf"
		if i < len(counter.Buckets) {
			bound = number(counter.Buckets[i].Seconds())
		}
		sample(b, name+"_bucket", float64(below), "le", bound)
	}
	sample(b, name+"_sum", float64(n.Totals.Micros)/1e6)
	sample(b, name+"_count", float64(below))
}

func family(b *bytes.Buffer, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, name, help, prefix, name, kind)
}

var escape = strings.NewReplacer("\\", `\\`, "\n", `\n`, `"`, `\"`)

// sample writes a line. Labels alternate names and values.
func sample(b *bytes.Buffer, name string, value float64, labels ...string) {
	b.WriteString(prefix + name)
	open := "{"
	for pair := range slices.Chunk(labels, 2) {
		fmt.Fprintf(b, `%s%s="%s"`, open, pair[0], escape.Replace(strings.ToValidUTF8(pair[1], "?")))
		open = ","
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	b.WriteString(" " + number(value) + "\n")
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
