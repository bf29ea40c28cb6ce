package process

import (
	"os"
	"path/filepath"
)

// DefaultConfig returns the configuration's path if none is named. /etc would be a
// directory that any user can create at the root of the drive. A relative path would
// depend on the current directory, so %ProgramData% counts only if it is absolute.
func DefaultConfig() string {
	data := os.Getenv("ProgramData")
	if !filepath.IsAbs(data) {
		data = `C:\ProgramData`
	}
	return filepath.Join(data, "ecr-cross-account-credential-provider", "config.yaml")
}

// DefaultCache is empty: there is no cache on Windows.
const DefaultCache = ""

// Journal is empty: there is no journal on Windows.
const Journal = ""
