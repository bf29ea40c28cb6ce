package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// result is the result of a case.
type result struct {
	err  error
	took time.Duration
}

// runAll runs several cases at a time. It prints the observations of each case when the
// case ends.
func runAll(ctx context.Context, o options, w io.Writer, chosen []Case) []result {
	results := make([]result, len(chosen))
	next := make(chan int)
	var printing sync.Mutex
	var workers sync.WaitGroup
	for range o.parallel {
		workers.Go(func() {
			for i := range next {
				results[i] = runOne(ctx, o, w, &printing, chosen[i])
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

func runOne(ctx context.Context, o options, w io.Writer, printing *sync.Mutex, c Case) result {
	if ctx.Err() != nil {
		return result{err: errNotRun}
	}
	group := newCgroup(c.ID)
	var evidence bytes.Buffer
	started := time.Now()
	err := errors.Join(group.create(), startNode(ctx, o, &evidence, c, group.name), group.remove())
	r := result{err, time.Since(started)}
	printing.Lock()
	defer printing.Unlock()
	fmt.Fprintf(w, "=== %s: %s\n%s", c, r, evidence.Bytes())
	if err != nil {
		fmt.Fprintf(w, "  %v\n", err)
	}
	fmt.Fprintln(w)
	return r
}

// startNode starts a child of this process in new namespaces, as the first process of a
// machine, and waits for its end. When the child ends, its process namespace ends all
// processes of the node.
func startNode(ctx context.Context, o options, evidence io.Writer, c Case, cgroup string) error {
	// The kernel ends the child when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-inside", c.ID, "-cgroup", cgroup, "-bin", o.bin,
		"-repository", o.repository, "-shell="+strconv.FormatBool(o.shell), "-v="+strconv.FormatBool(o.verbose))
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=" + os.Getenv("TERM")}
	cmd.Stdout, cmd.Stderr = evidence, evidence
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    !o.shell, // an interrupt reaches only this process, which then ends the others
	}
	if o.shell {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	if err := cmd.Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("case %s: %w", c.ID, err))
	}
	return nil
}

var errNotRun = errors.New("not run")

func (r result) String() string {
	verdict := "PASS"
	switch {
	case errors.Is(r.err, errNotRun):
		verdict = "none"
	case r.err != nil:
		verdict = "FAIL"
	}
	return fmt.Sprintf("%s %5.1fs", verdict, r.took.Seconds())
}

// table prints the result of each case.
func table(ctx context.Context, w io.Writer, chosen []Case, results []result) error {
	failed := 0
	for i, c := range chosen {
		fmt.Fprintf(w, "%s  %s\n", results[i], c)
		if results[i].err != nil {
			failed++
		}
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case failed > 0:
		return fmt.Errorf("%d of %d cases failed", failed, len(chosen))
	}
	return nil
}
