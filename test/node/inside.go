package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// patience is the maximum time of a case, long enough for a busy machine.
const patience = 3 * time.Minute

// inside runs one case, as the first process of a node, and reports its observations.
func inside(o options, w io.Writer) int {
	i := slices.IndexFunc(cases, func(c Case) bool { return c.ID == o.inside })
	if i < 0 {
		fmt.Fprintf(w, "there is no case %q\n", o.inside)
		return 2
	}
	if err := becomeMachine(map[string]string{binDir: o.bin, repositoryDir: o.repository}); err != nil {
		fmt.Fprintf(w, "making a machine: %v\n", err)
		return 1
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, errors.New("the case's time is over"))
	defer cancel()
	n, err := newNode(ctx, cases[i].Setup, o.cgroup)
	if err == nil {
		err = cases[i].Run(ctx, n)
	}
	n.report(w, err, o.verbose)
	if o.shell {
		openShell(w)
	}
	if err != nil {
		return 1
	}
	return 0
}

// openShell runs a shell on the node until the user leaves it.
func openShell(w io.Writer) {
	fmt.Fprintf(w, "\nThis is the node; its logs are in %s. Leave it with exit.\n", logsDir)
	shell := exec.Command("/bin/bash", "--norc")
	shell.Dir = nodeDir
	shell.Env = append(os.Environ(), "PS1=node# ", "CONTAINER_RUNTIME_ENDPOINT=unix://"+containerdSocket, "HOME=/tmp")
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := shell.Run(); err != nil {
		fmt.Fprintln(w, err)
	}
}
