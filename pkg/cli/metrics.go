package cli

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/counter"
	"ecr-cross-account-credential-provider/pkg/metrics"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// printMetrics prints the node's metrics, or writes them to a file.
func printMetrics(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		conf.Register(flags)
		var entry kubeletEntry
		entry.register(flags)
		textfile := flags.String("textfile", "", "write to this `PATH` instead, such as /var/lib/node_exporter/textfile/ecr-cross-account.prom")
		return func(_ context.Context, p Process, args []string) error {
			if len(args) > 0 {
				return command.UsageError("metrics takes no argument %q", printable.Short(args[0]))
			}
			conf := *conf
			if err := entry.apply(p, &conf); err != nil {
				return err
			}
			c, err := conf.Load(p)
			if err != nil {
				return err
			}
			node, err := readNode(p, c)
			if err != nil {
				return err
			}
			if *textfile != "" {
				return metrics.WriteFile(*textfile, node.Text())
			}
			_, err = p.Stdout.Write(node.Text())
			return err
		}
	}
}

// readNode reads the cache and the counters. Before the first request there is neither.
func readNode(p Process, c config.Config) (metrics.Node, error) {
	node := metrics.Node{Version: p.Version, Now: p.Now()}
	directory := p.CacheDirectory(c)
	if directory == "" {
		return node, command.UsageError("the configuration has no cache, and the metrics are those of the cache")
	}
	if _, err := os.Lstat(directory); errors.Is(err, fs.ErrNotExist) {
		return node, nil
	}
	store, err := cache.Open(directory, p.CacheOptions(p.Note))
	if err != nil {
		return node, err
	}
	defer store.Close() //nolint:errcheck // nothing is lost
	if node.Totals, err = counter.Read(store.Root()); err != nil {
		p.Note(err.Error()) // node.Totals has the records that are readable
	}
	node.Tokens, err = store.List()
	return node, err
}
