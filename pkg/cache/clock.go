package cache

import (
	"os"
	"strings"
	"sync"
	"time"
)

// Boot is the clock that counts from boot. Unlike the wall clock, it is never set.
type Boot struct {
	// ID identifies the boot; empty where there is no such clock.
	ID func() string
	// Uptime is the time since boot, suspension included.
	Uptime func() time.Duration
}

// systemBoot returns the system's clock. Systems other than Linux have none.
func systemBoot() Boot {
	return Boot{Uptime: uptime, ID: sync.OnceValue(func() string {
		id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // empty if there is none
		return strings.TrimSpace(string(id))
	})}
}

// instant is a moment, by the wall clock and the boot clock.
type instant struct {
	wall   time.Time
	uptime time.Duration
	boot   func() string // the boot's ID; a function, because most reads do not need it
}

// now reads the clocks.
func (s *Store) now() instant {
	return instant{s.o.Now().Round(0), s.o.Boot.Uptime(), s.o.Boot.ID}
}

// smallStep is the smallest change of the wall clock that counts. The two clocks are
// not read at the same moment, and the uptime is in whole seconds.
const smallStep = 3 * time.Second

// stepped returns by how much the wall clock was set between i and now, or 0 if
// that is not known.
func (i instant) stepped(now instant) time.Duration {
	d := now.wall.Sub(i.wall) - (now.uptime - i.uptime)
	if d.Abs() < smallStep {
		return 0
	}
	if id := now.boot(); id == "" || id != i.boot() {
		return 0
	}
	return d
}

// on returns the time of i by the current setting of the wall clock.
func (i instant) on(now instant) time.Time { return i.wall.Add(i.stepped(now)) }
