//go:build unix && !linux

package cache

// fullChild needs Linux's mounts.
func fullChild(string) error { return nil }
