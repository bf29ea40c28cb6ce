//go:build unix

// Command bench measures the plugin as a kubelet uses it: a process per image. For each
// row it alternates between this plugin, the stock ecr-credential-provider if given,
// and a program that does nothing. They run against a fake AWS on loopback, over TLS,
// at several distances. Their environment has only the variables for that AWS. The
// cache is on a tmpfs, as on a node. Each answer must be a token for the right role.
//
// The bench does not check the times. Because the programs alternate, their ratios are
// also valid on a busy machine. The times themselves are not.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"
)

type options struct {
	plugin, baseline string
	runs             int
	roundTrips       []time.Duration
	rows             string
	scratch          string
}

func main() {
	log.SetFlags(0)
	o := options{roundTrips: []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}}
	flag.StringVar(&o.plugin, "plugin", "bin/ecr-cross-account-credential-provider", "the plugin's `binary`")
	flag.StringVar(&o.baseline, "baseline", "", "the stock plugin's `binary`, to compare with")
	flag.IntVar(&o.runs, "runs", 20, "how often each program is run in each row")
	flag.StringVar(&o.rows, "rows", "", "measure only rows whose name contains this `text`")
	flag.StringVar(&o.scratch, "scratch", memory(), "the `directory` for the caches: a tmpfs if there is one, as the plugin's own default is")
	flag.Func("round-trips", "how far AWS is, in `ms,ms,…` (default 0,5,20,50)", func(s string) error {
		o.roundTrips = nil
		for field := range strings.SplitSeq(s, ",") {
			ms, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			o.roundTrips = append(o.roundTrips, time.Duration(ms)*time.Millisecond)
		}
		return nil
	})
	flag.Parse()
	if err := run(os.Stdout, o); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system removes it later
	tools, err := build(dir)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(o.scratch, "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a reboot removes it
	b := &bench{dir: scratch, launch: tools.launch, programs: []program{ours(o.plugin)}}
	if o.baseline != "" {
		b.programs = append(b.programs, stock(o.baseline))
	}
	b.programs = append(b.programs, nothing(tools.floor))
	if err := printMachine(w, o); err != nil {
		return err
	}
	if err := printSizes(w, b.programs); err != nil {
		return err
	}
	results, err := b.measure(o)
	if err != nil {
		return err
	}
	printTable(w, results, b.programs)
	if o.baseline != "" {
		printGoals(w, results)
	}
	return printLoad(w, "at the end")
}

// memory returns a directory on a tmpfs, if the system has one for all users.
func memory() string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err == nil && info.IsDir() {
		return shared
	}
	return os.TempDir()
}

// printSizes prints the sizes of the binaries.
func printSizes(w io.Writer, programs []program) error {
	fmt.Fprintf(w, "\n| binary | MB |\n|---|---:|\n")
	for _, p := range programs {
		info, err := os.Stat(p.path)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %s | %.1f |\n", p.name, float64(info.Size())/1e6)
	}
	return nil
}
