package record_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakejournal"
)

// TestJournalThatHangs: a journal that takes nothing delays nothing for long, and
// one that is not there does not at all.
func TestJournalThatHangs(t *testing.T) {
	t.Parallel()
	journal := fakejournal.Start(t)
	journal.Fill(t)
	begin := time.Now()
	pull().ToJournal(t.Context(), journal.Socket, "test")
	if took := time.Since(begin); took < 50*time.Millisecond || took > time.Second {
		t.Errorf("it took %s, want 50ms", took)
	}
	begin = time.Now()
	pull().ToJournal(t.Context(), filepath.Join(t.TempDir(), "absent"), "test")
	if took := time.Since(begin); took > 50*time.Millisecond {
		t.Errorf("without a journal it took %s", took)
	}
}

// TestStopped: also a request that was stopped has its record.
func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	journal := fakejournal.Start(t)
	pull().ToJournal(ctx, journal.Socket, "test")
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
		pull().ToJournal(b.Context(), journal.Socket, "test")
	}
}

func BenchmarkFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	b.ReportAllocs()
	for b.Loop() {
		if err := pull().ToFile(b.Context(), path); err != nil {
			b.Fatal(err)
		}
	}
}
