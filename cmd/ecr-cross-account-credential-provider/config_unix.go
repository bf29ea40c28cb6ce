//go:build unix

package main

// defaultConfig is the configuration's path where none is named.
func defaultConfig() string { return "/etc/ecr-cross-account-credential-provider/config.yaml" }
