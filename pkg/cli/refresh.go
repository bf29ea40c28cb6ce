package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/provider"
)

// refresh mints tokens into the cache before pods need them.
func refresh(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		conf.Register(flags)
		var entry kubeletEntry
		entry.register(flags)
		jitter := flags.Duration("jitter", 0, "wait for a random part of this `DURATION` first, so that a fleet does not ask AWS all at once")
		asJSON := command.OutputFlag(flags)
		return func(ctx context.Context, p Process, args []string) error {
			if len(args) > 0 {
				return command.UsageError("refresh takes no argument %q", printable.Short(args[0]))
			}
			conf := *conf
			if err := entry.apply(p, &conf); err != nil {
				return err
			}
			c, err := conf.Load(p)
			if err != nil {
				return err
			}
			if err := pause(ctx, time.Duration(p.Random()*float64(*jitter))); err != nil {
				return err
			}
			done, err := refreshAll(ctx, p, c)
			if err != nil {
				return err
			}
			return report(p, done, *asJSON)
		}
	}
}

// pause waits, and ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func refreshAll(ctx context.Context, p Process, c config.Config) ([]provider.Refreshed, error) {
	directory := p.CacheDirectory(c)
	if directory == "" {
		return nil, command.UsageError("the configuration has no cache, so there is nothing to refresh")
	}
	store, err := cache.Open(directory, p.CacheOptions(p.Note))
	if err != nil {
		return nil, err
	}
	defer store.Close() //nolint:errcheck // nothing is lost
	r := provider.Provider{Config: c, AWS: p.AWS(c, nil), Cache: store, Hostname: p.Hostname}
	return r.Refresh(ctx)
}

// refreshed is the JSON form of a plan's line. The names of its fields are stable.
type refreshed struct {
	Registry   string `json:"registry"`
	Identity   string `json:"identity,omitempty"`
	State      string `json:"state"` // minted, fresh, failed or skipped
	Expires    string `json:"expires,omitempty"`
	FreshUntil string `json:"freshUntil,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

func newRefreshed(r provider.Refreshed) refreshed {
	line := refreshed{Registry: r.Registry, Identity: r.Token.Identity, State: "fresh", Reason: r.Token.Note}
	if !r.Token.Expires.IsZero() {
		line.Expires, line.FreshUntil = utc(r.Token.Expires), utc(r.Token.FreshUntil)
	}
	switch {
	case r.Err != nil:
		line.State, line.Reason = "failed", printable.Line(r.Err.Error(), command.MaxLine)
	case r.Skipped != "":
		line.State, line.Reason = "skipped", r.Skipped
	case r.Minted:
		line.State = "minted"
	}
	return line
}

// report prints a line for each plan. It returns an error if a plan failed.
func report(p Process, done []provider.Refreshed, asJSON bool) error {
	lines := make([]refreshed, len(done))
	failed := 0
	for i, r := range done {
		lines[i] = newRefreshed(r)
		if r.Err != nil {
			failed++
		}
	}
	if err := printRefreshed(p, lines, asJSON); err != nil {
		return err
	}
	if failed > 0 {
		return command.Reported(command.Failed)
	}
	return nil
}

func printRefreshed(p Process, lines []refreshed, asJSON bool) error {
	if asJSON {
		return p.WriteJSON(lines)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(p.Stdout, "nothing to refresh: the configuration alone determines no token, and none was used in the last day")
		return err
	}
	for _, l := range lines {
		text := l.State + " " + l.Registry
		if l.Identity != "" {
			text += " as " + l.Identity
		}
		if l.Expires != "" {
			text += ", fresh until " + l.FreshUntil + ", expires " + l.Expires
		}
		if l.Reason != "" {
			text += ": " + l.Reason
		}
		if _, err := fmt.Fprintln(p.Stdout, printable.Line(text, command.MaxLine)); err != nil {
			return err
		}
	}
	return nil
}
