//go:build unix

package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// crowd is a node with a low limit of entries in its cache.
type crowd struct {
	*node
	store *Store
}

func newCrowd(t *testing.T, most int) crowd {
	t.Helper()
	n := newNode(t)
	s := n.open()
	if s.most != 512 {
		t.Errorf("got a limit of %d entries, want 512", s.most)
	}
	s.most = most
	return crowd{n, s}
}

// acquire requests a token, and advances the clock by one second.
func (c crowd) acquire(name string) {
	c.t.Helper()
	if _, err := c.store.Acquire(c.t.Context(), Request{Key: keyOf(name), Registry: name}, c.ask); !errors.Is(err, c.err) {
		c.t.Fatalf("got %v, want %v", err, c.err)
	}
	c.advance(time.Second)
}

func (c crowd) wantKept(names ...string) {
	c.t.Helper()
	for _, name := range names {
		if !c.has(name) {
			c.t.Errorf("got no entry %q, want one", name)
		}
	}
}

func (c crowd) wantGone(names ...string) {
	c.t.Helper()
	for _, name := range names {
		if c.has(name) {
			c.t.Errorf("got entry %q, want none", name)
		}
	}
}

func (c crowd) has(name string) bool {
	_, err := os.Lstat(filepath.Join(c.dir, keyOf(name).String()))
	return err == nil
}

func (c crowd) wantCount(want int) {
	c.t.Helper()
	entries := slices.DeleteFunc(c.files(), func(name string) bool { _, ok := parseKey(name); return !ok })
	if len(entries) != want {
		c.t.Errorf("got %d entries, want %d", len(entries), want)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 30)
	c.token.Life, c.token.Fresh = time.Minute, time.Minute
	c.acquire("dead")
	c.token = tokenOf("secret")
	c.advance(time.Hour)
	write(t, filepath.Join(c.dir, keyOf("broken").String()), "{")
	for i := range 10 {
		c.acquire(fmt.Sprint("token ", i))
	}
	c.acquire("token 0") // served again
	c.err = errRefused
	for i := range 18 {
		c.acquire(fmt.Sprint("refused ", i))
	}
	c.wantCount(30)
	// The useless entries are removed first, then the oldest refusals.
	c.err = nil
	for i, gone := range [][]string{{}, {"dead", "broken"}, {"refused 0"}, {"refused 1"}} {
		c.acquire(fmt.Sprint("new ", i))
		c.wantGone(gone...)
		c.wantKept(fmt.Sprint("new ", i), "token 0", "token 1", fmt.Sprint("refused ", 2))
		c.wantCount(30)
	}
	// When only tokens are left, the least recently used ones are removed.
	for i := range 16 {
		c.acquire(fmt.Sprint("more ", i))
	}
	c.wantGone("refused 17")
	c.wantKept("token 0", "token 1")
	c.acquire("one more")
	c.wantGone("token 1")
	c.wantKept("token 0", "token 2", "one more")
	c.wantCount(30)
	c.wantWarned()
}

// TestCrowdEvictsNoTokenInUse: pulls from many accounts do not evict the token that
// pods use.
func TestCrowdEvictsNoTokenInUse(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]error{"refused": errRefused, "with tokens": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t, 30)
			c.acquire("in use")
			c.acquire("in use")
			c.advance(5 * time.Hour) // the kubelet's cache serves meanwhile
			c.err = answer
			for i := range 40 {
				c.acquire(fmt.Sprint("attack ", i))
			}
			c.wantKept("in use")
			// The same holds if the token was renewed just before.
			c.advance(2 * time.Hour)
			c.err = nil
			c.acquire("in use")
			c.err = answer
			for i := range 40 {
				c.acquire(fmt.Sprint("another attack ", i))
			}
			c.wantKept("in use")
			c.wantCount(30)
			c.wantWarned()
		})
	}
}

// TestUseIsNoted: the entry's file records the time of last use, but not at each
// use.
func TestUseIsNoted(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	used := func(want time.Time) {
		t.Helper()
		info, err := os.Lstat(n.file(""))
		if err != nil || !info.ModTime().Equal(want) {
			t.Errorf("got last use %s, %v; want %s", info.ModTime(), err, want)
		}
	}
	n.want(Minted, 6*time.Hour, 1)
	used(neverUsed)
	n.advance(time.Hour)
	n.want(Fresh, 5*time.Hour, 0)
	used(in(time.Hour))
	n.advance(5 * time.Minute)
	n.want(Fresh, 5*time.Hour-5*time.Minute, 0)
	used(in(time.Hour))
	n.advance(time.Minute)
	n.want(Fresh, 5*time.Hour-6*time.Minute, 0)
	used(in(66 * time.Minute))
	n.advance(7 * time.Hour)
	n.token.Secret = secret.New("secret-2")
	n.want(Minted, 6*time.Hour, 1)
	used(in(66 * time.Minute)) // a new token keeps the time of last use
	n.set(-24 * time.Hour)
	n.want(Fresh, 6*time.Hour, 0)
	used(n.now())
}

// TestSweep: a write removes the files that ended processes have left.
func TestSweep(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	place := func(name string, age time.Duration) {
		t.Helper()
		write(t, filepath.Join(n.dir, name), "x")
		must(t, os.Chtimes(filepath.Join(n.dir, name), time.Time{}, n.now().Add(-age)))
	}
	mine, other := request.Key.String(), keyOf("pruned").String()
	n.advance(7 * time.Hour)
	place(mine+".ABC.tmp", 2*time.Minute)
	place(mine+".DEF.tmp", 30*time.Second)
	place(mine+".lock", time.Hour)
	place(other+".lock", time.Hour)
	place(other+".XYZ.tmp", time.Hour)
	place(keyOf("young").String()+".lock", 30*time.Second)
	place("other.tmp", time.Hour)
	n.want(Minted, 6*time.Hour, 1) // replaces an entry
	want := []string{mine, mine + ".DEF.tmp", mine + ".lock", keyOf("young").String() + ".lock", "other.tmp"}
	slices.Sort(want)
	if got := n.files(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPruneSparesTheWriting: a write does not remove a temporary file that another
// process is writing. The difference between the wall clock and the file system's
// clock does not matter.
func TestPruneSparesTheWriting(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour} {
		c := newCrowd(t, 30)
		c.advance(ahead)
		c.acquire("first")
		writing := filepath.Join(c.dir, keyOf("other").String()+".ABC"+tempSuffix)
		write(t, writing, "half of an entry")
		c.acquire("second")
		if _, err := os.Lstat(writing); err != nil {
			t.Errorf("%s ahead: got %v, want the temporary file", ahead, err)
		}
	}
}
