package requestlog_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/test/fakejournal"
)

// TestJournalThatHangs: ToJournal returns even if the journal accepts nothing or
// does not exist.
func TestJournalThatHangs(t *testing.T) {
	t.Parallel()
	full := fakejournal.Start(t)
	full.Fill(t)
	for _, socket := range []string{full.Socket, filepath.Join(t.TempDir(), "absent")} {
		newEntry(served(cache.Minted, time.Hour)).ToJournal(t.Context(), socket, "test")
	}
}

// TestStopped: a cancelled request also gets an entry.
func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	journal := fakejournal.Start(t)
	newEntry(served(cache.Minted, time.Hour)).ToJournal(ctx, journal.Socket, "test")
	journal.Next(t)
}

func BenchmarkJournal(b *testing.B) {
	journal := fakejournal.Start(b)
	go func() {
		for b.Context().Err() == nil {
			journal.Raw()
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		newEntry(served(cache.Minted, time.Hour)).ToJournal(b.Context(), journal.Socket, "test")
	}
}

func BenchmarkFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	b.ReportAllocs()
	for b.Loop() {
		if err := newEntry(served(cache.Minted, time.Hour)).ToFile(b.Context(), path); err != nil {
			b.Fatal(err)
		}
	}
}
