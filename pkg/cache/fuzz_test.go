//go:build unix

package cache

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// FuzzDecode: what is taken is plausible, and written again it reads the same;
// what is not says why in one short line.
func FuzzDecode(f *testing.F) {
	now := boot
	for _, r := range []*record{
		{Token: &kept{Username: "AWS", Password: "secret", Minted: now, FreshUntil: now.Add(time.Hour), Expires: now.Add(2 * time.Hour)}},
		{
			Registry: request.Registry, Identity: request.Identity,
			Token:   &kept{Username: "AWS", Password: "secret", Minted: now, FreshUntil: now, Expires: now.Add(2 * time.Hour), Note: "a note"},
			Failure: &failure{Verdict: Transient, Reason: "no answer", Until: now.Add(time.Minute), Streak: 2},
		},
		{Failure: &failure{Verdict: Remember, Reason: "AccessDenied", Until: now.Add(5 * time.Minute), Streak: 7}},
		{Fact: &fact{"111122223333", now.Add(time.Hour)}},
	} {
		r.Version, r.Key, r.Learned = version, request.Key.String(), now
		data, err := r.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data, request.Key, now)
		if err != nil {
			if r != nil || len(err.Error()) > 100 || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Fatalf("got %v, %v", r, err)
			}
			return
		}
		checkRecord(t, r, now)
		first, err := r.encode()
		if err != nil {
			return // larger than before, by escapes
		}
		again, err := decode(first, request.Key, now)
		if err != nil {
			t.Fatalf("not read again: %v", err)
		}
		if second, err := again.encode(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("not the same again: %s and %s, %v", first, second, err)
		}
	})
}

func checkRecord(t *testing.T, r *record, now time.Time) {
	t.Helper()
	if r.Key != request.Key.String() || r.Learned.After(now.Add(skew)) {
		t.Errorf("key %s, learned %s", r.Key, r.Learned)
	}
	if k := r.Token; k != nil && (k.Password == "" || k.Username == "" || k.Expires.After(now.Add(skew+maxLife)) || k.FreshUntil.After(k.Expires)) {
		t.Errorf("token %s", k)
	}
	if f := r.Failure; f != nil && (f.Until.After(now.Add(skew+lastRefusal)) || f.Verdict == Forget || f.Verdict == Remember && r.alive(now)) {
		t.Errorf("failure %+v", f)
	}
	// What a caller makes of it must not depend on more than was checked.
	n := &flight{Store: &Store{o: Options{Now: func() time.Time { return now }}}, Request: request, start: now}
	if n.settled(r) {
		if a, err := n.outcome(r); err == nil && (a.Password == "" || a.Keep < 0 || a.Keep > maxLife+skew) {
			t.Errorf("answer %s", a)
		}
	}
}
