package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// String returns the output of a program.
func (p *program) String() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// TestFootprint measures the peak memory and the CPU time of the program's own process.
// The measurement starts with 300 namespaces. It lasts an hour, with a renewal and six
// full syncs.
func TestFootprint(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	for i := range many {
		c.namespace(t, fmt.Sprint("footprint-", i), "footprint")
	}
	p, err := start(t.Context(), filepath.Join(t.TempDir(), "log"), filepath.Join(bin, "pull-secrets-clock"), w.arguments(t, c, "footprint")...)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{log: p}
	syncs := 1.0
	r.metricIs(t, "syncs_total", func(n float64) bool { return n >= syncs })
	for range 6 {
		w.Pass(10 * time.Minute)
		if syncs, err = r.metric(t.Context(), "syncs_total"); err == nil {
			err = p.cmd.Process.Signal(syscall.SIGUSR2)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.metricIs(t, "syncs_total", func(n float64) bool { return n > syncs })
	}
	r.metricIs(t, "writes_total", func(n float64) bool { return n >= 2*many })
	peak, err := peakMemory(p.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if !p.cmd.ProcessState.Success() {
		t.Fatalf("the program ended with %s:\n%s", p.cmd.ProcessState, p)
	}
	t.Logf("the start and an hour took %s of CPU", p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime())
	figure(t, "MB of memory at most", ours, float64(peak)/1e6, 0.5)
	if limit := 128 << 20; peak > limit {
		t.Errorf("got %d bytes, want at most %d, the chart's limit", peak, limit)
	}
}

// peakMemory returns the peak memory of a process in bytes. The result of wait would
// include the test process's memory. /proc is from outside the tests' PID namespace, so
// it shows other process IDs.
func peakMemory(pid int) (int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, err
	}
	for _, name := range files {
		status := map[string][]string{}
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the process has ended
		}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(line, ":")
			status[key] = strings.Fields(value)
		}
		ids, peak := status["NSpid"], status["VmHWM"]
		if len(ids) > 1 && ids[len(ids)-1] == strconv.Itoa(pid) && len(peak) == 2 && strings.HasPrefix(status["Name"][0], "pull-secrets") {
			kilobytes, err := strconv.Atoi(peak[0])
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("no such process")
}
