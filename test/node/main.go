// Command node starts pods on real nodes. Each node has its own namespaces, containerd,
// registries with AWS's checks, and a kubelet that runs the plugin. AWS is
// test/fakeaws. README.md describes its use.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
)

func main() {
	log.SetFlags(0)
	if filepath.Dir(os.Args[0]) == providersDir {
		os.Exit(witness(filepath.Base(os.Args[0]), os.Args[1:]))
	}
	if program := filepath.Base(os.Args[0]); slices.Contains(systemdPrograms, program) {
		os.Exit(callSystemd(append([]string{program}, os.Args[1:]...)))
	}
	o, err := parseOptions()
	if err != nil {
		log.Fatal(err)
	}
	if o.shell {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	if o.inside != "" {
		os.Exit(inside(o, os.Stdout))
	}
	ends := []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
	if !o.shell { // in a shell, an interrupt goes to the programs of the shell
		ends = append(ends, os.Interrupt)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	if err := outside(ctx, o, os.Stdout); err != nil {
		stop()
		log.Fatal(err)
	}
}

// options are the command line.
type options struct {
	bin        string
	repository string
	run        *regexp.Regexp
	parallel   int
	shell      bool
	verbose    bool
	list       bool

	inside, cgroup string // of a child: its case and its cgroup
}

func parseOptions() (options, error) {
	var o options
	run := flag.String("run", ".", "run only the cases whose number and name match this `regexp`")
	flag.StringVar(&o.bin, "bin", "bin", "the directory of kubelet, kube-apiserver, etcd, pause and the plugin")
	flag.StringVar(&o.repository, "repository", ".", "the directory with README.md and config-examples")
	flag.IntVar(&o.parallel, "parallel", min(3*runtime.NumCPU(), 12), "the number of nodes that run at the same time; they mostly wait")
	flag.BoolVar(&o.shell, "shell", false, "after each case, pass or fail, open a shell on its node")
	flag.BoolVar(&o.verbose, "v", false, "print all observations, also those of passed cases")
	flag.BoolVar(&o.list, "list", false, "list the cases")
	flag.StringVar(&o.inside, "inside", "", "internal: be the node of a case")
	flag.StringVar(&o.cgroup, "cgroup", "", "internal: the node's cgroup")
	flag.Parse()
	var err error
	if o.run, err = regexp.Compile(*run); err != nil {
		return o, fmt.Errorf("-run: %w", err)
	}
	if o.shell {
		o.parallel = 1
	}
	return o, nil
}

// outside runs the chosen cases, each on its own node, and prints a table of them.
func outside(ctx context.Context, o options, w io.Writer) error {
	var chosen []Case
	for _, c := range cases {
		if o.run.MatchString(c.String()) {
			chosen = append(chosen, c)
		}
	}
	if o.list {
		for _, c := range chosen {
			fmt.Fprintln(w, c)
		}
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("a node needs root, for namespaces, mounts and cgroups")
	}
	removeAbandonedCgroups()
	restore, err := enableControllers()
	if err != nil {
		return err
	}
	defer restore()
	return table(ctx, w, chosen, runAll(ctx, o, w, chosen))
}
