package cache

import (
	"syscall"
	"time"
)

// uptime returns the time since boot in whole seconds, suspension included
// (sysinfo(2); it needs no unsafe pointer, as clock_gettime would).
func uptime() time.Duration {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}
	return time.Duration(info.Uptime) * time.Second
}
