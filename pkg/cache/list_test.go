//go:build unix

package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestListAndClear(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(7 * time.Hour)
	n.err = errUnavailable
	n.want(Stale, 5*time.Minute, 1)
	n.err = errRefused
	other := Request{Key: NewKey("other"), Registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", Identity: "node"}
	s := n.open()
	if _, err := s.Do(t.Context(), other, n.ask); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	s.SetFact(NewKey("fact"), "111122223333", time.Hour)
	write(t, filepath.Join(n.dir, NewKey("broken").String()), "{")
	write(t, filepath.Join(n.dir, "README"), "not the cache's")

	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	now := n.now()
	want := []Info{
		{File: NewKey("broken").String(), Problem: "it is truncated, or not an entry at all"},
		{File: NewKey("fact").String(), Fact: "111122223333", Expires: now.Add(time.Hour)},
		{File: other.Key.String(), Registry: other.Registry, Identity: other.Identity, Failure: errRefused.Error(), Refused: true, Again: now.Add(time.Minute)},
		{
			File: request.Key.String(), Registry: request.Registry, Identity: request.Identity, Age: 7 * time.Hour,
			FreshUntil: boot.Add(6 * time.Hour), Expires: boot.Add(12 * time.Hour),
			Failure: errUnavailable.Error(), Again: now.Add(time.Minute),
		},
	}
	slices.SortFunc(want[:2], func(a, b Info) int { return strings.Compare(a.File, b.File) })
	if !slices.Equal(list, want) {
		t.Errorf("got %+v\nwant %+v", list, want)
	}
	if cleared, err := s.Clear(); cleared != 4 || err != nil {
		t.Errorf("cleared %d, %v", cleared, err)
	}
	if files := n.files(); !slices.Equal(files, []string{"README"}) {
		t.Errorf("left %q", files)
	}
	n.err, n.calls = nil, 0
	n.want(Minted, 6*time.Hour, 1)
}

func TestFact(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	key := NewKey("own account")
	check := func(want string) {
		t.Helper()
		if got, ok := n.open().Fact(key); got != want || ok != (want != "") {
			t.Errorf("got %q, %t, want %q", got, ok, want)
		}
	}
	check("")
	n.open().SetFact(key, "111122223333", time.Hour)
	n.advance(time.Hour - 1)
	check("111122223333")
	n.advance(1)
	check("")
	n.open().SetFact(key, "444455556666", time.Hour)
	check("444455556666")
	n.wantWarned()
	write(t, filepath.Join(n.dir, key.String()), "garbage")
	check("")
	n.wantWarned("what the cache has noted of the node is not used: it is truncated, or not an entry at all")
	must(t, os.RemoveAll(n.dir))
	s := n.open()
	must(t, os.RemoveAll(n.dir))
	s.SetFact(key, "444455556666", time.Hour)
	n.wantWarned("what was found out about the node is not written to the cache: no such file or directory")
}

func TestPrune(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := n.open()
	if s.most != 512 {
		t.Errorf("at most %d entries", s.most)
	}
	const most = 30
	s.most = most
	do := func(name string) {
		t.Helper()
		_, err := s.Do(t.Context(), Request{Key: NewKey(name), Registry: name}, n.ask)
		if !errors.Is(err, n.err) {
			t.Fatal(err)
		}
		n.advance(time.Second)
	}
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(n.dir, NewKey(name).String()))
		return err == nil
	}
	n.token.Life, n.token.Fresh = time.Minute, time.Minute
	do("dead")
	n.token.Life, n.token.Fresh = 12*time.Hour, 6*time.Hour
	n.advance(time.Hour)
	write(t, filepath.Join(n.dir, NewKey("broken").String()), "{")
	for i := range 10 {
		do(fmt.Sprint("token ", i))
	}
	n.err = errRefused
	for i := range most - 12 {
		do(fmt.Sprint("refused ", i))
	}
	if names := n.count(); names != most {
		t.Fatalf("%d entries", names)
	}
	n.err = nil
	for i, gone := range []string{"", "", "refused 0", "refused 1"} {
		do(fmt.Sprint("new ", i))
		if got := n.count(); got != most {
			t.Errorf("%d entries", got)
		}
		if !has(fmt.Sprint("new ", i)) || has(gone) {
			t.Errorf("%q is still there, or what is new is not", gone)
		}
	}
	if has("dead") || has("broken") || !has("token 0") || !has("refused 2") {
		t.Error("the wrong ones are gone")
	}
	// When only tokens are left, the oldest go.
	for i := range most - 14 {
		do(fmt.Sprint("more ", i))
	}
	if !has("token 0") || has(fmt.Sprint("refused ", most-13)) {
		t.Error("the wrong ones are gone")
	}
	do("one more")
	if has("token 0") || !has("token 1") || n.count() != most {
		t.Error("the wrong ones are gone")
	}
	n.wantWarned()
}

func (n *node) count() int {
	n.t.Helper()
	entries, _, err := n.open().names()
	if err != nil {
		n.t.Fatal(err)
	}
	return len(entries)
}

// TestSweep: what processes left that are no more goes with the next new key.
func TestSweep(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	place := func(name string, age time.Duration) {
		t.Helper()
		write(t, filepath.Join(n.dir, name), "x")
		must(t, os.Chtimes(filepath.Join(n.dir, name), time.Time{}, n.now().Add(-age)))
	}
	mine, other := request.Key.String(), NewKey("pruned").String()
	place(mine+".ABC.tmp", 2*time.Minute)
	place(mine+".DEF.tmp", 30*time.Second)
	place(mine+".lock", time.Hour)
	place(other+".lock", time.Hour)
	place(other+".lock2", 30*time.Second)
	place("other.tmp", time.Hour)
	n.open().SetFact(NewKey("new"), "x", time.Hour)
	want := []string{mine, mine + ".DEF.tmp", mine + ".lock", other + ".lock2", "other.tmp", NewKey("new").String()}
	slices.Sort(want)
	if got := n.files(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
