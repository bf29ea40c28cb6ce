package command

import (
	"fmt"
	"io"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// Process holds what a program gets from its process.
type Process struct {
	// Program is the program's name in messages. It does not depend on the file's
	// name. Main sets it.
	Program string
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Getenv  func(string) string
	// Setenv sets a variable of the process's own environment, which the AWS SDK reads.
	Setenv  func(name, value string) error
	Version string
	// Executable returns the path of the program's own file.
	Executable func() (string, error)
	// Terminal, StdoutTerminal and StderrTerminal report whether Stdin, Stdout and
	// Stderr are terminals.
	Terminal, StdoutTerminal, StderrTerminal bool
	// DefaultConfig is the configuration's path if none is named. The file need not
	// exist.
	DefaultConfig string
	// DefaultCache is the cache's directory if none is named. Empty means no cache.
	DefaultCache string
	// Journal is the socket of the journal, which need not exist. Empty means none.
	Journal string
	// Environ is the environment, NAME=VALUE, and SetEnviron replaces it.
	Environ    func() []string
	SetEnviron func([]string) error
	Hostname   string
	Now        func() time.Time
	Boot       cache.Boot // the system's if empty
	Random     func() float64
	Timeouts   awsapi.Timeouts // the default ones if empty
}

// MaxLine limits the length of a message, because a kubelet puts the message into one
// value of its log.
const MaxLine = 4000

// Note writes a line to stderr, in addition to the output.
func (p Process) Note(text string) {
	_, _ = fmt.Fprintf(p.Stderr, "%s: %s\n", p.Program, printable.Line(text, MaxLine))
}

// Color reports whether to write colors to stdout. It is true if stdout is a terminal
// and NO_COLOR is not set.
func (p Process) Color() bool { return p.StdoutTerminal && p.Getenv("NO_COLOR") == "" }

// report writes an error as the last text on stderr. If a program is the caller and
// stderr is not a terminal, the text has no final newline. With a newline, a kubelet's
// log would show the text as a block of several lines.
func (p Process) report(err error, caller bool) {
	line := p.Program + ": " + printable.Line(err.Error(), MaxLine)
	if p.StderrTerminal || !caller {
		line += "\n"
	}
	_, _ = io.WriteString(p.Stderr, line)
}
