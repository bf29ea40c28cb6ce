//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bench holds what all measurements share.
type bench struct {
	dir      string
	launch   string
	programs []program
	count    int // of the runs so far
}

// sample is the time and memory of one run.
type sample struct {
	wall, cpu time.Duration
	resident  int64 // bytes, at the peak
	failed    int   // processes
	calls     calls
}

// result holds the samples of a program in a row.
type result struct {
	row       row
	roundTrip time.Duration
	program   program
	samples   []sample
}

// measure runs all programs in all rows at all distances, once per round. It reverses
// the order in every second round.
func (b *bench) measure(o options) ([]*result, error) {
	var results []*result
	aws := map[time.Duration]*distantAWS{}
	for i, roundTrip := range o.roundTrips {
		dir, err := os.MkdirTemp(b.dir, "aws")
		if err != nil {
			return nil, err
		}
		if aws[roundTrip], err = startAWS(dir, roundTrip); err != nil {
			return nil, err
		}
		defer aws[roundTrip].Close() //nolint:errcheck // all requests are done
		for _, r := range rows {
			if !strings.Contains(r.name, o.rows) || r.near && i > 0 {
				continue
			}
			for _, p := range b.programs {
				results = append(results, &result{row: r, roundTrip: roundTrip, program: p})
			}
		}
	}
	order := slices.Clone(results)
	for round := range o.runs + 1 { // round 0 warms up the disk and does not count
		slices.Reverse(order)
		for _, r := range order {
			s, err := b.once(aws[r.roundTrip], r.row, r.program)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", r.row.name, r.program.name, err)
			}
			if round > 0 {
				r.samples = append(r.samples, s)
			}
		}
	}
	return results, nil
}

// once makes one run of a program in a row, in its own directory.
func (b *bench) once(aws *distantAWS, r row, p program) (sample, error) {
	b.count++
	dir := filepath.Join(b.dir, strconv.Itoa(b.count))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return sample{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // all are removed at the end
	args, env, err := p.prepare(dir, r)
	if err != nil {
		return sample{}, err
	}
	env = append(aws.env(), env...)
	if r.warm && p.caches {
		if _, err := b.start(dir, r.request(), 1, env, append([]string{p.path}, args...)); err != nil {
			return sample{}, err
		}
	}
	aws.Forget()
	s, err := b.start(dir, r.request(), r.processes, env, append([]string{p.path}, args...))
	if err != nil {
		return sample{}, err
	}
	s.calls = aws.calls()
	if !p.answers {
		return s, nil
	}
	return s, verify(aws, r, dir, s)
}

// start runs a command through launch.
func (b *bench) start(dir, request string, count int, env, command []string) (sample, error) {
	stdin := filepath.Join(dir, "request")
	if err := os.WriteFile(stdin, []byte(request), 0o600); err != nil {
		return sample{}, err
	}
	cmd := exec.CommandContext(context.Background(), b.launch, append([]string{strconv.Itoa(count), stdin, filepath.Join(dir, "answer")}, command...)...)
	cmd.Env = env
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return sample{}, err
	}
	var s sample
	var user, system time.Duration
	_, err = fmt.Sscan(string(output), (*int64)(&s.wall), (*int64)(&user), (*int64)(&system), &s.resident, &s.failed)
	s.cpu = user + system
	return s, err
}
