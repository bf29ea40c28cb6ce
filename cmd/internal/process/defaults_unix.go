//go:build unix

package process

// DefaultConfig returns the configuration's path if none is named.
func DefaultConfig() string { return "/etc/ecr-cross-account-credential-provider/config.yaml" }

// DefaultCache is the cache's directory if none is named. It is on a tmpfs, which a
// reboot empties.
const DefaultCache = "/run/ecr-cross-account-credential-provider"

// Journal is where systemd-journald receives log entries.
const Journal = "/run/systemd/journal/socket"
