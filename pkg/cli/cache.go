package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// caches is the command cache: list or clear.
func caches(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		conf.Register(flags)
		json := command.OutputFlag(flags)
		return func(_ context.Context, p Process, args []string) error { return runCache(p, *conf, args, *json) }
	}
}

func runCache(p Process, conf command.Configuration, args []string, json bool) error {
	switch {
	case len(args) != 1 || args[0] != "list" && args[0] != "clear":
		return command.UsageError("want %s cache list, or cache clear", Name)
	case json && args[0] == "clear":
		return command.UsageError("cache clear has no --output json; cache list does")
	}
	c, err := conf.Load(p)
	if err != nil {
		return err
	}
	directory := p.CacheDirectory(c)
	if directory == "" {
		return command.UsageError("the configuration has no cache")
	}
	if _, err := os.Lstat(directory); errors.Is(err, fs.ErrNotExist) {
		if json {
			return p.WriteJSON([]cached{})
		}
		_, err := fmt.Fprintf(p.Stdout, "the cache is empty: %s does not exist yet\n", directory)
		return err
	}
	store, err := cache.Open(directory, p.CacheOptions(func(string) {}))
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing is lost
	if args[0] == "clear" {
		return clearCache(p, store, directory)
	}
	entries, err := store.List()
	switch {
	case err != nil:
		return err
	case json:
		return listJSON(p, entries)
	}
	return listCache(p, entries)
}

func clearCache(p Process, store *cache.Store, directory string) error {
	n, err := store.Clear()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "entries removed from %s: %d\n"+
		"The kubelet keeps the responses that it has in memory until their cacheDuration ends or it is restarted.\n", directory, n)
	return err
}

// listCache prints a line for each entry, and no token.
func listCache(p Process, entries []cache.Info) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintln(p.Stdout, "the cache is empty")
		return err
	}
	out := tabwriter.NewWriter(p.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "REGISTRY\tIDENTITY\tSTATE\tAGE\tFRESH UNTIL\tEXPIRES\tNOTE")
	for _, e := range entries {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cmp.Or(e.Registry, "-"), cmp.Or(e.Identity, "-"), cmp.Or(e.State, "-"),
			rule.ShortDuration(e.Age.Round(time.Second)), utc(e.FreshUntil), utc(e.Expires), cmp.Or(noteOf(e, p.Now()), "-"))
	}
	return out.Flush()
}

// noteOf returns the text for an entry besides its state and times.
func noteOf(e cache.Info, now time.Time) string {
	var notes []string
	if e.Reason != "" {
		when := "AWS is asked again at once"
		if left := e.Again.Sub(now); left > 0 {
			when = "AWS is asked again in " + rule.ShortDuration(left.Round(time.Second))
		}
		notes = append(notes, when+": "+e.Reason)
	}
	for _, note := range []string{e.Note, e.Problem} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	return printable.Line(strings.Join(notes, "; "), command.MaxLine)
}

func utc(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
