package cache

import (
	"syscall"
	"time"
)

// uptime returns the time since boot in whole seconds, suspension included. It uses
// sysinfo(2), because clock_gettime(2) needs an unsafe pointer.
func uptime() time.Duration {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}
	return time.Duration(info.Uptime) * time.Second
}
