package record_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/test/fakejournal"
)

const (
	image = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app"
	role  = "arn:aws:iam::444455556666:role/ecr-pull"
)

// ticking is a clock that goes on by a millisecond each time that it is read.
func ticking() func() time.Time {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func pull() *record.Record {
	r := record.Start(ticking())
	r.Set(record.Image, image)
	r.Set(record.Rule, "registries[0]")
	r.Set(record.Identity, role)
	return r
}

// sent is a record as the journal has it.
func sent(t *testing.T, r *record.Record) fakejournal.Entry {
	t.Helper()
	journal := fakejournal.Start(t)
	r.ToJournal(t.Context(), journal.Socket, "test")
	return journal.Next(t)
}

func TestMessage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		set            map[record.Field]string
		want, priority string
	}{
		{
			"a token",
			map[record.Field]string{record.Source: "minted", record.CacheDuration: "54m10s"},
			image + ": minted token of " + role + " (registries[0]), kept for 54m10s; took 1ms", "6",
		},
		{
			"a note",
			map[record.Field]string{record.Source: "stale", record.CacheDuration: "5m", record.Note: "STS is down"},
			image + ": stale token of " + role + " (registries[0]), kept for 5m; took 1ms; STS is down", "4",
		},
		{
			"left to others",
			map[record.Field]string{record.Rule: "unmatched: None", record.CacheDuration: "1h"},
			image + ": no credentials (unmatched: None), kept for 1h; took 1ms", "6",
		},
		{
			"not ECR",
			map[record.Field]string{record.Rule: "", record.CacheDuration: "1h"},
			image + ": no credentials (not Amazon ECR), kept for 1h; took 1ms", "6",
		},
		{
			"an error",
			map[record.Field]string{record.Source: record.Refused, record.Error: "AccessDenied; no cache", record.Note: "no cache"},
			image + ": AccessDenied; no cache; took 1ms", "3",
		},
		{
			"no request",
			map[record.Field]string{record.Image: "", record.Error: "there is no request"},
			"a request: there is no request; took 1ms", "3",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := pull()
			for field, text := range test.set {
				r.Set(field, text)
			}
			got := sent(t, r)
			if got.Get("MESSAGE") != test.want || got.Get("PRIORITY") != test.priority {
				t.Errorf("got  %s %s\nwant %s %s", got.Get("PRIORITY"), got.Get("MESSAGE"), test.priority, test.want)
			}
		})
	}
}

// TestSteps: the times of a step add up, and one that has not ended counts until
// the record is written.
func TestSteps(t *testing.T) {
	t.Parallel()
	r := pull()
	ctx := record.With(t.Context(), r)
	end := record.Step(ctx, "cache")
	end()
	end() // twice is once
	record.Step(ctx, "token")
	record.Step(ctx, "cache")()
	r.Answered("id-1")
	r.Answered("")
	r.Answered("id-2")
	want := fakejournal.Entry{
		"SYSLOG_IDENTIFIER": {"test"}, "PRIORITY": {"6"}, "MESSAGE": {image + ": no credentials (registries[0]); took 7ms"},
		"IMAGE": {image}, "RULE": {"registries[0]"}, "IDENTITY": {role}, "SOURCE": {"none"},
		"DURATION_MS": {"7"}, "CACHE_MS": {"2"}, "TOKEN_MS": {"3"}, "AWS_REQUEST_ID": {"id-1", "id-2"},
	}
	if diff := cmp.Diff(want, sent(t, r)); diff != "" {
		t.Error("(-want +got)", diff)
	}
}

// TestHostile: whatever is said, the record has its fields and no others, in one
// line each, and fits in a datagram.
func TestHostile(t *testing.T) {
	t.Parallel()
	hostile := "x\nPRIORITY=0\r\nMESSAGE=\u2028all\x00is\x1b[31m well\xff\u202e" + strings.Repeat("x", 1<<20)
	r := record.Start(ticking())
	for _, field := range []record.Field{record.Image, record.Registry, record.Rule, record.Identity, record.Error, record.ErrorClass} {
		r.Set(field, hostile)
	}
	for i := range 100 {
		r.AddNote(hostile)
		r.Answered(hostile)
		r.Step(fmt.Sprintf("role_%d", i))()
	}
	journal := fakejournal.Start(t)
	r.ToJournal(t.Context(), journal.Socket, "test")
	raw, _ := journal.Raw()
	entry, err := fakejournal.Decode(raw)
	if err != nil || entry.Get("PRIORITY") != "3" || len(entry["MESSAGE"]) != 1 || len(raw) > 64<<10 {
		t.Errorf("got %d bytes, %v, priority %q", len(raw), err, entry.Get("PRIORITY"))
	}
	for name, texts := range entry {
		if !utf8.ValidString(texts[0]) || strings.ContainsAny(strings.Join(texts, ""), "\r\n\x00\x1b\u2028\u202e") {
			t.Errorf("%s is not in plain text: %.100q", name, texts)
		}
	}
}

// TestNone: without a record nothing is kept.
func TestNone(t *testing.T) {
	t.Parallel()
	r := record.Of(t.Context())
	r.Set(record.Image, image)
	r.AddNote("note")
	r.Answered("id")
	record.Step(t.Context(), "step")()
}

// TestConcurrent: a request that was given up goes on while its record is
// written.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	r := record.Start(time.Now)
	journal := fakejournal.Start(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				end := r.Step("step")
				r.Set(record.Image, image)
				r.AddNote("note")
				r.Answered("id")
				end()
			}
		})
		wait.Go(func() { r.ToJournal(t.Context(), journal.Socket, "test") })
	}
	wait.Wait()
}
