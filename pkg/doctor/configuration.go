package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// configured checks the plugin's configuration.
func (e *examination) configured(ctx context.Context) {
	e.configuration = e.do(ctx, &diagnosis.Check{Kind: configurationFile, Run: func(context.Context) diagnosis.Finding {
		c := e.config
		switch entries := len(c.Rules.Entries()); {
		case e.configErr != nil:
			return diagnosis.Fail(diagnosis.Node, e.configErr.Error(), "correct the file; to check it again, run: ecr-cross-account-credential-provider validate")
		case len(c.Warnings) > 0:
			return diagnosis.Warn(c.Warnings.Error(), "this is allowed, but rarely intended")
		case c.File == "" && entries == 0:
			return diagnosis.Fine("no file: the plugin does what the stock ecr-credential-provider does")
		case c.File == "":
			return diagnosis.Fine("no file, but --role")
		}
		return diagnosis.Fine(fmt.Sprintf("%s, registries: %d", c.File, len(c.Rules.Entries())))
	}})
}

// loadConfiguration reads the plugin's configuration with the arguments of its entry.
func (e *examination) loadConfiguration() {
	var args []string
	if e.kubelet.entry != nil {
		args = e.kubelet.entry.Args
	}
	e.config, e.configErr = e.Load(args, e.kubelet.root)
}

// cached checks the cache for recent refusals and failures. They do not prevent
// later pulls, so it only warns.
func (e *examination) cached(ctx context.Context) {
	e.do(ctx, &diagnosis.Check{Kind: tokenCache, Needs: []*diagnosis.Check{e.configuration}, Run: func(context.Context) diagnosis.Finding {
		directory := e.Process.CacheDirectory(e.config)
		if directory == "" {
			return diagnosis.Warn("it is off, so each pull asks AWS", "name a directory in the configuration's cache")
		}
		_, err := os.Lstat(directory)
		if errors.Is(err, fs.ErrNotExist) {
			return diagnosis.Fine(directory + " does not exist yet: the plugin has not run since the last boot")
		}
		var list []cache.Info
		if err == nil {
			list, err = listCache(directory, e.Process.CacheOptions(func(string) {}))
		}
		if err != nil {
			return noCache(directory, err)
		}
		return cacheFinding(list, e.Process.Now())
	}})
}

// noCache returns the finding for a directory that cannot be read. This user may lack the
// permission that the plugin's user has.
func noCache(directory string, err error) diagnosis.Finding {
	if errors.Is(err, fs.ErrPermission) {
		return diagnosis.Skip(directory + " belongs to the plugin's user; run doctor as root")
	}
	return diagnosis.Warn(err.Error(), "until this is corrected, each pull asks AWS")
}

func listCache(directory string, o cache.Options) ([]cache.Info, error) {
	store, err := cache.Open(directory, o)
	if err != nil {
		return nil, err
	}
	list, err := store.List()
	return list, errors.Join(err, store.Close())
}

// cacheFinding says how many tokens there are, and what was refused.
func cacheFinding(list []cache.Info, now time.Time) diagnosis.Finding {
	count, refusals := map[string]int{}, []string{}
	for _, i := range list {
		state := i.State
		if i.Problem != "" {
			state = "unreadable"
		}
		count[state]++
		if i.Reason != "" {
			again := max(0, i.Again.Sub(now).Round(time.Second))
			refusals = append(refusals, fmt.Sprintf("%s %s ago, AWS is asked again in %s: %s",
				state, rule.ShortDuration(i.Age.Round(time.Second)), rule.ShortDuration(again), i.Reason))
		}
	}
	var states []string
	for _, state := range []string{"fresh", "stale", "refused", "failed", "unreadable"} {
		if count[state] > 0 {
			states = append(states, fmt.Sprintf("%d %s", count[state], state))
		}
	}
	switch {
	case len(list) == 0:
		return diagnosis.Fine("empty")
	case len(refusals) > 0:
		return diagnosis.Warn(strings.Join(states, ", ")+"; "+strings.Join(refusals, "; "),
			"once the cause is repaired, pulls work after that time; to make them work at once, run: ecr-cross-account-credential-provider cache clear")
	}
	return diagnosis.Fine(strings.Join(states, ", "))
}
