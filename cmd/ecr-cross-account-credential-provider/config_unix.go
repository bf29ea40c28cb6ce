//go:build unix

package main

// defaultConfig returns the configuration's path if none is named.
func defaultConfig() string { return "/etc/ecr-cross-account-credential-provider/config.yaml" }

// defaultCache is the cache's directory if none is named. It is on a tmpfs, so a
// reboot empties it.
const defaultCache = "/run/ecr-cross-account-credential-provider"

// journalSocket is where systemd-journald receives log entries.
const journalSocket = "/run/systemd/journal/socket"
