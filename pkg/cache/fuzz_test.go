package cache

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// someEntries returns one entry of each kind, all with key 1.
func someEntries() map[string]entry {
	stale := some(0, 2*time.Hour).failing(failure.Unavailable, time.Minute, 2)
	stale.Registry, stale.Identity = "registry", "identity"
	stale.Token = &Token{Secret: secret.New("not UTF-8: \xff\x00\n"), Life: 2 * time.Hour, Identity: "another", Note: "a note"}
	entries := map[string]entry{
		"a token":       some(time.Hour, 2*time.Hour),
		"a stale token": stale,
		"misconfigured": entry{}.failing(failure.Misconfigured, time.Minute, 1),
		"refused":       entry{}.failing(failure.Refused, 5*time.Minute, 7),
	}
	for name, e := range entries {
		e.Key = Key{1}
		entries[name] = e
	}
	return entries
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, e := range someEntries() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := e.encode(moment(noon, "", 0))
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode(data, Key{1}, moment(noon, "", 0))
			if diff := cmp.Diff(e, got, cmp.Comparer(secret.Text.Equal)); err != nil || diff != "" {
				t.Errorf("got error %v; want -, got +:\n%s", err, diff)
			}
			if _, err := decode(data, Key{2}, moment(noon, "", 0)); err == nil {
				t.Error("got no error for another key, want one")
			}
		})
	}
}

// TestFlippedBits: an entry with any bit flipped is not used.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	for name, e := range someEntries() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := e.encode(moment(noon, "boot", time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 8 * len(data) {
				flipped := bytes.Clone(data)
				flipped[i/8] ^= 1 << (i % 8)
				if _, err := decode(flipped, Key{1}, moment(noon, "boot", time.Hour)); err == nil {
					t.Fatalf("got no error with bit %d of byte %d flipped, want one: %q", i%8, i/8, data)
				}
			}
		})
	}
}

// FuzzDecode: a request can use an accepted entry, and the entry stays the same if
// it is written and read again. The error of a refused entry is one short line.
// Half of the inputs get a correct checksum.
func FuzzDecode(f *testing.F) {
	now := moment(noon, "boot", time.Hour)
	for _, e := range someEntries() {
		data, err := e.encode(now)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
		f.Add(data[:len(data)/2], false)
		f.Add(data[bytes.IndexByte(data, '\n')+1:], true)
	}
	f.Fuzz(func(t *testing.T, data []byte, sum bool) {
		if sum {
			data = append(header(Key{1}, data), data...)
		}
		e, err := decode(data, Key{1}, now)
		if err != nil {
			if len(err.Error()) > 100 || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Fatalf("got %v, want one short line", err)
			}
			return
		}
		checkEntry(t, e)
		unset := moment(noon, "", 0) // so decode does not adjust the times again
		first, err := e.encode(unset)
		if err != nil {
			return // the entry is too large now, because of JSON's escapes
		}
		again, err := decode(first, Key{1}, unset)
		if err != nil {
			t.Fatalf("got %v for the entry that encode wrote, want no error", err)
		}
		if second, err := again.encode(unset); err != nil || !bytes.Equal(first, second) {
			t.Errorf("got %s, %v after reading and writing again; want %s", second, err, first)
		}
	})
}

// checkEntry checks what a request gets from an entry, unless the request must ask
// AWS.
func checkEntry(t *testing.T, e entry) {
	t.Helper()
	a := &acquisition{Store: &Store{o: Options{Now: func() time.Time { return noon }, Boot: Boot{ID: func() string { return "" }, Uptime: func() time.Duration { return 0 }}}}}
	_, _ = e.info(noon), e.after(failure.Refused, errors.New("refused"), 0, noon)
	if d := e.decide(noon, noon); d != ask {
		if l, err := a.settle(e, d); (err == nil) != e.valid(noon) || l.Keep < 0 {
			t.Errorf("got %+v, %v; want success: %t", l, err, e.valid(noon))
		}
	}
}
