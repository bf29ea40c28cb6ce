//go:build unix

// Command launch starts one or more processes of a program at once, and waits for all.
// It prints one line: wall time, user time and system time in ns, the largest resident
// size in bytes, and the number of failures.
//
//	launch COUNT REQUEST ANSWER PROGRAM [ARGUMENT]...
//
// REQUEST is the file that each process has as stdin. Process n writes to ANSWER.n and
// ANSWER.n.err.
//
// It is a separate program because it must be small. Linux counts the resident size of
// the forking process towards the peak of the executed one. So a child of a large
// program never seems smaller than that program.
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 5 {
		fail("usage: launch COUNT REQUEST ANSWER PROGRAM [ARGUMENT]...")
	}
	count, err := strconv.Atoi(os.Args[1])
	check(err)
	attributes := make([]*os.ProcAttr, count)
	for i := range attributes {
		stdin, err := os.Open(os.Args[2])
		check(err)
		answer := os.Args[3] + "." + strconv.Itoa(i)
		stdout, err := os.Create(answer)
		check(err)
		stderr, err := os.Create(answer + ".err")
		check(err)
		attributes[i] = &os.ProcAttr{Env: os.Environ(), Files: []*os.File{stdin, stdout, stderr}}
	}
	took, err := run(os.Args[4:], attributes)
	check(err)
	fmt.Println(took.wall.Nanoseconds(), took.user, took.system, took.resident, took.failed)
}

type usage struct {
	wall                           time.Duration
	user, system, resident, failed int64
}

// run starts all processes, then waits for all.
func run(args []string, attributes []*os.ProcAttr) (usage, error) {
	var u usage
	processes := make([]*os.Process, len(attributes))
	begin := time.Now()
	for i, a := range attributes {
		p, err := os.StartProcess(args[0], args, a)
		if err != nil {
			return u, err
		}
		processes[i] = p
	}
	states := make([]*os.ProcessState, len(processes))
	for i, p := range processes {
		var err error
		if states[i], err = p.Wait(); err != nil {
			return u, err
		}
	}
	u.wall = time.Since(begin)
	for _, s := range states {
		r, ok := s.SysUsage().(*syscall.Rusage)
		if !ok {
			return u, fmt.Errorf("no resource usage of %s", s)
		}
		u.user += r.Utime.Nano()
		u.system += r.Stime.Nano()
		u.resident = max(u.resident, r.Maxrss<<10)
		if !s.Success() {
			u.failed++
		}
	}
	return u, nil
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	_, _ = os.Stderr.WriteString("launch: " + text + "\n")
	os.Exit(2)
}
