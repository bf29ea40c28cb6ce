//go:build unix

package cache

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// BenchmarkFreshHit measures the cost at the start of a pod: a process opens the
// cache and finds a token of ECR's size.
func BenchmarkFreshHit(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "cache")
	o := Options{Now: time.Now, Random: rand.Float64, Warn: func(s string) { b.Error(s) }}
	n := &node{token: Token{Secret: secret.New("AWS:" + strings.Repeat("x", 2500)), Fresh: 6 * time.Hour, Life: 12 * time.Hour}}
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(dir, o)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Acquire(b.Context(), request, n.ask); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
	if n.calls != 1 {
		b.Errorf("got %d calls, want one", n.calls)
	}
}

// BenchmarkWrite measures the cost of writing a new token.
func BenchmarkWrite(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "cache"), Options{
		Now: time.Now, Random: rand.Float64, Warn: func(s string) { b.Error(s) },
	})
	if err != nil {
		b.Fatal(err)
	}
	n := &node{token: Token{Secret: secret.New("AWS:" + strings.Repeat("x", 2500)), Life: 12 * time.Hour}}
	for b.Loop() {
		if _, err := s.Acquire(b.Context(), request, n.ask); err != nil {
			b.Fatal(err)
		}
	}
}
