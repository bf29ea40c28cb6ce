//go:build !linux

package cache

import "time"

func uptime() time.Duration { return 0 }
