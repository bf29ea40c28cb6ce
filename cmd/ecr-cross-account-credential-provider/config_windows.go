package main

import (
	"os"
	"path/filepath"
)

// defaultConfig is the configuration's path where none is named. /etc would be
// a folder that any user can make at the root of the drive.
func defaultConfig() string {
	return filepath.Join(os.Getenv("ProgramData"), "ecr-cross-account-credential-provider", "config.yaml")
}

// defaultCache: there is no cache on Windows.
const defaultCache = ""

// journalSocket: there is no journal on Windows.
const journalSocket = ""
