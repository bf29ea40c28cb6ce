package command

import (
	"context"
	_ "embed" // for VERSION
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

//go:embed VERSION
var release string

// Release returns the version of this source, such as v0.1.0. It is the text of the
// file VERSION, however the program was built.
func Release() string { return strings.TrimSpace(release) }

// Build describes the source of a program. It is the JSON form of the version command,
// so the names of its fields are stable.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // ends with -dirty if files were changed; empty if not built in a repository
	Date    string `json:"date"`   // of the commit
	Go      string `json:"go"`
}

// BuildOf returns the build of this program. The caller gives the version, and the Go
// tool has recorded the rest in the program.
func BuildOf(version string) Build {
	var settings []debug.BuildSetting
	if info, ok := debug.ReadBuildInfo(); ok {
		settings = info.Settings
	}
	return buildOf(version, runtime.Version(), settings)
}

func buildOf(version, goVersion string, settings []debug.BuildSetting) Build {
	b, changed := Build{Version: version, Go: goVersion}, false
	for _, setting := range settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		case "vcs.modified":
			changed = setting.Value == "true"
		}
	}
	if b.Commit != "" && changed {
		b.Commit += "-dirty"
	}
	return b
}

// String returns the build in one line.
func (b Build) String() string {
	if b.Commit == "" {
		return fmt.Sprintf("%s (%s)", b.Version, b.Go)
	}
	return fmt.Sprintf("%s (commit %s of %s, %s)", b.Version, b.Commit, b.Date, b.Go)
}

// Version returns the command that prints the version.
func Version() Command {
	return Command{
		Name: "version", Summary: "print the version", Example: "version --output json",
		New: func(flags *flag.FlagSet) Run {
			json := OutputFlag(flags)
			return func(_ context.Context, p Process, args []string) error {
				if len(args) > 0 {
					return UsageError("version takes no arguments")
				}
				build := BuildOf(p.Version)
				if *json {
					return p.WriteJSON(build)
				}
				_, err := fmt.Fprintln(p.Stdout, p.Program, build)
				return err
			}
		},
	}
}
