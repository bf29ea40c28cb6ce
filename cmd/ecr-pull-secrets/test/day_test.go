package test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestDay measures four hours with 300 namespaces and three registries, and what a day
// makes of them: what the controller asks AWS, how often it writes, and how many bytes go
// between it and the API server. The figures of the documentation come from here.
func TestDay(t *testing.T) {
	t.Parallel()
	c, w := ownCluster(t), newWorld(t)
	const many = 300
	for i := range many {
		c.namespace(t, fmt.Sprint("day-", i), "day")
	}
	d := newDoor(t, c.address+":6443")
	through := *c
	through.address, through.serverName = d.listener.Addr().String(), c.address
	r := w.run(t, w.arguments(t, &through, "day")...)
	r.metricIs(t, "writes_total", func(n float64) bool { return n >= many })
	first, calls := d.bytes.Load(), len(w.server.Calls())
	t.Logf("the first sync: %d calls to AWS, %.1f MB", calls, float64(first)/1e6)
	const hours = 4
	written := float64(many)
	for range hours * 6 {
		before := w.count("GetAuthorizationToken")
		if w.advance(t, 10*time.Minute); w.count("GetAuthorizationToken") > before {
			written += many - 8 // a session that ends does not count the writes that its workers have begun
			r.metricIs(t, "writes_total", func(n float64) bool { return n >= written })
		}
	}
	writes, err := r.metric(t.Context(), "writes_total")
	if err != nil {
		t.Fatal(err)
	}
	const days = 24 / hours
	t.Logf("a day: %d AssumeRole, %d GetAuthorizationToken, %.0f writes, %.1f MB", days*(w.count("AssumeRole")-3), days*(w.count("GetAuthorizationToken")-3),
		days*(writes-many), days*float64(d.bytes.Load()-first)/1e6)
	if roles := w.count("AssumeRole"); roles > 3*(hours+2) {
		t.Errorf("%d roles were assumed in %d hours", roles, hours)
	}
	if writes > many*(hours+2) {
		t.Errorf("%.0f writes in %d hours", writes, hours)
	}
	c.has(t, "day-0", "day", w.holdsAll)
}

// TestFootprint measures the most memory and the CPU of the program's own process, from
// its start to its end after 300 namespaces have their Secrets.
func TestFootprint(t *testing.T) {
	t.Parallel()
	c, w := ownCluster(t), newWorld(t)
	const many = 300
	for i := range many {
		c.namespace(t, fmt.Sprint("footprint-", i), "footprint")
	}
	p, err := start(t.Context(), filepath.Join(t.TempDir(), "log"), filepath.Join(bin, "ecr-pull-secrets"), w.arguments(t, c, "footprint")...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range many {
		c.has(t, fmt.Sprint("footprint-", i), "footprint", w.holdsAll)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok || !p.cmd.ProcessState.Success() {
		t.Fatalf("the program ended with %s", p.cmd.ProcessState)
	}
	t.Logf("%.1f MB at most, %s of CPU", float64(usage.Maxrss)/1e3, p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime())
	if usage.Maxrss > 128<<10 {
		t.Errorf("%d KiB are more than the chart's limit", usage.Maxrss)
	}
}
