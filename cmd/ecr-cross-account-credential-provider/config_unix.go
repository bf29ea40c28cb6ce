//go:build unix

package main

// defaultConfig is the configuration's path where none is named.
func defaultConfig() string { return "/etc/ecr-cross-account-credential-provider/config.yaml" }

// defaultCache is the cache's folder where none is named: on a tmpfs, so that it
// is gone at a reboot.
const defaultCache = "/run/ecr-cross-account-credential-provider"

// journalSocket is where systemd-journald takes records.
const journalSocket = "/run/systemd/journal/socket"
