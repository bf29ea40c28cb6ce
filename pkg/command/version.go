package command

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// build is the JSON form of the command version. The names of its fields are stable.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // empty: not built from a repository
	Date    string `json:"date"`   // of the commit
	Go      string `json:"go"`
}

// Version returns the command version.
func Version() Command {
	return Command{
		Name: "version", Summary: "print the version", Example: "version --output json",
		New: func(flags *flag.FlagSet) Run {
			json := OutputFlag(flags)
			return func(_ context.Context, p Process, args []string) error {
				if len(args) > 0 {
					return UsageError("version takes no arguments")
				}
				if *json {
					return p.WriteJSON(buildOf(p.Version))
				}
				_, err := fmt.Fprintln(p.Stdout, p.Program, p.Version)
				return err
			}
		},
	}
}

// buildOf returns what the Go tool has recorded in the program.
func buildOf(version string) build {
	b := build{Version: version, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				b.Commit = setting.Value
			case "vcs.time":
				b.Date = setting.Value
			}
		}
	}
	return b
}
