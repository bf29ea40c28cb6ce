package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Metrics returns the metrics in Prometheus' text format.
func (s *Status) Metrics() string {
	var m metrics
	now := s.o.Clock.Now()
	m.head("token_expiry_seconds", "gauge", "Seconds until the registry's token ends; 0 without a token.")
	for _, t := range s.o.Tokens() {
		m.value("token_expiry_seconds", "registry", t.Key, max(0, t.Expires.Sub(now).Seconds()))
	}
	m.head("token_failing", "gauge", "1 if the latest attempt to renew the registry's token failed.")
	for _, t := range s.o.Tokens() {
		m.value("token_failing", "registry", t.Key, number(t.Failing != nil))
	}
	m.single("leader", "gauge", "1 if this replica writes the Secrets.", number(s.o.Leading()))
	s.mu.Lock()
	defer s.mu.Unlock()
	m.head("failures_total", "counter", "Failures by class: a class of AWS errors, or kubernetes for failures of the API server.")
	for _, class := range slices.Sorted(maps.Keys(s.failures)) {
		m.value("failures_total", "class", class, float64(s.failures[class]))
	}
	m.single("syncs_total", "counter", "Full syncs, in which all namespaces were tried.", float64(s.syncs))
	last := 0.0
	if !s.synced.IsZero() {
		last = float64(s.synced.UnixMilli()) / 1000
	}
	m.single("last_sync_timestamp_seconds", "gauge", "Time of the last full sync; 0 if there was none.", last)
	leading := number(s.o.Leading()) // without the lease, the namespaces are another replica's
	m.single("namespaces", "gauge", "Namespaces of the leader's last full sync.", leading*float64(s.namespaces))
	m.single("namespaces_failing", "gauge", "Namespaces of the leader's last full sync that could not be served.", leading*float64(s.failing))
	m.single("foreign_secrets", "gauge", "Secrets with the configured name that belong to others and stay unchanged.", float64(s.foreign))
	m.single("writes_total", "counter", "Secrets and service accounts that were written.", float64(s.writes))
	return m.String()
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics are lines of the text format.
type metrics struct{ strings.Builder }

const prefix = "ecr_pull_secrets_"

func (m *metrics) head(name, kind, help string) {
	fmt.Fprintf(m, "# HELP %[1]s%[2]s %[4]s\n# TYPE %[1]s%[2]s %[3]s\n", prefix, name, kind, help)
}

// value writes a value with a label. Hosts, prefixes and classes have no characters
// that need an escape.
func (m *metrics) value(name, label, of string, v float64) {
	fmt.Fprintf(m, "%s%s{%s=%q} %v\n", prefix, name, label, of, v)
}

func (m *metrics) single(name, kind, help string, v float64) {
	m.head(name, kind, help)
	fmt.Fprintf(m, "%s%s %v\n", prefix, name, v)
}
