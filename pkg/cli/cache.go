package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// cacheDirectory is where a configuration has the cache; empty is nowhere.
func (p Process) cacheDirectory(c config.Config) string {
	directory := p.DefaultCache
	if c.Cache.Named {
		directory = c.Cache.Directory
	}
	if directory == "" {
		return ""
	}
	return filepath.Clean(directory) // a slash at the end would follow a link
}

// openCache opens the shared cache. Without one every request asks AWS, which is
// slower, and right.
func (p Process) openCache(c config.Config, warn func(string)) *cache.Store {
	directory := p.cacheDirectory(c)
	if directory == "" {
		return nil
	}
	store, err := cache.Open(directory, cache.Options{Now: p.Now, Random: p.Random, Warn: warn, Verdict: provider.Verdict})
	if err != nil {
		warn(err.Error() + "; going on without it")
		return nil
	}
	return store
}

// caches is the command cache: list or clear.
func caches(_ context.Context, p Process, o options, args []string) error {
	if len(args) != 1 || args[0] != "list" && args[0] != "clear" {
		return usageError("want %s cache list, or cache clear", Name)
	}
	c, err := o.load(p)
	if err != nil {
		return err
	}
	directory := p.cacheDirectory(c)
	if directory == "" {
		return usageError("the configuration has no cache")
	}
	if _, err := os.Stat(directory); errors.Is(err, fs.ErrNotExist) {
		_, err := fmt.Fprintf(p.Stdout, "the cache is empty: %s is not there yet\n", directory)
		return err
	}
	store, err := cache.Open(directory, cache.Options{Now: p.Now, Random: p.Random, Warn: func(string) {}, Verdict: provider.Verdict})
	if err != nil {
		return fmt.Errorf("%w; run it as the user that the kubelet runs the plugin as", err)
	}
	defer store.Close() //nolint:errcheck // nothing is lost by it
	if args[0] == "clear" {
		return clearCache(p, store, directory)
	}
	return listCache(p, store)
}

func clearCache(p Process, store *cache.Store, directory string) error {
	n, err := store.Clear()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "%d entries removed from %s\n"+
		"The kubelet keeps the good answers that it has had in memory until their cacheDuration is over, or until it is restarted.\n", n, directory)
	return err
}

// listCache prints a line an entry, and no token.
func listCache(p Process, store *cache.Store) error {
	entries, err := store.List()
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		_, err := fmt.Fprintln(p.Stdout, "the cache is empty")
		return err
	}
	out := tabwriter.NewWriter(p.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "REGISTRY\tIDENTITY\tAGE\tFRESH UNTIL\tEXPIRES\tNOTE")
	for _, e := range entries {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", orDash(e.Registry), orDash(e.Identity),
			rule.ShortDuration(e.Age.Round(time.Second)), clock(e.FreshUntil), clock(e.Expires), orDash(noteOf(e, p.Now())))
	}
	return out.Flush()
}

// noteOf is what there is to say of an entry beside its times.
func noteOf(e cache.Info, now time.Time) string {
	var notes []string
	if e.Failure != "" {
		what := "unavailable"
		if e.Refused {
			what = "refused"
		}
		when := "asked again at once"
		if left := e.Again.Sub(now); left > 0 {
			when = "asked again in " + rule.ShortDuration(left.Round(time.Second))
		}
		notes = append(notes, fmt.Sprintf("%s, %s: %s", what, when, e.Failure))
	}
	if e.Fact != "" {
		notes = append(notes, "the node's own account is "+e.Fact)
	}
	for _, note := range []string{e.Note, e.Problem} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	return printable.Line(strings.Join(notes, "; "), maxLine)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
